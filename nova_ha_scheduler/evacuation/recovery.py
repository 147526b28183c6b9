# SPDX-License-Identifier: Apache-2.0
"""The recovery of a host: one function a state.

Each takes the host as the journal knows it and returns it as it is to be now.
"""

from collections.abc import Callable
from dataclasses import replace

from nova_ha_scheduler.cluster.model import Host
from nova_ha_scheduler.evacuation import (
    closing,
    detect,
    failback,
    guard,
    holds,
    late,
    proof,
    records,
    servers,
)
from nova_ha_scheduler.evacuation.evidence import Evidence
from nova_ha_scheduler.evacuation.records import Effect, HostRecovery, HostState, Reason
from nova_ha_scheduler.evacuation.turn import Turn
from nova_ha_scheduler.rules import vocabulary

_HEARTBEAT = 1 / 6
"""The time between two looks at a host that may be back, as a share of down_time: as
long as from one heartbeat to the next, by the default values of Nova and of ours."""

Step = Callable[[Turn, HostRecovery], HostRecovery]


def suspected(turn: Turn, host: HostRecovery) -> HostRecovery:
    """Its service is silent: do all witnesses agree that it is dead?"""
    if over := _false_alarm(turn, host):
        return over
    if host.aborted:
        return turn.hold(host, Reason.ABORTED, host.aborted)
    if evidence := proof.confirmation(turn, host):
        return proof.proven(turn, host, evidence)
    if outcome := turn.outcome(host, Effect.TESTIFY):
        if outcome.ok:
            return turn.enter(host, HostState.CONFIRMED, reason=outcome.detail)
        if outcome.refused:
            host = turn.hold(host, Reason.WITNESSES, outcome.detail)
        host = proof.later(turn, host, outcome, turn.options.witness_interval)
    return proof.ask_when_due(turn, host, Effect.TESTIFY)


def confirmed(turn: Turn, host: HostRecovery) -> HostRecovery:
    """All agree that it is dead: does the guard let it be fenced?"""
    if over := _false_alarm(turn, host):
        return over
    if evidence := proof.confirmation(turn, host):
        return proof.proven(turn, host, evidence)
    if stopped := holds.held(turn, host, "fence it"):
        return stopped
    if lack := detect.lack(turn, host):
        return turn.hold(host, Reason.NO_METHOD, lack)
    if host.reason is Reason.NO_METHOD:
        host = host.because(None)
    if turn.guard.tripped_until is not None:
        return turn.hold(host, Reason.STORM, turn.guard.reason)
    if not turn.may_fence:
        return host
    host = guard.admit(turn, turn.enter(host, HostState.FENCING))
    turn.intend(Effect.FENCE, host.host, host)
    return replace(host, next_try_at=turn.now)


def fencing(turn: Turn, host: HostRecovery) -> HostRecovery:
    """It is being switched off; where that fails, somebody has to confirm.

    A second attempt begins with a look at the power: a result that was lost is not
    repeated blindly, and a host that is still on has to be suspected anew.
    """
    looked = turn.outcome(host, Effect.CHECK_POWER)
    outcome = turn.outcome(host, Effect.FENCE) or looked
    if outcome and outcome.withheld:
        return turn.set(host, HostState.CONFIRMED)
    if evidence := Evidence.seen_in(outcome):
        return proof.proven(turn, host, evidence)
    if looked and looked.refused:
        return turn.set(host, HostState.SUSPECTED)
    if outcome:
        host = proof.unfenced(turn, host, outcome)
    if turn.pending(host, Effect.FENCE):
        return host
    if host.aborted:
        return _false_alarm(turn, host) or turn.hold(host, Reason.ABORTED, host.aborted)
    if evidence := proof.confirmation(turn, host):
        return proof.proven(turn, host, evidence)
    if over := _false_alarm(turn, host):
        return over
    return proof.ask_when_due(turn, host, Effect.CHECK_POWER)


