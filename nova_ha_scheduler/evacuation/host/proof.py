# SPDX-License-Identifier: Apache-2.0
"""Whether a host is dead: how that is proven, doubted, and observed again."""

from dataclasses import replace

from nova_ha_scheduler.cluster.picture import Host
from nova_ha_scheduler.evacuation.detection import guard
from nova_ha_scheduler.evacuation.interfaces import NO_DEVICE
from nova_ha_scheduler.evacuation.options import Options
from nova_ha_scheduler.evacuation.server import server_states
from nova_ha_scheduler.evacuation.step import Step
from nova_ha_scheduler.reasons import Reason
from nova_ha_scheduler.records.commands import Command
from nova_ha_scheduler.records.effects import Effect, Intent, Outcome
from nova_ha_scheduler.records.events import EventKind
from nova_ha_scheduler.records.evidence import Evidence, Proof
from nova_ha_scheduler.records.host_recovery import HostPhase, HostRecovery, HostState

_HEARTBEATS = 2
"""So many writes of a service record that should be quiet are no person's."""


def proven(step: Step, host: HostRecovery, evidence: Evidence) -> HostRecovery:
    """The host, known to be dead; the affected servers are told at once."""
    affected = tuple(s.uuid for s in step.picture.servers_of(host.host))
    host = guard.admit(step, host)
    return step.enter(
        host,
        HostState.FENCED,
        str(evidence),
        servers=affected,
        evidence=evidence,
        flaps=host.flaps or _died_before(step, host),
        next_try_at=step.now,
    )


def _died_before(step: Step, host: HostRecovery) -> bool:
    """Whether an earlier death of it was so short a time ago that it is to be out of
    use until somebody has seen why."""
    since = step.now - step.options.return_flapping_within
    return any(
        other.host == host.host
        and other.id != host.id
        and other.has_been(HostState.FENCED)
        and (other.admitted_at or 0.0) > since
        for other in step.hosts.values()
    )


def confirmation(step: Step, host: HostRecovery) -> Evidence | None:
    """A person's word that this very host is off, if it still holds."""
    seen = step.seen(host)
    for command in list(step.commands.values()):
        if not command.kind.confirms or command.host != host.host:
            continue
        if seen is None or not step.looked_at(host):
            continue
        if is_void(step, command, seen):
            step.refuse(command, Reason.VOID)
        else:
            step.settle(command, "the host is dead")
            return Evidence.word_of(command)
    return None


def is_void(step: Step, command: Command, seen: Host) -> bool:
    """Whether the host was heard of after a person's word that it is off. A write
    shortly after that may be the force-down that goes with it, unless Nova says up."""
    doubt = 0.0 if seen.up else step.options.clock_skew
    return seen.updated_at > command.at + doubt


def doubt(step: Step, host: HostRecovery, seen: Host) -> HostRecovery:
    """Whether the proof still holds; nothing is asked of Nova while it is in doubt.

    A service record that is written after we closed the host is a heartbeat, or
    somebody else's hand. The device knows.
    """
    since = host.closed_at or host.watched_at or step.now
    if host.quiet_since is None and step.is_newer(since):
        latest = since + step.options.clock_skew  # our own writes, by its clock
        host = replace(host, quiet_since=min(seen.updated_at, latest))
    if not host.surely_dead:
        return _checked(step, host, seen)
    return _doubted(step, host, seen) if heard_of(host, seen) else host


def heard_out(step: Step, host: HostRecovery) -> HostRecovery:
    """The host, whose witnesses are asked anew once its device has said that it is off:
    the power that was cut may be another host's. See is_heard_out()."""
    evidence = host.evidence
    if evidence is None or is_heard_out(step, host):
        return host
    if word := confirmation(step, host):
        return replace(host.because(None), evidence=word)
    if outcome := step.outcome(host, Effect.TESTIFY_AGAIN):
        if not (outcome.refused or outcome.lost):
            host = replace(host.because(None), witnessed_at=evidence.at)
            return host.put_off(step.now)
        if outcome.refused:
            why, phase = Reason.SEEN_ALIVE, HostPhase.ALIVE_TO_WITNESSES
            host = step.hold(host, why, outcome.detail, phase)
        host = later(step, host, outcome, step.options.witness_interval)
    since = str(evidence.at)
    return step.ensure(host, Effect.TESTIFY_AGAIN, host.host, text=since)


def is_heard_out(step: Step, host: HostRecovery) -> bool:
    """Whether no witness that can tell speaks against the proof. A person's word passes
    by them: who gave it has looked."""
    evidence = host.evidence
    by_device = evidence is not None and evidence.proof is Proof.POWER_OFF
    if evidence is None or not by_device or not step.options.witnesses:
        return evidence is not None
    return host.witnessed_at == evidence.at


def _doubted(step: Step, host: HostRecovery, seen: Host) -> HostRecovery:
    words = "its service record was written"
    host = step.hold(host, Reason.PROOF_STALE, words, HostPhase.DOUBTED)
    step.intend(Effect.CHECK_POWER, host.host, host)
    writes = host.writes + 1
    return replace(host, evidence=None, quiet_since=seen.updated_at, writes=writes)


