# SPDX-License-Identifier: Apache-2.0
"""Nova is told that a host is dead: that its service is down, and is not to be used."""

from dataclasses import replace

from nova_ha_scheduler.evacuation.detection import suspicion
from nova_ha_scheduler.evacuation.step import Step
from nova_ha_scheduler.reasons import Reason
from nova_ha_scheduler.records.effects import Effect
from nova_ha_scheduler.records.host_recovery import HostRecovery

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
    """Want what is not done yet."""
    host = _answered(step, host)
    for effect, done in (Effect.FORCE_DOWN, down), (Effect.DISABLE, disabled):
        if not done:
            text = suspicion.disabled_reason(f"evacuated, {host.evidence}")
            host = step.ensure(host, effect, host.host, text=text)
    return host


def _answered(step: Step, host: HostRecovery) -> HostRecovery:
    """The host, with Nova's answer, if that was no or none: it is asked again at once,
    as the answer alone may be lost, and from then on after a while."""
    again = host.reason in (Reason.REFUSED_BY_NOVA, Reason.NOVA_FAILED)
    for effect in _EFFECTS:
        outcome = step.outcome(host, effect)
        if outcome is None or outcome.ok or outcome.lost:
            continue
        why = Reason.REFUSED_BY_NOVA if outcome.refused else Reason.NOVA_FAILED
        host = step.hold(host, why, outcome.detail)
        if again:
            host = replace(host, next_try_at=step.now + _INTERVAL)
    return host
