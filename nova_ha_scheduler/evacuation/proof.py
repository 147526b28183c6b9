# SPDX-License-Identifier: Apache-2.0
"""Whether a host is dead: how that is proven, doubted, and observed again."""

from dataclasses import replace

from nova_ha_scheduler.cluster.model import Host
from nova_ha_scheduler.evacuation import guard, records, servers
from nova_ha_scheduler.evacuation.evidence import Evidence, Proof
from nova_ha_scheduler.evacuation.options import Options
from nova_ha_scheduler.evacuation.orders import Command
from nova_ha_scheduler.evacuation.records import (
    Effect,
    HostRecovery,
    HostState,
    Intent,
    Reason,
)
from nova_ha_scheduler.evacuation.turn import RESTARTED, Turn

_HEARTBEATS = 2
"""So many writes of a service record that should be quiet are no person's."""


def proven(turn: Turn, host: HostRecovery, evidence: Evidence) -> HostRecovery:
    """The host, known to be dead; the affected servers are told at once."""
    affected = tuple(s.uuid for s in turn.picture.servers_of(host.host))
    host = turn.enter(host, HostState.FENCED, how=str(evidence), servers=affected)
    host = replace(guard.admit(turn, host), evidence=evidence, next_try_at=turn.now)
    return replace(host, closed_at=None, quiet_since=None, writes=0)


def confirmation(turn: Turn, host: HostRecovery) -> Evidence | None:
    """A person's word that this very host is off, if it still holds."""
    seen = turn.seen(host)
    for command in list(turn.commands.values()):
        if not command.kind.confirms or command.host != host.host:
            continue
        if seen is None or not turn.looked_at(host):
            continue
        if is_void(turn, command, seen):
            turn.refuse(command, Reason.VOID)
        else:
            turn.settle(command, "the host is dead")
            return Evidence.word_of(command)
    return None


def is_void(turn: Turn, command: Command, seen: Host) -> bool:
    """Whether the host was heard of after a person's word that it is off. A write
    shortly after that may be the force-down that goes with it, unless Nova says up."""
    doubt = 0.0 if seen.up else turn.options.clock_skew
    return seen.updated_at > command.at + doubt


def doubt(turn: Turn, host: HostRecovery, seen: Host) -> HostRecovery:
    """Whether the proof still holds; nothing is asked of Nova while it is in doubt.

    A service record that is written after we closed the host is a heartbeat, or
    somebody else's hand. The device knows.
    """
    closed_at = host.closed_at or turn.now
    if host.quiet_since is None and turn.is_newer(closed_at):
        latest = closed_at + turn.options.clock_skew  # our own writes, by its clock
        host = replace(host, quiet_since=min(seen.updated_at, latest))
    if host.evidence is None:
        return _checked(turn, host, seen)
    return _doubted(turn, host, seen) if heard_of(host, seen) else host


def heard_out(turn: Turn, host: HostRecovery) -> HostRecovery:
    """The host, whose witnesses are asked anew once its device has said that it is off:
    the power that was cut may be another host's. See is_heard_out()."""
    evidence = host.evidence
    if evidence is None or is_heard_out(turn, host):
        return host
    if word := confirmation(turn, host):
        return replace(host, evidence=word, reason=None, detail="")
    if outcome := turn.outcome(host, Effect.TESTIFY_AGAIN):
        if not outcome.refused and outcome.detail != RESTARTED:
            host = replace(host, witnessed_at=evidence.at, reason=None, detail="")
            return replace(host, next_try_at=turn.now)
        if outcome.refused:
            host = turn.hold(host, Reason.SEEN_ALIVE, outcome.detail)
        host = later(turn, host, outcome, turn.options.witness_interval)
    due = turn.now >= host.next_try_at
    if due and not turn.pending(host, Effect.TESTIFY_AGAIN):
        since = str(evidence.at)
        turn.intend(Effect.TESTIFY_AGAIN, host.host, host, text=since)
    return host


def is_heard_out(turn: Turn, host: HostRecovery) -> bool:
    """Whether no witness that can tell speaks against the proof. A person's word passes
    by them: who gave it has looked."""
    evidence = host.evidence
    by_device = evidence is not None and evidence.proof is Proof.POWER_OFF
    if evidence is None or not by_device or not turn.options.witnesses:
        return evidence is not None
    return host.witnessed_at == evidence.at


def _doubted(turn: Turn, host: HostRecovery, seen: Host) -> HostRecovery:
    host = turn.hold(host, Reason.PROOF_STALE, "its service record was written")
    turn.intend(Effect.CHECK_POWER, host.host, host)
    writes = host.writes + 1
    return replace(host, evidence=None, quiet_since=seen.updated_at, writes=writes)


