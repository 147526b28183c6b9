# SPDX-License-Identifier: Apache-2.0
"""Whether a server that has landed is as it was before, and what puts it right."""

from dataclasses import replace

from nova_ha_scheduler.cluster.picture import Server
from nova_ha_scheduler.evacuation.server import old_requests, transitions
from nova_ha_scheduler.evacuation.step import Step
from nova_ha_scheduler.planner import triage
from nova_ha_scheduler.reasons import Reason
from nova_ha_scheduler.records.effects import OFF_BY_ITSELF, RUN, Effect, Outcome
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
    if server.vm_state not in triage.EVACUABLE:
        return None  # since it has landed, somebody has paused it, or the like
    if record.was_running and server.vm_state != "active":
        words = f"it is {server.vm_state}"
        if server.vm_state != "error":
            return Reason.NOT_RUNNING, words, Effect.START
        # Nova's conductor died when all was done but the last word, say; or an older
        # request has failed since, and it runs: only its hypervisor knows.
        if looked is None or not (looked.ok or looked.refused):
            return Reason.NOT_RUNNING, words, Effect.LOOK
        remedy = Effect.SET_ACTIVE if looked.ok else Effect.REBOOT
        return Reason.NOT_RUNNING, words, remedy
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


def by_orders(
    step: Step, record: ServerRecovery, switched: bool
) -> ServerRecovery | None:
    """The record, which goes by what the server's users have ordered last; None: Nova
    is to be asked for that.

    How the dead host left it does not say it all: an evacuation that failed leaves a
    server that ran in error without power, one that others asked for may leave it
    stopped, and its owner may stop or start it as soon as it has landed.

    :param switched: whether it is to be started or stopped now.
    """
    outcome, asked = step.outcome(record, Effect.ASK_ORDERS), record.ordered_at
    if outcome and outcome.ok and outcome.detail:
        runs = outcome.detail == RUN
        if outcome.detail == OFF_BY_ITSELF:
            # Its dead host was switched on, say, and has written that it is off.
            runs = record.was_running
        return replace(record, ordered_at=step.now, was_running=runs)
    if asked is None:
        known = record.was_running and not switched
    else:
        known = not switched or step.now - asked < step.options.retry_interval
    given_up = step.now - (record.landed_at or step.now) >= step.options.check_time / 2
    return record if known or given_up else None


def _ask_orders(step: Step, record: ServerRecovery) -> ServerRecovery:
    outcome = step.outcome(record, Effect.ASK_ORDERS)
    if outcome:
        rest = 0 if outcome.lost else step.options.retry_interval
        record = record.put_off(step.now + rest)
    return step.ensure(record, Effect.ASK_ORDERS, record.destination or "")


def put_right(step: Step, record: ServerRecovery, effect: Effect) -> ServerRecovery:
    """Want what puts it right, again only after a while: the picture may be older than
    what was done last; what the hypervisor has just said is not."""
    outcome, looked = (step.outcome(record, e) for e in (effect, Effect.LOOK))
    if outcome and outcome.detail:
        record = replace(record, detail=outcome.detail)
        if outcome.lost:
            record = replace(record, not_before=step.now)
    place, every = record.destination or "", step.options.retry_interval
    sure = bool(looked and (looked.ok or looked.refused))
    return step.ensure(record, effect, place, every, at_once=sure)


def _rest(record: ServerRecovery, server: Server) -> str:
    """Why a server that is recovered does not run, in words."""
    if server.vm_state not in triage.EVACUABLE:
        return f"it is {server.vm_state}, as somebody has ordered since it landed"
    if record.was_running:
        return ""
    if record.ordered_at is None:
        return "it stays stopped: Nova does not say what its users have ordered"
    return "it stays stopped, as its users, or Nova by itself, have stopped it last"


def landed(step: Step, record: ServerRecovery) -> ServerRecovery:
    """Is it all there, and does it run if it ran, and not if it did not?"""
    if record.server not in step.picture.scope.landed:
        return record  # the next picture shows it
    server = step.picture.servers.get(record.server)
    if server is None:
        return transitions.gone(step, record)
    record = transitions.there(step, record)
    newest = transitions.new_record(step.picture, record)
    if newest and newest.failed and server.host == record.source:
        # That host came back in the middle, and had called the record completed.
        words = f"its host came back, and {newest.destination} may have it"
        return step.enter(record.because(Reason.DISTURBED, words), ServerState.FAILED)
    elsewhere = server.host not in ("", record.source)
    if elsewhere and not (newest and newest.landed):
        record = replace(record, destination=server.host)  # no record says where
    looked = step.outcome(record, Effect.LOOK)
    lacking = lacks(record, server, looked)
    switched = lacking is not None and lacking[2] in (Effect.START, Effect.STOP)
    ordered = by_orders(step, record, switched)
    if ordered is None:
        return _ask_orders(step, record)
    record, lacking = ordered, lacks(ordered, server, looked)
    if lacking is None:
        old_requests.landed(step, record)
        how = looked.detail if looked and looked.ok else _rest(record, server)
        return step.enter(record.because(None), ServerState.RECOVERED, how)
    reason, detail, remedy = lacking
    if remedy:
        record = put_right(step, record, remedy)
        detail = record.detail or detail
    if step.now - (record.landed_at or step.now) >= step.options.check_time:
        if server.host == record.source and newest and newest.is_source_back:
            return transitions.left(step, record, Reason.BACK_FIRST, server.host)
        return step.enter(record.because(reason, detail), ServerState.FAILED)
    return record