def fenced(turn: Turn, host: HostRecovery) -> HostRecovery:
    """It is off: Nova must know it, and must not use it when it comes back."""
    seen = turn.seen(host)
    if seen is None:
        return _cleared(turn, host, Reason.UNKNOWN_HOST)
    down, off = host.forced_down_by_us, host.disabled_by_us
    down = down or closing.done(turn, host, Effect.FORCE_DOWN, seen.forced_down)
    off = off or closing.done(turn, host, Effect.DISABLE, seen.disabled)
    host = replace(host, forced_down_by_us=down, disabled_by_us=off)
    if not (down or off or closing.is_under_way(turn, host)):
        host = proof.doubt_before_closing(turn, host, seen)
        if host.reason is Reason.ALIVE:
            return turn.set(host, HostState.SUSPECTED)
        if host.evidence is None:
            return host
        if stopped := holds.held(turn, host, "evacuate its servers"):
            return replace(stopped, closed_at=host.closed_at or turn.now)
        host = proof.heard_out(turn, host)
        if not proof.is_heard_out(turn, host):
            held = host.reason is Reason.SEEN_ALIVE
            watched = host.closed_at or (turn.now if held else None)
            return replace(host, closed_at=watched)
    if (down or seen.forced_down) and (off or seen.disabled):
        host = turn.enter(host, HostState.EVACUATING)
        return replace(host, closed_at=turn.now, quiet_since=None)
    host = closing.ask(turn, host, seen.forced_down or down, seen.disabled or off)
    return replace(host, closed_at=None, quiet_since=None)


def evacuating(turn: Turn, host: HostRecovery) -> HostRecovery:
    """Its servers move; it is done when each one is accounted for."""
    seen = turn.seen(host)
    if seen is None:
        return turn.hold(host, Reason.UNKNOWN_HOST)
    host = proof.doubt(turn, host, seen)
    if turn.looked_at(host) or host.host in turn.picture.scope.followed:
        servers.follow(turn, host)
    if not turn.looked_at(host):
        return host
    if detect.under_maintenance(seen):
        host = turn.hold(host, Reason.MAINTENANCE)
    elif host.reason in (Reason.MAINTENANCE, Reason.UNKNOWN_HOST):
        host = replace(host, reason=None)
    host = _accounted(turn, host)
    sure = host.evidence is not None and host.reason is not Reason.MAINTENANCE
    waiting = holds.waiting(turn.servers_of(host))
    if host.state is HostState.EVACUATING and sure and (waiting or host.aborted):
        return holds.held(turn, host, f"evacuate {holds.servers(waiting)}") or host
    return host


def _accounted(turn: Turn, host: HostRecovery) -> HostRecovery:
    mine = turn.servers_of(host)
    if any(not server.state.final for server in mine):
        return host
    entered = host.stages.get(HostState.EVACUATING.value, host.started_at)
    if not mine and turn.picture.taken_at < entered + turn.options.settle:
        return host  # so that no answer that leaves a cell out makes it an empty one
    lost = [server.name for server in mine if not server.settled]
    moved = sum(server.state is records.ServerState.RECOVERED for server in mine)
    words = f"{moved} recovered, {len(mine) - moved - len(lost)} not to be recovered"
    if not lost:
        host = replace(host, aborted="")
        return turn.enter(host, HostState.RECOVERED, reason=words)
    words += f", not: {', '.join(lost)}"
    host = turn.enter(host, HostState.INCOMPLETE, reason=words)
    if host.aborted:
        host = replace(host, reason=Reason.ABORTED, detail=host.aborted)
    return replace(host, next_try_at=turn.now + turn.options.idle_interval)


def recovered(turn: Turn, host: HostRecovery) -> HostRecovery:
    """All that was to be recovered is. The host comes back when its service is heard
    of, or is given back by somebody."""
    seen = turn.seen(host)
    if seen is None:
        return _cleared(turn, host, Reason.UNKNOWN_HOST)
    if not turn.is_newer(host.closed_at or 0):
        return host
    if host.quiet_since is None:
        return replace(host, quiet_since=seen.updated_at)
    if seen.updated_at <= host.quiet_since:
        return host
    host = replace(turn.enter(host, HostState.RETURNING), aborted="")
    return replace(host, quiet_since=seen.updated_at, next_try_at=turn.now)


def incomplete(turn: Turn, host: HostRecovery) -> HostRecovery:
    """Some servers are not recovered. Others may move them, or order it again."""
    if turn.looked_at(host):
        host = replace(host, next_try_at=turn.now + turn.options.idle_interval)
        servers.follow(turn, host)
        mine = turn.servers_of(host)
        if any(not server.state.final for server in mine):
            return turn.set(host, HostState.EVACUATING)
        if all(server.settled for server in mine):
            return _accounted(turn, host)
    return recovered(turn, host)