def _contradicted(turn: Turn, host: HostRecovery, seen: Host) -> bool:
    """Whether heartbeats speak against the device: one write may be anybody's, more of
    them are nova-compute's, until there was none for long enough."""
    recent = turn.now - seen.updated_at < turn.options.down_time
    return host.writes >= _HEARTBEATS and recent


def doubt_before_closing(turn: Turn, host: HostRecovery, seen: Host) -> HostRecovery:
    """The same for a host that was fenced, and of which Nova was told nothing yet.

    It may have stood there for hours, paused, or without a trigger. ``closed_at`` is
    then since when it is watched.
    """
    if host.closed_at is None and host.evidence is not None:
        if host.evidence.at > turn.now + turn.options.clock_skew:
            return _doubted(turn, host, seen)  # the clock was set back: how old is it?
        latest = host.evidence.at + turn.options.clock_skew
        by_others = seen.forced_down or seen.disabled
        if by_others or seen.updated_at <= latest:
            return host
        return _doubted(turn, host, seen)
    return doubt(turn, host, seen)


def heard_of(host: HostRecovery, seen: Host) -> bool:
    """Whether its service record was written since it should be quiet."""
    return host.quiet_since is not None and seen.updated_at > host.quiet_since


def _checked(turn: Turn, host: HostRecovery, seen: Host) -> HostRecovery:
    """Off: go on. On, or heard of twice: it is back. Else: ask again."""
    outcome = turn.outcome(host, Effect.CHECK_POWER)
    word = confirmation(turn, host)
    off = Evidence.seen_in(outcome)
    if outcome and off and not word and _contradicted(turn, host, seen):
        host = _unknown(turn, host, outcome, Reason.CONTRADICTED)
    elif evidence := off or word:
        if host.reason is Reason.PROOF_STALE:
            turn.tell(records.EventKind.HOST_FENCED, host, how=str(evidence))
        quiet_since = host.quiet_since and seen.updated_at
        host = replace(host, evidence=evidence, quiet_since=quiet_since)
        return replace(host, reason=None, detail="", next_try_at=turn.now)
    elif outcome:
        alive = outcome.refused or heard_of(host, seen)
        if alive:
            servers.give_up_waiting(turn, host, Reason.HOST_RETURNED)
        reason = Reason.ALIVE if alive else Reason.PROOF_STALE
        host = _unknown(turn, host, outcome, reason)
    return ask_when_due(turn, host, Effect.CHECK_POWER)


def look_again(turn: Turn, host: HostRecovery) -> bool:
    """Whether the power is to be observed again before Nova is asked; then it is.

    A server may have waited for hours, and somebody may have switched the host on.
    """
    evidence = host.evidence
    if evidence is None or evidence.proof is not Proof.POWER_OFF:
        return evidence is None
    if abs(turn.now - evidence.at) < turn.options.proof_age:
        return False
    turn.intend(Effect.CHECK_POWER, host.host, host)
    turn.put(replace(host, evidence=None))
    return True


def is_outdated(
    host: HostRecovery | None, intent: Intent, now: float, options: Options
) -> bool:
    """Whether what was to be done to a dead host, or for its servers, has waited for so
    long that the host may live again, or is in doubt: it has to be decided anew."""
    if intent.effect not in (Effect.FENCE, Effect.EVACUATE):
        return False
    doubted = host is not None and host.evidence is None
    old = abs(now - intent.at) >= options.proof_age
    return old or (doubted and intent.effect is Effect.EVACUATE)


def unfenced(turn: Turn, host: HostRecovery, outcome: records.Outcome) -> HostRecovery:
    """The host, which could not be switched off."""
    seconds = turn.options.fence_interval
    return _held(turn, host, outcome, Reason.UNFENCED, seconds)


def _unknown(
    turn: Turn, host: HostRecovery, outcome: records.Outcome, reason: Reason
) -> HostRecovery:
    """The host, of which it cannot be said that it is still off."""
    return _held(turn, host, outcome, reason, turn.options.look_interval)


def _held(
    turn: Turn,
    host: HostRecovery,
    outcome: records.Outcome,
    reason: Reason,
    seconds: float,
) -> HostRecovery:
    if outcome.detail != RESTARTED:
        host = turn.hold(host, reason, outcome.detail)
    return later(turn, host, outcome, seconds)


def later(
    turn: Turn, host: HostRecovery, outcome: records.Outcome, seconds: float
) -> HostRecovery:
    """The host, to be tried again later; what a restart cut short, at once."""
    rest = 0 if outcome.detail == RESTARTED else seconds
    return replace(host, next_try_at=turn.now + rest)


def ask_when_due(turn: Turn, host: HostRecovery, effect: Effect) -> HostRecovery:
    if turn.now >= host.next_try_at and not turn.pending(host, effect):
        turn.intend(effect, host.host, host)
    return host