def _contradicted(step: Step, host: HostRecovery, seen: Host) -> bool:
    """Whether heartbeats speak against the device: one write may be anybody's, more of
    them are nova-compute's, until there was none for long enough."""
    recent = step.now - seen.updated_at < step.options.down_time
    return host.writes >= _HEARTBEATS and recent


def doubt_before_closing(step: Step, host: HostRecovery, seen: Host) -> HostRecovery:
    """The same for a host that was fenced, and of which Nova was told nothing yet.

    It may have stood there for hours, paused, or without a trigger.
    """
    if host.watched_at is None and host.evidence is not None:
        if host.evidence.at > step.now + step.options.clock_skew:
            return _doubted(step, host, seen)  # the clock was set back: how old is it?
        latest = host.evidence.at + step.options.clock_skew
        by_others = seen.forced_down or seen.disabled
        if by_others or seen.updated_at <= latest:
            return host
        return _doubted(step, host, seen)
    return doubt(step, host, seen)


def heard_of(host: HostRecovery, seen: Host) -> bool:
    """Whether its service record was written since it should be quiet.

    An earlier time is a write, too: Nova's clock was set back.
    """
    return host.quiet_since is not None and seen.updated_at != host.quiet_since


def is_quiet(host: HostRecovery, seen: Host) -> bool:
    """Whether it is proven to be dead, and nobody but us has written its record."""
    return host.surely_dead and host.state.traits.proven and not heard_of(host, seen)


def _checked(step: Step, host: HostRecovery, seen: Host) -> HostRecovery:
    """Off: go on. On, or heard of twice: it is back. Else: ask again."""
    outcome = step.outcome(host, Effect.CHECK_POWER)
    word = confirmation(step, host)
    off = Evidence.seen_in(outcome)
    if outcome and off and not word and _contradicted(step, host, seen):
        host = _unknown(step, host, outcome, Reason.CONTRADICTED)
    elif evidence := off or word:
        if host.phase is HostPhase.DOUBTED:
            step.tell(EventKind.HOST_FENCED, host, how=str(evidence))
        quiet_since = host.quiet_since and seen.updated_at
        host = replace(host, evidence=evidence, quiet_since=quiet_since)
        return host.because(None).put_off(step.now)
    elif outcome:
        alive = outcome.refused or heard_of(host, seen)
        if alive:
            server_states.host_is_back(step, host)
            host = replace(host, queues_emptied=False)
            why = Reason.SWITCHED_ON
            host = _unknown(step, host, outcome, why, HostPhase.ALIVE)
        else:
            why = Reason.PROOF_STALE
            host = _unknown(step, host, outcome, why, HostPhase.DOUBTED)
    return step.ensure(host, Effect.CHECK_POWER, host.host)


def look_again(step: Step, host: HostRecovery) -> bool:
    """Whether the power is to be observed again before Nova is asked; then it is.

    A server may have waited for hours, and somebody may have switched the host on.
    """
    evidence = host.evidence
    if evidence is None or evidence.proof is not Proof.POWER_OFF:
        return evidence is None
    if abs(step.now - evidence.at) < step.options.proof_age:
        return False
    step.intend(Effect.CHECK_POWER, host.host, host)
    step.put(replace(host, evidence=None))
    return True


def is_outdated(
    host: HostRecovery | None, intent: Intent, now: float, options: Options
) -> bool:
    """Whether what was to be done to a dead host, or for its servers, has waited for so
    long that the host may live again, or is in doubt: it has to be decided anew."""
    if intent.effect not in (Effect.FENCE, Effect.EVACUATE):
        return False
    doubted = host is not None and not host.surely_dead
    old = abs(now - intent.at) >= options.proof_age
    return old or (doubted and intent.effect is Effect.EVACUATE)


def unfenced(step: Step, host: HostRecovery, outcome: Outcome) -> HostRecovery:
    """The host, which could not be switched off."""
    seconds = step.options.fence_interval
    reason = Reason.BY_HAND if outcome.by == NO_DEVICE else Reason.UNFENCED
    return _held(step, host, outcome, reason, seconds)


def _unknown(
    step: Step,
    host: HostRecovery,
    outcome: Outcome,
    reason: Reason,
    phase: HostPhase = HostPhase.HELD,
) -> HostRecovery:
    """The host, of which it cannot be said that it is still off."""
    return _held(step, host, outcome, reason, step.options.look_interval, phase)


def _held(
    step: Step,
    host: HostRecovery,
    outcome: Outcome,
    reason: Reason,
    seconds: float,
    phase: HostPhase = HostPhase.HELD,
) -> HostRecovery:
    if not outcome.lost:
        host = step.hold(host, reason, outcome.detail, phase)
    return later(step, host, outcome, seconds)


def later(
    step: Step, host: HostRecovery, outcome: Outcome, seconds: float
) -> HostRecovery:
    """The host, to be tried again later; what a restart cut short, at once."""
    rest = 0 if outcome.lost else seconds
    return replace(host, next_try_at=step.now + rest)
