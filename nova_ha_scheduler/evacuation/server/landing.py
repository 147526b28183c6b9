# SPDX-License-Identifier: Apache-2.0
"""Whether a server that has landed is as it was before, and what puts it right."""

from dataclasses import replace

from nova_ha_scheduler.cluster.picture import Server
from nova_ha_scheduler.evacuation.server import old_requests, transitions
from nova_ha_scheduler.evacuation.step import Step
from nova_ha_scheduler.reasons import Reason
from nova_ha_scheduler.records.effects import Effect, Outcome
from nova_ha_scheduler.records.server_recovery import ServerRecovery, ServerState

Lack = tuple[Reason, str, Effect | None]
"""What is not yet as it should be: the reason, its detail, and what puts it right."""


def lacks(
    record: ServerRecovery, server: Server, looked: Outcome | None
) -> Lack | None:
    """What is wrong with a server that has landed, if anything.

    :param looked: what its hypervisor has answered in this step.
    """
    if server.unreadable:
        return Reason.CANNOT_BE_READ, server.unreadable, None
    if server.host == record.source:
        return Reason.STILL_ON_SOURCE, server.host, None
    if server.missing:
        return Reason.NOT_ATTACHED, "; ".join(server.missing), None
    if server.task_state is not None:
        return Reason.NOT_RUNNING, f"its task state is {server.task_state}", None
    if record.was_running and server.vm_state != "active":
        # Nova's conductor died when all was done but the last word, say.
        broken = server.vm_state == "error"
        remedy = Effect.REBOOT if broken else Effect.START
        return Reason.NOT_RUNNING, f"it is {server.vm_state}", remedy
    if record.was_running and not server.running:
        return _without_power(looked)
    if not record.was_running and server.running:
        return Reason.NOT_STOPPED, "", Effect.STOP
    return None


def _without_power(looked: Outcome | None) -> Lack | None:
    """Nova shows it as active without power, and starts no such server.

    Its dead host was switched on when the server was about to leave, and has written
    that: then it runs, and Nova puts its record right in minutes ([DEFAULT]
    sync_power_state_interval). Or it went off since. Its hypervisor knows.
    """
    if looked and looked.ok:
        return None
    if looked and looked.refused:
        return Reason.NOT_RUNNING, looked.detail, Effect.REBOOT
    return Reason.PERHAPS_RUNNING, "", Effect.LOOK


def put_right(step: Step, record: ServerRecovery, effect: Effect) -> ServerRecovery:
    """Want what puts it right, again only after a while: the picture may be older than
    what was done last; what the hypervisor has just said is not."""
    outcome, looked = (step.outcome(record, e) for e in (effect, Effect.LOOK))
    if outcome and outcome.detail:
        record = replace(record, detail=outcome.detail)
        if outcome.lost:
            record = replace(record, not_before=step.now)
    place, every = record.destination or "", step.options.retry_interval
    sure = bool(looked and looked.refused)
    return step.ensure(record, effect, place, every, at_once=sure)


def landed(step: Step, record: ServerRecovery) -> ServerRecovery:
    """Is it all there, and does it run if it ran, and not if it did not?"""
    if record.server not in step.picture.scope.landed:
        return record  # the next picture shows it
    server = step.picture.servers.get(record.server)
    if server is None:
        return transitions.gone(step, record)
    record = transitions.there(step, record)
    newest = transitions.new_record(step, record)
    elsewhere = server.host not in ("", record.source)
    if elsewhere and not (newest and newest.landed):
        record = replace(record, destination=server.host)  # no record says where
    looked = step.outcome(record, Effect.LOOK)
    lacking = lacks(record, server, looked)
    if lacking is None:
        old_requests.landed(step, record)
        how = looked.detail if looked and looked.ok else ""
        return step.enter(record.because(None), ServerState.RECOVERED, how)
    reason, detail, remedy = lacking
    if remedy:
        record = put_right(step, record, remedy)
        detail = record.detail or detail
    if step.now - (record.landed_at or step.now) >= step.options.check_time:
        return step.enter(record.because(reason, detail), ServerState.FAILED)
    return record
