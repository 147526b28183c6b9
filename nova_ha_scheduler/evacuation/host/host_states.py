# SPDX-License-Identifier: Apache-2.0
"""The recovery of a host: one function a state.

Each takes the host as the journal knows it and returns it as it is to be now.
"""

from collections.abc import Callable
from dataclasses import replace

from nova_ha_scheduler.cluster.picture import Host
from nova_ha_scheduler.evacuation import stopping
from nova_ha_scheduler.evacuation.detection import guard, suspicion
from nova_ha_scheduler.evacuation.host import force_down, proof
from nova_ha_scheduler.evacuation.maintenance import failback
from nova_ha_scheduler.evacuation.server import (
    old_requests,
    owners_requests,
    server_states,
)
from nova_ha_scheduler.evacuation.step import Step
from nova_ha_scheduler.printable import first_of
from nova_ha_scheduler.reasons import Reason
from nova_ha_scheduler.records.effects import Effect
from nova_ha_scheduler.records.events import EventKind
from nova_ha_scheduler.records.evidence import Evidence
from nova_ha_scheduler.records.host_recovery import HostPhase, HostRecovery, HostState
from nova_ha_scheduler.records.server_recovery import ServerState
from nova_ha_scheduler.rules import vocabulary

_HEARTBEAT = 1 / 6
"""The time between two looks at a host that may be back, as a share of down_time: as
long as from one heartbeat to the next, by the default values of Nova and of ours."""

_NAMES = 5
"""How many servers are named at most."""

HostFunction = Callable[[Step, HostRecovery], HostRecovery]


def late(step: Step, host: HostRecovery) -> HostRecovery:
    """It has missed a heartbeat, and its fence device has said off: does the device
    still say so when a power cycle would be over, and does no witness see it alive?"""
    if done := _without_question(step, host):
        return done
    seen = step.seen(host)
    if seen is not None and suspicion.silent(seen, step.now, step.options):
        words = f"silent for {step.now - seen.updated_at:.0f} s"
        return step.enter(host.put_off(step.now), HostState.SUSPECTED, reason=words)
    heard_out = not step.options.witnesses or host.witnessed_at == host.off_at
    if outcome := step.outcome(host, Effect.TESTIFY_AGAIN):
        if not (outcome.refused or outcome.lost):
            heard_out = True
            host = replace(host.because(None), witnessed_at=host.off_at)
        if outcome.refused:
            why, phase = Reason.SEEN_ALIVE, HostPhase.ALIVE_TO_WITNESSES
            host = step.hold(host, why, outcome.detail, phase)
            host = proof.later(step, host, outcome, step.options.witness_interval)
    if outcome := step.outcome(host, Effect.CHECK_LATE):
        if outcome.refused or outcome.fed:
            return _cleared(step, host, Reason.ON_AGAIN, outcome.detail)
        if outcome.ok and heard_out:
            return step.enter(host, HostState.CONFIRMED, reason=outcome.detail)
        host = proof.later(step, host, outcome, step.options.off_time)
    if not heard_out:
        at_once = host.phase is None
        since = str(host.off_at)
        return step.ensure(
            host, Effect.TESTIFY_AGAIN, host.host, text=since, at_once=at_once
        )
    return step.ensure(host, Effect.CHECK_LATE, host.host)


def suspected(step: Step, host: HostRecovery) -> HostRecovery:
    """Its service is silent: do all witnesses agree that it is dead?"""
    if done := _without_question(step, host):
        return done
    if outcome := step.outcome(host, Effect.TESTIFY):
        if outcome.ok:
            return step.enter(host, HostState.CONFIRMED, reason=outcome.detail)
        if outcome.refused:
            why, phase = Reason.WITNESSES, HostPhase.ALIVE_TO_WITNESSES
            host = step.hold(host, why, outcome.detail, phase)
        host = proof.later(step, host, outcome, step.options.witness_interval)
    return step.ensure(host, Effect.TESTIFY, host.host)


def confirmed(step: Step, host: HostRecovery) -> HostRecovery:
    """All agree that it is dead: does the guard let it be fenced?"""
    if over := _false_alarm(step, host):
        return over
    if evidence := proof.confirmation(step, host):
        return proof.proven(step, host, evidence)
    if stopped := stopping.held(step, host):
        return stopped
    if lack := suspicion.lack(step, host):
        return step.hold(host, Reason.NO_METHOD, lack, HostPhase.NO_METHOD)
    if host.phase is HostPhase.NO_METHOD:
        host = host.because(None)
    if step.guard.tripped_until is not None:
        return step.hold(host, Reason.STORM, step.guard.reason)
    if not step.may_fence:
        return host
    host = step.enter(guard.admit(step, host), HostState.FENCING, next_try_at=step.now)
    step.intend(Effect.FENCE, host.host, host)
    return host


