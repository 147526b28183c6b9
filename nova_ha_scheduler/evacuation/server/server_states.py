# SPDX-License-Identifier: Apache-2.0
"""The recovery of a server: one function a state.

The truth about an evacuation is its migration record, not the server's status, and
not a clock: as long as the record is unfinished, Nova works on it.
"""

from collections.abc import Callable
from dataclasses import replace

from nova_ha_scheduler.cluster.picture import Migration
from nova_ha_scheduler.evacuation.detection import unreadable
from nova_ha_scheduler.evacuation.server import (
    attempts,
    discovery,
    interrupted,
    landing,
    old_requests,
    stranded,
)
from nova_ha_scheduler.evacuation.step import Step
from nova_ha_scheduler.planner import board, triage
from nova_ha_scheduler.reasons import Reason
from nova_ha_scheduler.records.effects import Effect
from nova_ha_scheduler.records.events import EventKind
from nova_ha_scheduler.records.host_recovery import HostRecovery
from nova_ha_scheduler.records.server_recovery import ServerRecovery, ServerState

_UNDER_WAY = (ServerState.ASKED, ServerState.MOVING)


def follow(step: Step, host: HostRecovery) -> None:
    """Take in the host's new servers, and bring each one's state up to date.

    A picture without the host's servers has its records, which is enough for those
    that are under way.
    """
    for server in step.picture.servers_of(host.host):
        if (host.id, server.uuid) not in step.servers:
            step.put(discovery.found(step, host, server))
    for record in step.servers_of(host):
        if step.looked_at(host) or record.state in _UNDER_WAY:
            step.put(FUNCTIONS[record.state](step, record))
    if host.aborted:
        give_up_waiting(step, host, Reason.ABORTED, host.aborted)


def give_up_waiting(
    step: Step, host: HostRecovery, reason: Reason, detail: str = ""
) -> None:
    """What waits for its evacuation stays there."""
    for record in step.servers_of(host):
        if record.state is ServerState.WAITING:
            step.put(_left(step, record, reason, detail))


def try_again(step: Step, host: HostRecovery) -> HostRecovery:
    """A person ordered it: what failed or was left is judged anew, and what was asked
    for in vain gets another place."""
    planned = dict(host.planned)
    for record in step.servers_of(host):
        if record.state in (ServerState.FAILED, ServerState.LEFT):
            if record.attempts:
                planned.pop(record.server, None)
            record = replace(record, attempts=0, tried=(), not_before=step.now)
            step.put(replace(_anew(record), state=ServerState.WAITING))
    return replace(host, planned=planned)


def _anew(record: ServerRecovery) -> ServerRecovery:
    """The server, of whose evacuation nothing is seen or said yet."""
    record = record.because(None)
    return replace(record, moving_at=None, landed_at=None, ended_at=None)


def _new_record(step: Step, record: ServerRecovery) -> Migration | None:
    """The record that tells of its newest evacuation.

    After one that was lost on its way, that is the old one: Nova's conductor takes up
    the first that it finds accepted, and the new one stays so for ever. Two requests
    may share it then, and its last word is that of the one that landed, whatever it
    said before.
    """
    newest = step.picture.newest_record(record.server, record.source)
    older = step.picture.record(record.leftover)
    if older and older.landed:
        return older
    if newest is None or newest.id <= record.baseline:
        return None
    return older if older and older.status != "accepted" else newest


def waiting(step: Step, record: ServerRecovery) -> ServerRecovery:
    """It is still on the dead host, and Nova was not asked, or not again."""
    if _new_record(step, record):
        return _adopt(step, record)
    server = step.picture.servers.get(record.server)
    if server is None or server.host != record.source:
        return _gone(step, record)
    record = _there(step, record)
    if words := unreadable.why(step, record):
        reason = Reason.CANNOT_BE_READ
        return attempts.busy(step, record, reason, words, wait, _left)
    if record.reason is Reason.CANNOT_BE_READ and not record.attempts:
        found = discovery.found(step, step.hosts[record.recovery], server)
        record = replace(found, seen_at=record.seen_at)
    if record.only and stranded.is_dead(step, record.only):
        record = replace(record, only=None)
    facts = step.picture.hosts[server.host].facts
    if why := triage.why_left(server, facts, step.options):
        return _left(step, record, *why)
    if server.task_state is None:
        return attempts.idle(step, record)
    if interrupted.for_ever(step, record, server.task_state):
        return interrupted.ended(step, record, server.task_state, wait, _left)
    state = server.task_state
    return attempts.busy(step, record, Reason.TASK_STATE, state, wait, _left)


def ready(step: Step, record: ServerRecovery) -> bool:
    """Whether Nova may be asked for it now; not for what has left the dead host."""
    due = record.state is ServerState.WAITING and record.not_before <= step.now
    shown = step.picture.servers.get(record.server)
    there = shown is not None and shown.host == record.source
    return due and there and record.reason not in attempts.BUSY


