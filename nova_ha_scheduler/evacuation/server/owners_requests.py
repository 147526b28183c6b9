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
    for old in host.old_requests:
        if old.is_owners and not old.over:
            step.put(_watched(step, host.host, old))


def _watched(step: Step, returned: str, old: OldRequest) -> OldRequest:
    if old.server not in step.picture.scope.landed:
        return old  # the next picture shows it
    old = replace(old, watched_at=old.watched_at or step.now)
    server = step.picture.servers.get(old.server)
    own = step.servers.get((old.asked_by, old.server))
    if server is None or server.host == old.source:
        return replace(old, over=True)
    taken_up = step.now - (old.watched_at or 0) >= step.options.settle
    state = server.vm_state, server.task_state
    if (own and own.state.under_way) or state != (_LEFT_AS[old.what], None):
        return replace(old, seen_at=None, over=taken_up)
    if not taken_up and old.what is QueuedRequest.STOP:
        return old  # it was left so by the recovery
    old = replace(old, seen_at=old.seen_at or step.now)
    if any(step.pauses_on(name) for name in (returned, server.host)):
        return replace(old, seen_at=step.now)
    return _put_right(step, returned, old, server)


def _put_right(
    step: Step, returned: str, old: OldRequest, server: Server
) -> OldRequest:
    """Show it as active where its hypervisor says that it runs."""
    words = f"{returned} has returned and took up its owner's {old.what.value}"
    looked, done = (step.outcome(old, e) for e in (Effect.LOOK, Effect.SET_ACTIVE))
    is_off = looked is not None and looked.refused
    if is_off and old.what is QueuedRequest.STOP:
        return replace(old, over=True)  # as it is said to be
    too_late = step.now - (old.seen_at or step.now) >= step.options.check_time
    if is_off or too_late or (done is not None and done.refused):
        reason = Reason.LATE_OWNERS_UNCLEAR.sentence(words)
        step.tell(EventKind.SERVER_CONFUSED, old, reason=reason)
        return replace(old, over=True)
    effect = Effect.SET_ACTIVE if looked and looked.ok else Effect.LOOK
    if looked and not looked.ok:  # the hypervisor may have much to do
        old = replace(old, look_at=step.now + step.options.retry_interval)
    in_peace = old_requests.is_left_in_peace(step, server)
    rested = effect is not Effect.LOOK or step.now >= old.look_at
    if not (in_peace and rested and old_requests.is_due(step, old, effect)):
        return old
    step.intend(effect, server.host, old)
    if effect is Effect.LOOK:
        return old
    if old.reset_at is None:
        reason = Reason.LATE_OWNERS.sentence(words)
        step.tell(EventKind.SERVER_RESET, old, reason=reason)
    return replace(old, reset_at=step.now)
