# SPDX-License-Identifier: Apache-2.0
"""A clock that is set while the trigger runs, or between two of its lives.

==========================  ======================================================
set while it runs           told; nobody is fenced until every host had the time to
                            be heard of; what was begun keeps its age: waits, the
                            guard's window and its cool-down
set while it did not run    nothing waits longer than it would have at most
times that people gave      stay: a pause or a maintenance ends at the time said, yet
                            none ends while the clocks contradict each other
==========================  ======================================================

See also :func:`.suspicion.sighted`, which compares this host's clock with Nova's.
"""

from dataclasses import replace
from typing import Any

from nova_ha_scheduler.evacuation.options import Options
from nova_ha_scheduler.evacuation.step import Step
from nova_ha_scheduler.reasons import Reason
from nova_ha_scheduler.records.events import EventKind
from nova_ha_scheduler.records.guard_record import GuardRecord
from nova_ha_scheduler.records.host_recovery import HostRecovery
from nova_ha_scheduler.records.maintenance_window import Window
from nova_ha_scheduler.records.move import Move
from nova_ha_scheduler.records.server_recovery import ServerRecovery

_AGES: dict[type[object], tuple[str, ...]] = {
    HostRecovery: ("next_try_at", "admitted_at", "closed_at"),
    ServerRecovery: ("not_before", "moving_at", "landed_at"),
    Window: ("next_try_at", "next_look_at"),
    Move: ("not_before", "moving_at", "arrived_at"),
    GuardRecord: ("tripped_until", "tripped_at", "sighted_at"),
}
"""What is compared with the present, and not with Nova's times or a person's."""

_WAITS = ("next_try_at", "next_look_at", "not_before")


def notice(step: Step) -> None:
    """See to it that a clock that was set changes nothing that was begun."""
    if step.jump:
        way = "forward" if step.jump > 0 else "back"
        words = f"{abs(step.jump):.0f} s {way}"
        step.guard = _shifted(step.guard, step.jump)
        step.guard = replace(step.guard, sighted_at=step.now)
        step.tell(
            EventKind.CLOCK_JUMPED,
            reason=Reason.CLOCK_JUMPED.sentence(words),
        )
    longest = _longest_wait(step.options)
    known: list[dict[Any, Any]] = [step.hosts, step.servers, step.windows, step.moves]
    for found in known:
        for record in list(found.values()):
            new = _shifted(record, step.jump) if step.jump else record
            new = _bounded(new, step.now + longest)
            if new is not record:
                step.put(new)
    until = step.guard.tripped_until
    latest = step.now + step.options.guard_cooldown
    if until is not None and until > latest:
        step.guard = replace(step.guard, tripped_until=latest)


def _shifted(record: Any, seconds: float) -> Any:
    names = _AGES[type(record)]
    found = {name: at for name in names if (at := getattr(record, name))}
    return replace(record, **{name: at + seconds for name, at in found.items()})


def _bounded(record: Any, latest: float) -> Any:
    names = [name for name in _WAITS if getattr(record, name, latest) > latest]
    return replace(record, **dict.fromkeys(names, latest)) if names else record


def _longest_wait(options: Options) -> float:
    """Seconds; none is ever wanted for longer."""
    return max(
        options.witness_interval,
        options.fence_interval,
        options.look_interval,
        options.idle_interval,
        options.retry_interval,
        options.settle,
        options.task_state_grace,
        60.0,
    )
