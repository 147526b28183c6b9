# SPDX-License-Identifier: Apache-2.0
"""The recovery of a host: one function a state.

Each takes the host as the journal knows it and returns it as it is to be now.
"""

from collections.abc import Callable
from dataclasses import replace

from nova_ha_scheduler.evacuation import detect, guard, servers
from nova_ha_scheduler.evacuation.cloud import Host
from nova_ha_scheduler.evacuation.records import (
    Effect,
    EventKind,
    Evidence,
    HostRecovery,
    HostState,
    Outcome,
    Proof,
    Reason,
    Result,
    ServerState,
)
from nova_ha_scheduler.evacuation.turn import RESTARTED, Turn

MAX_REASON = 255
"""How long Nova lets a disabled_reason be."""

Step = Callable[[Turn, HostRecovery, guard.Answer], HostRecovery]


def suspected(turn: Turn, host: HostRecovery, answer: guard.Answer) -> HostRecovery:
    """Its service is silent: do all witnesses agree that it is dead?"""
    if over := _false_alarm(turn, host):
        return over
    if evidence := _confirmation(turn, host):
        return proven(turn, host, evidence)
    if outcome := turn.outcome(host.id, Effect.TESTIFY):
        if outcome.result is Result.OK:
            turn.tell(EventKind.HOST_CONFIRMED, host, reason=outcome.detail)
            return turn.enter(host, HostState.CONFIRMED)
        lost = outcome.detail == RESTARTED
        pause = 0 if lost else turn.options.witness_interval
        host = replace(host, next_try_at=turn.now + pause)
        if outcome.result is Result.REFUSED:
            host = turn.hold(host, Reason.WITNESSES, outcome.detail)
    if turn.now >= host.next_try_at and not turn.pending(host.id, Effect.TESTIFY):
        turn.intend(Effect.TESTIFY, host.host, host.id)
    return host


def confirmed(turn: Turn, host: HostRecovery, answer: guard.Answer) -> HostRecovery:
    """All agree that it is dead: does the guard let it be fenced?"""
    if over := _false_alarm(turn, host):
        return over
    if evidence := _confirmation(turn, host):
        return proven(turn, host, evidence)
    if answer is guard.Answer.TRIPPED:
        return turn.hold(host, Reason.STORM, turn.guard.reason)
    if answer is guard.Answer.WAIT:
        return host
    host = guard.admit(turn, turn.enter(host, HostState.FENCING))
    turn.tell(EventKind.HOST_FENCING, host)
    turn.intend(Effect.FENCE, host.host, host.id)
    return replace(host, next_try_at=turn.now)


def fencing(turn: Turn, host: HostRecovery, answer: guard.Answer) -> HostRecovery:
    """It is being switched off; where that fails, somebody has to confirm.

    A second attempt begins with a look at the power: a result that was lost is not
    repeated blindly, and a host that is still on has to be suspected anew.
    """
    if outcome := turn.outcome(host.id, Effect.FENCE):
        if outcome.result is Result.OK:
            return proven(turn, host, _observed(outcome))
        host = _unfenced(turn, host, outcome)
    if outcome := turn.outcome(host.id, Effect.CHECK_POWER):
        if outcome.result is Result.OK:
            return proven(turn, host, _observed(outcome))
        if outcome.result is Result.REFUSED:
            return turn.enter(host, HostState.SUSPECTED)
        host = _unfenced(turn, host, outcome)
    if turn.pending(host.id, Effect.FENCE):
        return host
    if evidence := _confirmation(turn, host):
        return proven(turn, host, evidence)
    if over := _false_alarm(turn, host):
        return over
    if turn.now >= host.next_try_at and not turn.pending(host.id, Effect.CHECK_POWER):
        turn.intend(Effect.CHECK_POWER, host.host, host.id)
    return host


