# SPDX-License-Identifier: Apache-2.0
"""Nova is told that a host is dead: that its service is down, and is not to be used."""

from dataclasses import replace

from nova_ha_scheduler.evacuation.detection import suspicion
from nova_ha_scheduler.evacuation.step import Step
from nova_ha_scheduler.reasons import Reason
from nova_ha_scheduler.records.effects import Effect
from nova_ha_scheduler.records.host_recovery import HostPhase, HostRecovery

_EFFECTS = (Effect.FORCE_DOWN, Effect.DISABLE)

_INTERVAL = 5.0
"""Seconds between two attempts to tell Nova that a host is dead: its servers wait."""


def is_under_way(step: Step, host: HostRecovery) -> bool:
    """Whether Nova is being told; what was lost in a restart was not, or is shown."""
    told = (step.outcome(host, effect) for effect in _EFFECTS)
    return any(step.pending(host, effect) for effect in _EFFECTS) or any(
        not outcome.lost for outcome in told if outcome
    )


def done(step: Step, host: HostRecovery, effect: Effect, shown: bool) -> bool:
    """Whether our effect has happened: Nova said so; or the picture shows it, and the
    answer was lost, or is still to come."""
    outcome = step.outcome(host, effect)
    if outcome is None:
        return shown and step.pending(host, effect)
    return outcome.ok or (shown and not outcome.refused)


def ask(step: Step, host: HostRecovery, down: bool, disabled: bool) -> HostRecovery:
    """Want what is not done yet.

    Nova asks the nova-compute of a service that it is to disable, unless it holds it
    for down: a dead one of which it does not know keeps the request for a minute.
    """
    host = _answered(step, host)
    if down and disabled:
        return host
    again = "it has died again, enable it when it is mended; "
    words = f"{again if host.flaps else ''}evacuated, {host.evidence}"
    text = suspicion.disabled_reason(words)
    effect = Effect.DISABLE if down else Effect.FORCE_DOWN
    return step.ensure(host, effect, host.host, text=text)


def _answered(step: Step, host: HostRecovery) -> HostRecovery:
    """The host, with Nova's answer, if that was no or none: it is asked again at once,
    as the answer alone may be lost, and from then on after a while."""
    again = host.phase is HostPhase.NOT_DONE
    for effect in _EFFECTS:
        outcome = step.outcome(host, effect)
        if outcome is None or outcome.ok or outcome.lost:
            continue
        why = Reason.REFUSED_BY_NOVA if outcome.refused else Reason.NOVA_FAILED
        host = step.hold(host, why, outcome.detail, HostPhase.NOT_DONE)
        if again:
            host = replace(host, next_try_at=step.now + _INTERVAL)
    return host