def fencing(step: Step, host: HostRecovery) -> HostRecovery:
    """It is being switched off; where that fails, somebody has to confirm.

    A second attempt begins with a look at the power: a result that was lost is not
    repeated blindly, and a host that is still on, or still fed, has to be suspected
    anew.
    """
    looked = step.outcome(host, Effect.CHECK_POWER)
    outcome = step.outcome(host, Effect.FENCE) or looked
    if outcome and outcome.withheld:
        return step.set(host, HostState.CONFIRMED)
    if evidence := Evidence.seen_in(outcome):
        return proof.proven(step, host, evidence)
    if looked and (looked.refused or looked.fed):
        seen = step.seen(host)
        if seen and not suspicion.silent(seen, step.now, step.options):
            return _cleared(step, host, Reason.ON_AGAIN, looked.detail)
        return step.set(host, HostState.SUSPECTED)
    if outcome:
        host = proof.unfenced(step, host, outcome)
    if step.pending(host, Effect.FENCE):
        return host
    if host.aborted:
        return _false_alarm(step, host) or stopping.aborted(step, host)
    if evidence := proof.confirmation(step, host):
        return proof.proven(step, host, evidence)
    if over := _false_alarm(step, host):
        return over
    return step.ensure(host, Effect.CHECK_POWER, host.host)


def fenced(step: Step, host: HostRecovery) -> HostRecovery:
    """It is off: Nova must know it, and must not use it when it comes back."""
    seen = step.seen(host)
    if seen is None:
        return _cleared(step, host, Reason.UNKNOWN_HOST)
    down, off = host.forced_down_by_us, host.disabled_by_us
    down = down or force_down.done(step, host, Effect.FORCE_DOWN, seen.forced_down)
    off = off or force_down.done(step, host, Effect.DISABLE, seen.disabled)
    host = replace(host, forced_down_by_us=down, disabled_by_us=off)
    if not (down or off or force_down.is_under_way(step, host)):
        host = proof.doubt_before_closing(step, host, seen)
        if host.phase is HostPhase.ALIVE:
            return step.set(host, HostState.SUSPECTED)
        if not host.surely_dead:
            return host
        if stopped := stopping.held(step, host):
            return replace(stopped, watched_at=host.watched_at or step.now)
        host = proof.heard_out(step, host)
        if not proof.is_heard_out(step, host):
            held = host.phase is HostPhase.ALIVE_TO_WITNESSES
            watched = host.watched_at or (step.now if held else None)
            return replace(host, watched_at=watched)
    if (down or seen.forced_down) and (off or seen.disabled):
        state, now = HostState.EVACUATING, step.now
        return step.enter(host, state, closed_at=now, quiet_since=None)
    host = force_down.ask(step, host, seen.forced_down or down, seen.disabled or off)
    return replace(host, watched_at=None, quiet_since=None)


def evacuating(step: Step, host: HostRecovery) -> HostRecovery:
    """Its servers move; it is done when each one is accounted for."""
    seen = step.seen(host)
    if seen is None:
        return step.hold(host, Reason.UNKNOWN_HOST, phase=HostPhase.UNKNOWN)
    host = proof.doubt(step, host, seen)
    if step.looked_at(host) or host.host in step.picture.scope.followed:
        host = server_states.follow(step, host)
    if not step.looked_at(host):
        return host
    if not suspicion.under_maintenance(seen):
        if host.phase in (HostPhase.MAINTENANCE, HostPhase.UNKNOWN):
            host = host.because(None)
    elif host.surely_dead:  # else the doubt holds it, and each would be told in turns
        host = step.hold(host, Reason.MAINTENANCE, phase=HostPhase.MAINTENANCE)
    host = _accounted(step, host)
    sure = host.surely_dead and host.phase is not HostPhase.MAINTENANCE
    waiting = stopping.waiting(step.servers_of(host))
    if host.state is HostState.EVACUATING and sure and (waiting or host.aborted):
        return stopping.held(step, host, stopping.servers(waiting)) or host
    return host