def fenced(turn: Turn, host: HostRecovery, answer: guard.Answer) -> HostRecovery:
    """It is off: Nova must know it, and must not use it when it comes back."""
    seen = turn.seen(host)
    if seen is None:
        return _closed(turn, host, EventKind.HOST_CLEARED, Reason.UNKNOWN_HOST)
    down, off = host.forced_down_by_us, host.disabled_by_us
    down = down or _done(turn, host, Effect.FORCE_DOWN, seen.forced_down)
    off = off or _done(turn, host, Effect.DISABLE, seen.disabled)
    host = replace(host, forced_down_by_us=down, disabled_by_us=off)
    if not ((down or seen.forced_down) and (off or seen.disabled)):
        return host
    host = turn.enter(host, HostState.EVACUATING)
    turn.tell(EventKind.HOST_EVACUATING, host)
    return replace(host, closed_at=turn.now, quiet_since=None)


def evacuating(turn: Turn, host: HostRecovery, answer: guard.Answer) -> HostRecovery:
    """Its servers move; it is done when each one is accounted for."""
    seen = turn.seen(host)
    if seen is None:
        return turn.hold(host, Reason.UNKNOWN_HOST)
    host = _doubt(turn, host, seen)
    if turn.looked_at(host) or host.host in turn.picture.scope.followed:
        servers.follow(turn, host)
    if not turn.looked_at(host):
        return host
    if detect.under_maintenance(seen):
        host = turn.hold(host, Reason.MAINTENANCE)
    elif host.reason in (Reason.MAINTENANCE, Reason.UNKNOWN_HOST):
        host = replace(host, reason=None)
    return _accounted(turn, host)


def _accounted(turn: Turn, host: HostRecovery) -> HostRecovery:
    mine = turn.servers_of(host)
    if any(not server.state.final for server in mine):
        return host
    lost = [
        s
        for s in mine
        if s.state is ServerState.FAILED
        or (s.state is ServerState.LEFT and not (s.reason and s.reason.intended))
    ]
    moved = sum(s.state is ServerState.RECOVERED for s in mine)
    words = f"{moved} recovered, {len(mine) - moved - len(lost)} not to be recovered"
    if not lost:
        turn.tell(EventKind.HOST_RECOVERED, host, reason=words)
        return turn.enter(host, HostState.RECOVERED)
    names = ", ".join(s.name for s in lost)
    turn.tell(EventKind.HOST_INCOMPLETE, host, reason=f"{words}, not: {names}")
    host = turn.enter(host, HostState.INCOMPLETE)
    return replace(host, next_try_at=turn.now + turn.options.idle_interval)


def recovered(turn: Turn, host: HostRecovery, answer: guard.Answer) -> HostRecovery:
    """All that was to be recovered is; the host may come back."""
    return _maybe_back(turn, host)


def incomplete(turn: Turn, host: HostRecovery, answer: guard.Answer) -> HostRecovery:
    """Some servers are not recovered. Others may move them, or order it again."""
    if turn.looked_at(host):
        host = replace(host, next_try_at=turn.now + turn.options.idle_interval)
        servers.follow(turn, host)
        if any(not server.state.final for server in turn.servers_of(host)):
            return turn.enter(host, HostState.EVACUATING)
        if all(
            s.state is ServerState.RECOVERED or (s.reason and s.reason.intended)
            for s in turn.servers_of(host)
        ):
            return _accounted(turn, host)
    return _maybe_back(turn, host)


def returning(turn: Turn, host: HostRecovery, answer: guard.Answer) -> HostRecovery:
    """It shows life: let Nova use it again, once its nova-compute has cleaned up.

    Nova refuses to lift a force-down before that. Only what the trigger did is
    undone.
    """
    seen = turn.seen(host)
    if seen is None:
        return _closed(turn, host, EventKind.HOST_CLEARED, Reason.UNKNOWN_HOST)
    if not turn.looked_at(host) or not _heard_of(host, seen):
        return host  # one write may be anybody's; the next one is a heartbeat
    done = sum(
        m.source == host.host and m.status == "done" for m in turn.picture.migrations
    )
    if done:
        return turn.hold(host, Reason.DONE_RECORDS, str(done))
    if turn.now < host.next_try_at:
        return host
    lift = seen.forced_down and host.forced_down_by_us
    enable = (
        seen.disabled
        and host.disabled_by_us
        and seen.disabled_reason.startswith(detect.OUR_MARK)
    )
    if seen.forced_down and not lift:
        return turn.hold(host, Reason.FORCED_DOWN)  # else it would be suspected again
    if not (lift or enable):
        return _closed(turn, host, EventKind.HOST_RETURNED)
    for wanted, effect in (lift, Effect.LIFT_FORCE_DOWN), (enable, Effect.ENABLE):
        outcome = turn.outcome(host.id, effect)
        if outcome and outcome.result is Result.REFUSED:
            host = turn.hold(host, Reason.REFUSED_BY_NOVA, outcome.detail)
        if outcome and outcome.result is not Result.OK:
            host = replace(host, next_try_at=turn.now + turn.options.retry_interval)
        elif wanted and not turn.pending(host.id, effect) and not outcome:
            turn.intend(effect, host.host, host.id)
    return host


