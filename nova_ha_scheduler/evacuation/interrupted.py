# SPDX-License-Identifier: Apache-2.0
"""Servers to which something was being done when their host died.

Nova evacuates no server that has a task state. Most of these are for others to end: a
conductor, another host, an owner who deletes. Those below end with the nova-compute of
the server's own host alone (nova.compute.task_states and nova.compute.manager of Nova
34), and that is proven dead: they would stay for ever. So the trigger has the server
shown as active, which takes the task state away, and then asks for it.

What was asked for is not done: the server comes back as it was before. Where the
request still lies in the dead host's queue, that host, once it is back, finds a server
that is elsewhere, and whose task state is not the one that the request goes with.
"""

from collections.abc import Callable
from dataclasses import replace

from nova_ha_scheduler.evacuation import holds, stranded
from nova_ha_scheduler.evacuation.records import Effect, Reason, ServerRecovery
from nova_ha_scheduler.evacuation.turn import Turn

_ITS_HOSTS_OWN = frozenset(
    {
        "powering-off",
        "powering-on",
        "rebooting",
        "reboot_pending",
        "reboot_started",
        "rebooting_hard",
        "reboot_pending_hard",
        "reboot_started_hard",
        "pausing",
        "suspending",
        "image_snapshot",
        "image_snapshot_pending",
        "image_pending_upload",
        "image_uploading",
        "updating_password",
    }
)

Step = Callable[[Turn, ServerRecovery, Reason, str], ServerRecovery]


def for_ever(turn: Turn, record: ServerRecovery, state: str) -> bool:
    """Whether a task state is one that nobody will end."""
    return state in _ITS_HOSTS_OWN and stranded.is_dead(turn, record.source)


def ended(
    turn: Turn, record: ServerRecovery, state: str, wait: Step, leave: Step
) -> ServerRecovery:
    """The server, whose task state is taken away; again only after a while: the picture
    may be older. At first, what the host has said last may still be on its way."""
    if record.reason is not Reason.INTERRUPTED:
        record = wait(turn, record, Reason.INTERRUPTED, state)
        return replace(record, not_before=turn.now + turn.options.settle)
    outcome = turn.outcome(record, Effect.SET_ACTIVE)
    if outcome and outcome.refused:
        return leave(turn, record, Reason.REFUSED_BY_NOVA, outcome.detail)
    due = turn.now >= record.not_before and not turn.pending(record, Effect.SET_ACTIVE)
    if due and not holds.stops(turn, turn.hosts[record.recovery]):
        turn.intend(Effect.SET_ACTIVE, record.source, record)
        record = replace(record, not_before=turn.now + turn.options.retry_interval)
    return record