def _accounted(step: Step, host: HostRecovery) -> HostRecovery:
    mine = step.servers_of(host)
    if any(not server.state.final for server in mine):
        return host
    entered = host.closed_at or host.started_at
    early = step.picture.taken_at < entered + step.options.settle
    if not mine and early and entered <= step.now:  # else the clock was set back
        return host  # so that no answer that leaves a cell out makes it an empty one
    lost = [server.name for server in mine if not server.settled]
    moved = sum(server.state is ServerState.RECOVERED for server in mine)
    words = f"{moved} recovered, {len(mine) - moved - len(lost)} not to be recovered"
    if not lost:
        host = replace(host, aborted="")
        return step.enter(host, HostState.RECOVERED, reason=words)
    words += f", not: {', '.join(lost)}"
    host = step.enter(host, HostState.INCOMPLETE, reason=words)
    if host.aborted:
        host = host.because(Reason.ABORTED, host.aborted, HostPhase.ABORTED)
    return replace(host, next_try_at=step.now + step.options.idle_interval)


def recovered(step: Step, host: HostRecovery) -> HostRecovery:
    """All that was to be recovered is. The host comes back when its service is heard
    of, or is given back by somebody."""
    seen = step.seen(host)
    if seen is None:
        return _cleared(step, host, Reason.UNKNOWN_HOST)
    if not step.is_newer(host.closed_at or 0):
        return host
    if host.quiet_since is None:
        return replace(host, quiet_since=seen.updated_at)
    if not proof.heard_of(host, seen):
        return host
    host = replace(step.enter(host, HostState.RETURNING), aborted="")
    return replace(host, quiet_since=seen.updated_at, next_try_at=step.now)


def incomplete(step: Step, host: HostRecovery) -> HostRecovery:
    """Some servers are not recovered. Others may move them, or order it again."""
    if step.looked_at(host):
        host = replace(host, next_try_at=step.now + step.options.idle_interval)
        host = server_states.follow(step, host)
        if any(not server.state.final for server in step.servers_of(host)):
            return step.set(host, HostState.EVACUATING)
    return recovered(step, host)


def returning(step: Step, host: HostRecovery) -> HostRecovery:
    """It shows life: let Nova use it again, once its nova-compute has cleaned up.

    Nova refuses to lift a force-down before that. Only what the trigger did is
    undone.
    """
    seen = step.seen(host)
    if seen is None:
        return _cleared(step, host, Reason.UNKNOWN_HOST)
    if not step.looked_at(host):
        return host
    later = replace(host, next_try_at=step.now + _HEARTBEAT * step.options.down_time)
    silent = step.now - seen.updated_at >= step.options.down_time
    if not proof.heard_of(host, seen):
        # One write may be anybody's; the next one is a heartbeat.
        return _not_back(step, host, seen) if silent else later
    owners_requests.watch(step, host)
    host = old_requests.watch(step, host)
    later = replace(host, next_try_at=later.next_try_at)
    off = [m for m in step.picture.migrations if m.source == host.host]
    if done := sum(migration.status == "done" for migration in off):
        held = step.hold(later, Reason.DONE_RECORDS, str(done))
        return _not_back(step, held, seen) if silent else held
    if step.picture.hosts_seen_at <= host.next_try_at:
        return _answered(step, host)  # what was done does not show yet
    lift = seen.forced_down and host.forced_down_by_us
    enable = host.disabled_by_us and suspicion.disabled_by_us(seen)
    left: Reason | None = None
    if seen.forced_down and not lift:
        return step.hold(later, Reason.FORCED_DOWN)  # else it would be suspected again
    if enable and not step.options.return_enable:
        enable, left = False, Reason.LEFT_DISABLED
    if host.flaps:
        enable, left = False, Reason.FLAPS
    if enable and not lift and suspicion.under_maintenance(seen):
        return step.hold(later, Reason.MAINTENANCE, phase=HostPhase.MAINTENANCE)
    if not (lift or enable):
        if old_requests.is_watched(host):
            return later
        return _returned(step, host, left)
    enable = enable and _heeded(step, seen) and not suspicion.under_maintenance(seen)
    for wanted, effect in (lift, Effect.LIFT_FORCE_DOWN), (enable, Effect.ENABLE):
        told = step.outcome(host, effect) or step.pending(host, effect)
        if wanted and not told:
            if stopped := stopping.paused(step, host):
                return _answered(step, stopped)
            step.intend(effect, host.host, host)
    return _answered(step, host)


