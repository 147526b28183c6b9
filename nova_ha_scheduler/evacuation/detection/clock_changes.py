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

from nova_ha_scheduler.evacuation.options import Options
from nova_ha_scheduler.evacuation.step import Step
from nova_ha_scheduler.reasons import Reason
from nova_ha_scheduler.records import ages
from nova_ha_scheduler.records.events import EventKind
from nova_ha_scheduler.records.state import KINDS


def notice(step: Step) -> None:
    """See to it that a clock that was set changes nothing that was begun."""
    if step.jump:
        way = "forward" if step.jump > 0 else "back"
        words = f"{abs(step.jump):.0f} s {way}"
        step.guard = ages.shifted(step.guard, step.jump)
        step.guard = replace(step.guard, sighted_at=step.now)
        step.tell(
            EventKind.CLOCK_JUMPED,
            reason=Reason.CLOCK_JUMPED.sentence(words),
        )
    longest = _longest_wait(step.options)
    for kind in KINDS:
        for record in list(getattr(step, kind.name).values()):
            new = ages.shifted(record, step.jump) if step.jump else record
            new = ages.bounded(new, step.now + longest)
            if new is not record:
                step.put(new)
    until = step.guard.tripped_until
    latest = step.now + step.options.guard_cooldown
    if until is not None and until > latest:
        step.guard = replace(step.guard, tripped_until=latest)


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
        options.off_time,
        options.down_time,
        60.0,
    )