FUNCTIONS: dict[HostState, Step] = {
    HostState.SUSPECTED: suspected,
    HostState.CONFIRMED: confirmed,
    HostState.FENCING: fencing,
    HostState.FENCED: fenced,
    HostState.EVACUATING: evacuating,
    HostState.RECOVERED: recovered,
    HostState.INCOMPLETE: incomplete,
    HostState.RETURNING: returning,
}


def _false_alarm(turn: Turn, host: HostRecovery) -> HostRecovery | None:
    """The host, closed, if it is none of our business after all."""
    seen = turn.seen(host)
    if seen is None:
        return _closed(turn, host, EventKind.HOST_CLEARED, Reason.UNKNOWN_HOST)
    if no := detect.hands_off(seen):
        return _closed(turn, host, EventKind.HOST_CLEARED, *no)
    if not detect.silent(seen, turn.now, turn.options):
        return _closed(turn, host, EventKind.HOST_CLEARED, Reason.ALIVE)
    return None


def _closed(
    turn: Turn,
    host: HostRecovery,
    kind: EventKind,
    reason: Reason | None = None,
    detail: str = "",
) -> HostRecovery:
    turn.tell(kind, host, reason=reason.sentence(detail) if reason else "")
    return replace(turn.enter(host, HostState.CLOSED), ended_at=turn.now)


def _confirmation(turn: Turn, host: HostRecovery) -> Evidence | None:
    """A person's word that this very host is off, if it still holds.

    A heartbeat after it makes it void. A write shortly after it may be the
    force-down that goes with it.
    """
    seen = turn.seen(host)
    for command in list(turn.commands.values()):
        if command.host != host.host or seen is None or not turn.looked_at(host):
            continue
        if seen.updated_at > command.at + turn.options.clock_skew:
            turn.answer(command, EventKind.COMMAND_REFUSED, Reason.VOID.sentence())
        else:
            turn.answer(command, EventKind.COMMAND_TAKEN, "the host is dead")
            return Evidence(Proof.CONFIRMATION, command.by, command.at, command.reason)
    return None


def _observed(outcome: Outcome) -> Evidence:
    return Evidence(Proof.POWER_OFF, outcome.by, outcome.at, outcome.detail)


def proven(turn: Turn, host: HostRecovery, evidence: Evidence) -> HostRecovery:
    """The host, known to be dead; the affected servers are told at once."""
    host = guard.admit(turn, turn.enter(host, HostState.FENCED))
    affected = tuple(s.uuid for s in turn.picture.servers_of(host.host))
    turn.tell(EventKind.HOST_FENCED, host, how=str(evidence), servers=affected)
    return replace(host, evidence=evidence, closed_at=None, quiet_since=None)


def _unfenced(turn: Turn, host: HostRecovery, outcome: Outcome) -> HostRecovery:
    if outcome.detail == RESTARTED:
        return replace(host, next_try_at=turn.now)
    host = replace(host, next_try_at=turn.now + turn.options.fence_interval)
    return turn.hold(host, Reason.UNFENCED, outcome.detail)


