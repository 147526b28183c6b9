# SPDX-License-Identifier: Apache-2.0
"""Servers to which something was being done when their host died.

Nova evacuates no server that has a task state. Most of these are for others to end: a
conductor, another host, an owner who deletes. Those below its own nova-compute has set,
and alone would have ended; it is proven dead, so they would stay for ever. The trigger
has the server shown as active, which takes the task state away, and then asks for it:
it comes back as it was before.

Not those that nova-api sets for that host, as ``powering-on``: their request may still
lie in its queue, and nova.compute.manager of Nova 34 (start_instance) starts the server
before it looks whether it is there; (stop_instance) writes down that it is stopped,
wherever it runs. A host takes a request out of its queue before it works on it, so that
what it has set itself has no request any more.
"""

from dataclasses import replace

from nova_ha_scheduler.evacuation import stopping
from nova_ha_scheduler.evacuation.detection import suspicion
from nova_ha_scheduler.evacuation.server import transitions
from nova_ha_scheduler.evacuation.step import Step
from nova_ha_scheduler.reasons import Reason
from nova_ha_scheduler.records.effects import Effect
from nova_ha_scheduler.records.server_recovery import ServerRecovery

_SET_BY_ITS_HOST = frozenset(
    {
        "reboot_pending",
        "reboot_started",
        "reboot_pending_hard",
        "reboot_started_hard",
        "image_snapshot",
        "image_pending_upload",
        "image_uploading",
    }
)
"""From nova.compute.task_states."""


def for_ever(step: Step, record: ServerRecovery, state: str) -> bool:
    """Whether a task state is one that nobody will end."""
    dead = suspicion.proven_dead(step, record.source) is not None
    return dead and state in _SET_BY_ITS_HOST


def ended(step: Step, record: ServerRecovery, state: str) -> ServerRecovery:
    """The server, whose task state is taken away; again only after a while: the picture
    may be older. At first, what the host has said last may still be on its way."""
    if record.reason is not Reason.INTERRUPTED:
        record = transitions.wait(step, record, Reason.INTERRUPTED, state)
        return replace(record, not_before=step.now + step.options.settle)
    outcome = step.outcome(record, Effect.SET_ACTIVE)
    if outcome and outcome.refused:
        reason = Reason.REFUSED_BY_NOVA
        return transitions.left(step, record, reason, outcome.detail)
    if stopping.stops(step, step.hosts[record.recovery]):
        return record
    every = step.options.retry_interval
    return step.ensure(record, Effect.SET_ACTIVE, record.source, every)