def returning(turn: Turn, host: HostRecovery) -> HostRecovery:
    """It shows life: let Nova use it again, once its nova-compute has cleaned up.

    Nova refuses to lift a force-down before that. Only what the trigger did is
    undone.
    """
    seen = turn.seen(host)
    if seen is None:
        return _cleared(turn, host, Reason.UNKNOWN_HOST)
    if not turn.looked_at(host):
        return host
    later = replace(host, next_try_at=turn.now + _HEARTBEAT * turn.options.down_time)
    silent = turn.now - seen.updated_at >= turn.options.down_time
    if not proof.heard_of(host, seen):
        # One write may be anybody's; the next one is a heartbeat.
        return _not_back(turn, host, seen) if silent else later
    host = late.watch(turn, host)
    later = replace(host, next_try_at=later.next_try_at)
    off = [m for m in turn.picture.migrations if m.source == host.host]
    if done := sum(migration.status == "done" for migration in off):
        held = turn.hold(later, Reason.DONE_RECORDS, str(done))
        return _not_back(turn, held, seen) if silent else held
    if turn.picture.hosts_seen_at <= host.next_try_at:
        return _answered(turn, host)  # what was done does not show yet
    lift = seen.forced_down and host.forced_down_by_us
    marked = seen.disabled_reason.startswith(detect.OUR_MARK)
    enable = seen.disabled and host.disabled_by_us and marked
    left: Reason | None = None
    if seen.forced_down and not lift:
        return turn.hold(later, Reason.FORCED_DOWN)  # else it would be suspected again
    if enable and not turn.options.return_enable:
        enable, left = False, Reason.LEFT_DISABLED
    if enable and not lift and detect.under_maintenance(seen):
        return turn.hold(later, Reason.MAINTENANCE)
    if not (lift or enable):
        if late.is_watched(host):
            return later
        return _returned(turn, host, left)
    enable = enable and _heeded(turn, seen) and not detect.under_maintenance(seen)
    for wanted, effect in (lift, Effect.LIFT_FORCE_DOWN), (enable, Effect.ENABLE):
        told = turn.outcome(host, effect) or turn.pending(host, effect)
        if wanted and not told:
            if stopped := holds.paused(turn, host, "let it in again"):
                return _answered(turn, stopped)
            turn.intend(effect, host.host, host)
    return _answered(turn, host)


def _answered(turn: Turn, host: HostRecovery) -> HostRecovery:
    """The host, of which Nova may have done, or refused, what undoes ours."""
    for effect in Effect.LIFT_FORCE_DOWN, Effect.ENABLE:
        outcome = turn.outcome(host, effect)
        if outcome and outcome.refused:
            host = turn.hold(host, Reason.REFUSED_BY_NOVA, outcome.detail)
        if outcome:
            pause = 0 if outcome.ok else turn.options.retry_interval
            host = proof.later(turn, host, outcome, pause)
    return host


def _heeded(turn: Turn, seen: Host) -> bool:
    """Whether to enable its service now: of one that is down, Nova does not tell
    Placement, which would offer the host to nobody until nova-compute does. One that
    has died again may be enabled: it is suspected then."""
    dead = not seen.forced_down and detect.silent(seen, turn.now, turn.options)
    return seen.up or dead


def _not_back(turn: Turn, host: HostRecovery, seen: Host) -> HostRecovery:
    """The host as it was before what looked like its return: a person may have its
    servers taken up again, and its next sign of life counts again."""
    settled = all(server.settled for server in turn.servers_of(host))
    state = HostState.RECOVERED if settled else HostState.INCOMPLETE
    kind = records.EventKind(f"host.{state.value}")
    turn.tell(kind, host, reason="it is not back: nothing more is heard of it")
    host = replace(host, state=state, reason=None, detail="")
    next_try_at = turn.now + turn.options.idle_interval
    return replace(host, quiet_since=seen.updated_at, next_try_at=next_try_at)


def _returned(turn: Turn, host: HostRecovery, left: Reason | None) -> HostRecovery:
    """The end of it all, except for what is left to a person, and for going home."""
    words = left.sentence() if left else ""
    turn.tell(records.EventKind.HOST_RETURNED, host, reason=words)
    failback.begin(turn, host)
    return replace(_closed(turn, host), reason=left)


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
        return _cleared(turn, host, Reason.UNKNOWN_HOST)
    if no := detect.hands_off(seen):
        return _cleared(turn, host, *no)
    if not detect.silent(seen, turn.now, turn.options):
        return _cleared(turn, host, Reason.ALIVE)
    if vocabulary.HA not in seen.facts.flags:
        return _cleared(turn, host, Reason.UNPROTECTED)
    return None


def _cleared(
    turn: Turn, host: HostRecovery, why: Reason, detail: str = ""
) -> HostRecovery:
    turn.tell(records.EventKind.HOST_CLEARED, host, reason=why.sentence(detail))
    return _closed(turn, host)


def _closed(turn: Turn, host: HostRecovery) -> HostRecovery:
    return replace(turn.set(host, HostState.CLOSED), ended_at=turn.now)