def _done(turn: Turn, host: HostRecovery, effect: Effect, shown: bool) -> bool:
    """Whether our effect has happened: Nova said so, or its answer was lost and the
    picture shows it; where neither is so, it is wanted."""
    if outcome := turn.outcome(host.id, effect):
        if outcome.result is Result.OK:
            return True
        if outcome.result is Result.UNKNOWN and shown:
            return True
    if not shown and not turn.pending(host.id, effect):
        text = f"{detect.OUR_MARK}evacuated, {host.evidence}"
        turn.intend(effect, host.host, host.id, text=text[:MAX_REASON])
    return False


def _doubt(turn: Turn, host: HostRecovery, seen: Host) -> HostRecovery:
    """Whether the proof still holds; nothing is asked of Nova while it is in doubt.

    A service record that is written after we closed the host is a heartbeat, or
    somebody else's hand. The device knows.
    """
    closed_at = host.closed_at or turn.now
    if host.quiet_since is None and turn.hosts_at > closed_at:
        latest = closed_at + turn.options.clock_skew  # our own writes, by its clock
        host = replace(host, quiet_since=min(seen.updated_at, latest))
    if host.evidence is None:
        return _checked(turn, host, seen)
    if not _heard_of(host, seen):
        return host
    host = turn.hold(host, Reason.PROOF_STALE, "its service record was written")
    turn.intend(Effect.CHECK_POWER, host.host, host.id)
    return replace(host, evidence=None, quiet_since=seen.updated_at)


def _heard_of(host: HostRecovery, seen: Host) -> bool:
    """Whether its service record was written since it should be quiet."""
    return host.quiet_since is not None and seen.updated_at > host.quiet_since


def look_again(turn: Turn, host: HostRecovery) -> bool:
    """Whether the power is to be observed again before Nova is asked; then it is.

    A server may have waited for hours, and somebody may have switched the host on.
    """
    evidence = host.evidence
    if evidence is None or evidence.proof is not Proof.POWER_OFF:
        return evidence is None
    if turn.now - evidence.at < turn.options.proof_age:
        return False
    turn.intend(Effect.CHECK_POWER, host.host, host.id)
    turn.put(replace(host, evidence=None))
    return True


def _checked(turn: Turn, host: HostRecovery, seen: Host) -> HostRecovery:
    """Off: go on. On, or heard of twice: it is back. Else: ask again."""
    outcome = turn.outcome(host.id, Effect.CHECK_POWER)
    evidence = _confirmation(turn, host)
    if outcome and outcome.result is Result.OK:
        evidence = _observed(outcome)
    if evidence:
        if host.reason is Reason.PROOF_STALE:
            turn.tell(EventKind.HOST_FENCED, host, how=str(evidence))
        return replace(
            host,
            evidence=evidence,
            reason=None,
            detail="",
            quiet_since=host.quiet_since and seen.updated_at,
        )
    on = outcome is not None and outcome.result is Result.REFUSED
    alive = on or (outcome is not None and _heard_of(host, seen))
    if alive:
        servers.give_up_waiting(turn, host)
    if outcome and outcome.detail != RESTARTED:
        reason = Reason.ALIVE if alive else Reason.PROOF_STALE
        host = turn.hold(host, reason, outcome.detail)
        host = replace(host, next_try_at=turn.now + turn.options.fence_interval)
    if turn.now >= host.next_try_at and not turn.pending(host.id, Effect.CHECK_POWER):
        turn.intend(Effect.CHECK_POWER, host.host, host.id)
    return host


def _maybe_back(turn: Turn, host: HostRecovery) -> HostRecovery:
    """Whether the service was heard of, or was given back by somebody."""
    seen = turn.seen(host)
    if seen is None:
        return _closed(turn, host, EventKind.HOST_CLEARED, Reason.UNKNOWN_HOST)
    if turn.hosts_at <= (host.closed_at or 0):
        return host
    if host.quiet_since is None:
        return replace(host, quiet_since=seen.updated_at)
    if seen.updated_at <= host.quiet_since:
        return host
    turn.tell(EventKind.HOST_RETURNING, host)
    host = turn.enter(host, HostState.RETURNING)
    return replace(host, quiet_since=seen.updated_at, next_try_at=turn.now)