def claims(step: Step) -> list[board.Claim]:
    """The evacuations under way, with what Placement may not show yet of them."""
    under_way = (ServerState.ASKED, ServerState.MOVING)
    moving = (s for s in step.servers.values() if s.state in under_way)
    return [
        board.claim(
            record.destination,
            step.picture.servers.get(record.server),
            _new_record(step, record),
        )
        for record in moving
        if record.landed_at is None and record.destination is not None
    ]


def wait(
    step: Step, record: ServerRecovery, reason: Reason, detail: str = ""
) -> ServerRecovery:
    """The server, which waits; it is told once for each reason."""
    new = record.because(reason, detail)
    if record.reason is reason:
        return replace(new, state=ServerState.WAITING)
    return _enter(step, new, ServerState.WAITING)


def _left(
    step: Step, record: ServerRecovery, reason: Reason, detail: str = ""
) -> ServerRecovery:
    """The server, which stays where it is."""
    return _enter(step, record.because(reason, detail), ServerState.LEFT)


def _enter(
    step: Step, record: ServerRecovery, state: ServerState, how: str = ""
) -> ServerRecovery:
    """The server in another state, which is told with its reason."""
    record = replace(record, state=state, ended_at=step.now if state.final else None)
    kind = EventKind(f"server.{state.value}")
    step.tell(kind, record, how=how, reason=record.sentence)
    return record


def ask(
    step: Step, record: ServerRecovery, destination: str | None, named: bool = True
) -> ServerRecovery:
    """Want its evacuation.

    :param destination: where there is room for it; it counts as taken from now on.
    :param named: whether Nova is asked for that host; else its scheduler chooses.
    """
    wanted = destination if named else None
    step.intend(Effect.EVACUATE, record.source, record, destination=wanted)
    record = replace(
        _anew(record),
        destination=destination,
        named=named,
        leftover=step.picture.first_accepted(record.server, record.source),
        attempts=record.attempts + 1,
        request_id=None,
        asked_at=step.now,
        answer_lost=False,
        not_before=step.now + step.options.settle,
    )
    how = "" if named else f"{destination} has room; the scheduler chooses"
    return _enter(step, record, ServerState.ASKED, how)


def asked(step: Step, record: ServerRecovery) -> ServerRecovery:
    """Nova is being asked. A lost answer is looked for in the records, and only
    when it can no longer take effect is the request held for void."""
    if outcome := step.outcome(record, Effect.EVACUATE):
        if outcome.refused:
            return _attempt_failed(step, record, outcome.detail)
        if outcome.withheld:
            record = replace(record, attempts=record.attempts - 1, not_before=step.now)
            return wait(step, _anew(record), Reason.WITHHELD)
        if outcome.ok:
            record = replace(record, request_id=outcome.request_id)
        else:
            record = record.because(Reason.UNRESOLVED, outcome.detail)
            record = replace(record, answer_lost=outcome.lost)
        # It may still take effect, or does not show yet.
        record = replace(record, not_before=step.now + step.options.settle)
    if _new_record(step, record):
        return _adopt(step, record)
    under_way = step.pending(record, Effect.EVACUATE)
    shown = record.source in step.picture.scope.hosts
    if under_way or not shown or step.picture.taken_at < record.not_before:
        return record
    if words := unreadable.why(step, record):
        return unreadable.followed(step, record, words)
    record = unreadable.read_again(record)
    server = step.picture.servers.get(record.server)
    if server is not None and server.task_state is not None:
        return stranded.followed(step, record, None)
    if stranded.given_up(step, record, None):
        return _again(step, record, None)
    return attempts.never_got(step, record, _attempt_failed)


def _adopt(step: Step, record: ServerRecovery) -> ServerRecovery:
    """Follow the newest record: ours, or that of somebody who was faster."""
    ours, newest = record.state is ServerState.ASKED, _new_record(step, record)
    record = replace(
        _anew(record),
        destination=_heading(record, newest),
        request_id=record.request_id if ours else None,
        moving_at=step.now,
    )
    how = "" if ours else "asked by others"
    if newest and newest.id == record.leftover and not ours:
        how = "by an earlier request"
    return moving(step, _enter(step, record, ServerState.MOVING, how))


def _heading(record: ServerRecovery, newest: Migration | None) -> str | None:
    """Where it goes. Until Nova's scheduler has chosen, a request that left the choice
    to it counts where the planner has found room."""
    ours = record.state is ServerState.ASKED
    chosen = newest.destination if newest else None
    return chosen or (record.destination if ours or newest is None else None)