def _answered(step: Step, host: HostRecovery) -> HostRecovery:
    """The host, of which Nova may have done, or refused, what undoes ours."""
    for effect in Effect.LIFT_FORCE_DOWN, Effect.ENABLE:
        outcome = step.outcome(host, effect)
        if outcome and outcome.refused:
            why, phase = Reason.REFUSED_BY_NOVA, HostPhase.NOT_DONE
            host = step.hold(host, why, outcome.detail, phase)
        if outcome:
            pause = 0 if outcome.ok else step.options.retry_interval
            host = proof.later(step, host, outcome, pause)
    return host


def _heeded(step: Step, seen: Host) -> bool:
    """Whether to enable its service now: of one that is down, Nova does not tell
    Placement, which would offer the host to nobody until nova-compute does. One that
    has died again may be enabled: it is suspected then."""
    dead = not seen.forced_down and suspicion.silent(seen, step.now, step.options)
    return seen.up or dead


def _not_back(step: Step, host: HostRecovery, seen: Host) -> HostRecovery:
    """The host as it was before what looked like its return: a person may have its
    servers taken up again, and its next sign of life counts again."""
    settled = all(server.settled for server in step.servers_of(host))
    state = HostState.RECOVERED if settled else HostState.INCOMPLETE
    kind = EventKind(f"host.{state.value}")
    step.tell(kind, host, reason="it is not back: nothing more is heard of it")
    host = replace(host.because(None), state=state)
    next_try_at = step.now + step.options.idle_interval
    return replace(host, quiet_since=seen.updated_at, next_try_at=next_try_at)


def _returned(step: Step, host: HostRecovery, left: Reason | None) -> HostRecovery:
    """The end of it all, except for what is left to a person, and for going home."""
    said = filter(None, (left.sentence() if left else "", _still_off(step, host)))
    step.tell(EventKind.HOST_RETURNED, host, reason="; ".join(said))
    if not host.flaps:
        failback.begin(step, host)
    return _closed(step, host).because(left)


def _still_off(step: Step, host: HostRecovery) -> str:
    """Which servers ran, were not recovered, and are there: nobody starts them."""
    here = {server.uuid for server in step.picture.servers_of(host.host)}
    off = [
        record.name
        for record in step.servers_of(host)
        if record.server in here
        and record.was_running
        and record.state is not ServerState.RECOVERED
    ]
    if not off:
        return ""
    return (
        "not recovered, and off unless somebody has started them: "
        f"{first_of(sorted(off), _NAMES)}. openstack server reboot --hard starts each"
    )


FUNCTIONS: dict[HostState, HostFunction] = {
    HostState.LATE: late,
    HostState.SUSPECTED: suspected,
    HostState.CONFIRMED: confirmed,
    HostState.FENCING: fencing,
    HostState.FENCED: fenced,
    HostState.EVACUATING: evacuating,
    HostState.RECOVERED: recovered,
    HostState.INCOMPLETE: incomplete,
    HostState.RETURNING: returning,
}


def _without_question(step: Step, host: HostRecovery) -> HostRecovery | None:
    """The host, of which nothing has to be asked: it is none of our business after all,
    or a person has stopped its recovery, or knows that it is off."""
    if over := _false_alarm(step, host):
        return over
    if host.aborted:
        return stopping.aborted(step, host)
    evidence = proof.confirmation(step, host)
    return proof.proven(step, host, evidence) if evidence else None


def _false_alarm(step: Step, host: HostRecovery) -> HostRecovery | None:
    """The host, closed, if it is none of our business after all."""
    seen = step.seen(host)
    if seen is None:
        return _cleared(step, host, Reason.UNKNOWN_HOST)
    if no := suspicion.hands_off(seen, step.options):
        return _cleared(step, host, *no)
    if not suspicion.looks_dead(step, host):
        return _cleared(step, host, Reason.ALIVE)
    if vocabulary.HA not in seen.facts.flags:
        return _cleared(step, host, Reason.UNPROTECTED)
    return None


def _cleared(
    step: Step, host: HostRecovery, why: Reason, detail: str = ""
) -> HostRecovery:
    step.tell(EventKind.HOST_CLEARED, host, reason=why.sentence(detail))
    return _closed(step, host)


def _closed(step: Step, host: HostRecovery) -> HostRecovery:
    return replace(step.set(host, HostState.CLOSED), ended_at=step.now)
