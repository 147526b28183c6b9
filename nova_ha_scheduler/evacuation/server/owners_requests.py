# SPDX-License-Identifier: Apache-2.0
"""What owners asked of a host that was dead already, and what becomes of it when it
returns: its nova-compute (nova.compute.manager of Nova 34) carries it out without a
look whose the server is by then.

A stop and a suspend find no guest: stop_instance then writes ``stopped``, and
suspend_instance ``error`` without a task state, wherever the server runs. Its
hypervisor tells: where it runs, it is shown as active again. What else may lie there
stands in the table of task_states.py.
"""

from dataclasses import replace

from nova_ha_scheduler.cluster.picture import Server
from nova_ha_scheduler.evacuation.server import old_requests, task_states
from nova_ha_scheduler.evacuation.step import Step
from nova_ha_scheduler.reasons import Reason
from nova_ha_scheduler.records.effects import Effect
from nova_ha_scheduler.records.events import EventKind
from nova_ha_scheduler.records.host_recovery import HostRecovery
from nova_ha_scheduler.records.old_request import OldRequest, QueuedRequest
from nova_ha_scheduler.records.server_recovery import ServerRecovery

_LEFT_AS = {QueuedRequest.STOP: "stopped", QueuedRequest.SUSPEND: "error"}
"""The vm_state of the server afterwards; it may have that for another reason."""


def expect(step: Step, record: ServerRecovery) -> None:
    """A server is asked for whose owner may have asked something of its dead host."""
    state = step.picture.servers[record.server].task_state
    what = task_states.of(state).queued if state else None
    if what:
        whose = record.recovery, record.server, record.name, record.source
        step.put(OldRequest(record.recovery, *whose, what=what))


def watch(step: Step, host: HostRecovery) -> None:
    """Put right what a host that is back does to servers."""
    for late in host.late:
        if late.is_owners and not late.over:
            step.put(_watched(step, host.host, late))


def _watched(step: Step, returned: str, late: OldRequest) -> OldRequest:
    if late.server not in step.picture.scope.landed:
        return late  # the next picture shows it
    late = replace(late, watched_at=late.watched_at or step.now)
    server = step.picture.servers.get(late.server)
    own = step.servers.get((late.asked_by, late.server))
    if server is None or server.host == late.source:
        return replace(late, over=True)
    taken_up = step.now - (late.watched_at or 0) >= step.options.settle
    state = server.vm_state, server.task_state
    if (own and own.state.under_way) or state != (_LEFT_AS[late.what], None):
        return replace(late, seen_at=None, over=taken_up)
    if not taken_up and late.what is QueuedRequest.STOP:
        return late  # it was left so by the recovery
    late = replace(late, seen_at=late.seen_at or step.now)
    if any(step.pauses_on(name) for name in (returned, server.host)):
        return replace(late, seen_at=step.now)
    return _put_right(step, returned, late, server)


def _put_right(
    step: Step, returned: str, late: OldRequest, server: Server
) -> OldRequest:
    """Show it as active where its hypervisor says that it runs."""
    words = f"{returned} has returned and took up its owner's {late.what.value}"
    looked, done = (step.outcome(late, e) for e in (Effect.LOOK, Effect.SET_ACTIVE))
    is_off = looked is not None and looked.refused
    if is_off and late.what is QueuedRequest.STOP:
        return replace(late, over=True)  # as it is said to be
    late_now = step.now - (late.seen_at or step.now) >= step.options.check_time
    if is_off or late_now or (done is not None and done.refused):
        reason = Reason.LATE_OWNERS_UNCLEAR.sentence(words)
        step.tell(EventKind.SERVER_CONFUSED, late, reason=reason)
        return replace(late, over=True)
    effect = Effect.SET_ACTIVE if looked and looked.ok else Effect.LOOK
    in_peace = old_requests.is_left_in_peace(step, server)
    if not (in_peace and old_requests.is_due(step, late, effect)):
        return late
    step.intend(effect, server.host, late)
    if effect is Effect.LOOK:
        return late
    if late.reset_at is None:
        reason = Reason.LATE_OWNERS.sentence(words)
        step.tell(EventKind.SERVER_RESET, late, reason=reason)
    return replace(late, reset_at=step.now)