def moving(step: Step, record: ServerRecovery) -> ServerRecovery:
    """Nova has a record of its evacuation; after it ends, the server is checked."""
    if record.landed_at is not None:
        return _landed(step, record)
    newest = _new_record(step, record)
    if newest and newest.failed:
        said = attempts.why(step, record, newest)
        past = replace(record, baseline=stranded.baseline(step, record))
        if words := stranded.had_it(newest, said or ""):
            # That host alone can say whether it still has it.
            past = replace(past, only=newest.destination)
        if words := words or old_requests.disturbed(step, record, newest):
            lost = past.because(Reason.DISTURBED, words)
            return _enter(step, lost, ServerState.FAILED)
        if said is None:
            return record
        if there := stranded.may_have_it(step, newest, said):
            return _blameless(step, replace(past, only=there), said)
        return _attempt_failed(step, past, said)
    if newest is None or not newest.landed:
        if newest and newest.destination:
            record = replace(record, destination=newest.destination)
        if words := unreadable.why(step, record):
            return unreadable.followed(step, record, words)
        record = unreadable.read_again(record)
        if stranded.vanished(step, record):
            return _gone(step, record)
        if stranded.given_up(step, record, newest):
            return _again(step, record, newest)
        record = stranded.followed(step, record, newest)
        began = record.moving_at or step.now
        if record.reason is None and step.now - began >= step.options.slow_after:
            record = record.because(Reason.SLOW)
            step.tell(EventKind.SERVER_SLOW, record, reason=record.sentence)
        return record
    record = replace(record.because(None), destination=newest.destination)
    record = replace(record, landed_at=step.now, not_before=step.now)
    step.tell(EventKind.SERVER_LANDED, record)
    return _landed(step, record)


def _gone(step: Step, record: ServerRecovery) -> ServerRecovery:
    """It is not shown where it was: it has landed by the next looks, or was deleted.
    Nova's lists leave out a cell that does not answer for a moment, and say nothing.

    What was asked for is looked for then, wherever it is: Nova saves where a server is
    first. A conductor that dies then leaves the record without an end, for ever; and
    another request for the same server may fail the record thereafter.
    """
    if record.reason is not Reason.GONE:
        gone_at = step.now + step.options.settle
        return replace(record.because(Reason.GONE), not_before=gone_at)
    if step.picture.taken_at < record.not_before:
        return record
    asked_for = record.state is ServerState.MOVING or record.asked_at is not None
    if record.landed_at is not None or not asked_for:
        return _enter(step, record, ServerState.LEFT)
    record = replace(record, state=ServerState.MOVING)
    return replace(record, landed_at=step.now, not_before=step.now)


def _there(step: Step, record: ServerRecovery) -> ServerRecovery:
    """It is shown again."""
    if record.reason is not Reason.GONE:
        return record
    return replace(record.because(None), not_before=step.now)


def _again(
    step: Step, record: ServerRecovery, newest: Migration | None
) -> ServerRecovery:
    """Its state was reset; the destination is not to blame if it may still get it."""
    ours = record.reason is Reason.STRANDED
    words = record.detail if ours else "somebody has reset its state"
    record = stranded.retried(step, record, newest)
    failed = _blameless if record.only else _attempt_failed
    return replace(failed(step, record, words), not_before=step.now)


def _blameless(step: Step, record: ServerRecovery, detail: str) -> ServerRecovery:
    """The attempt failed, and the next one has to go to the same destination."""
    return replace(_attempt_failed(step, record, detail), tried=record.tried)


def _attempt_failed(step: Step, record: ServerRecovery, detail: str) -> ServerRecovery:
    record = attempts.tried(record)
    if record.attempts >= step.options.attempts:
        return _enter(step, record.because(Reason.ATTEMPTS, detail), ServerState.FAILED)
    record = replace(record, not_before=step.now + step.options.retry_interval)
    return wait(step, record, Reason.RETRY, detail)


def _landed(step: Step, record: ServerRecovery) -> ServerRecovery:
    """Is it all there, and does it run if it ran, and not if it did not?"""
    if record.server not in step.picture.scope.landed:
        return record  # the next picture shows it
    server = step.picture.servers.get(record.server)
    if server is None:
        return _gone(step, record)
    record = _there(step, record)
    newest = _new_record(step, record)
    elsewhere = server.host not in ("", record.source)
    if elsewhere and not (newest and newest.landed):
        record = replace(record, destination=server.host)  # no record says where
    looked = step.outcome(record, Effect.LOOK)
    lacking = landing.lacks(record, server, looked)
    if lacking is None:
        old_requests.landed(step, record)
        how = looked.detail if looked and looked.ok else ""
        return _enter(step, record.because(None), ServerState.RECOVERED, how)
    reason, detail, remedy = lacking
    if remedy:
        record = landing.put_right(step, record, remedy)
        detail = record.detail or detail
    if step.now - (record.landed_at or step.now) >= step.options.check_time:
        return _enter(step, record.because(reason, detail), ServerState.FAILED)
    return record


def ended(step: Step, record: ServerRecovery) -> ServerRecovery:
    """It is accounted for; what is not recovered, others may still move."""
    if record.settled or record.landed_at is not None:
        return record
    newest = _new_record(step, record)
    by_others = newest is not None and not newest.failed
    return _adopt(step, record) if by_others else record


FUNCTIONS: dict[ServerState, Callable[[Step, ServerRecovery], ServerRecovery]] = {
    ServerState.WAITING: waiting,
    ServerState.ASKED: asked,
    ServerState.MOVING: moving,
    ServerState.RECOVERED: ended,
    ServerState.FAILED: ended,
    ServerState.LEFT: ended,
}
