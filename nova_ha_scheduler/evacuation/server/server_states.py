# SPDX-License-Identifier: Apache-2.0
"""The recovery of a server: one function a state.

The truth about an evacuation is its migration record, not the server's status, and
not a clock: as long as the record is unfinished, Nova works on it.
"""

from collections.abc import Callable
from dataclasses import replace

from nova_ha_scheduler.cluster.picture import Migration
from nova_ha_scheduler.evacuation import stopping
from nova_ha_scheduler.evacuation.detection import suspicion, unreadable
from nova_ha_scheduler.evacuation.server import (
    attempts,
    discovery,
    interrupted,
    landing,
    old_requests,
    verdicts,
)
from nova_ha_scheduler.evacuation.server.verdicts import Facts, Verdict
from nova_ha_scheduler.evacuation.step import Step
from nova_ha_scheduler.planner import board, triage
from nova_ha_scheduler.reasons import Reason
from nova_ha_scheduler.records.effects import Effect
from nova_ha_scheduler.records.events import EventKind
from nova_ha_scheduler.records.host_recovery import HostRecovery
from nova_ha_scheduler.records.server_recovery import ServerRecovery, ServerState


def follow(step: Step, host: HostRecovery) -> None:
    """Take in the host's new servers, and bring each one's state up to date.

    A picture without the host's servers has its records, which is enough for those
    that are under way.
    """
    for server in step.picture.servers_of(host.host):
        if (host.id, server.uuid) not in step.servers:
            step.put(discovery.found(step, host, server))
    for record in step.servers_of(host):
        if step.looked_at(host) or record.state.under_way:
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
            kept = {"attempts": 0, "tried": (), "not_before": step.now}
            record = step.set(record.because(None), ServerState.WAITING, **kept)
            step.put(replace(record, moving_at=None, landed_at=None))
    return replace(host, planned=planned)


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
    if record.only and suspicion.proven_dead(step, record.only):
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
        if record.destination is not None
    ]


def wait(
    step: Step, record: ServerRecovery, reason: Reason, detail: str = ""
) -> ServerRecovery:
    """The server, which waits; it is told once for each reason."""
    new = record.because(reason, detail)
    if record.reason is reason:
        return step.set(new, ServerState.WAITING)
    return step.enter(new, ServerState.WAITING)


def _left(
    step: Step, record: ServerRecovery, reason: Reason, detail: str = ""
) -> ServerRecovery:
    """The server, which stays where it is."""
    return step.enter(record.because(reason, detail), ServerState.LEFT)


def ask(
    step: Step, record: ServerRecovery, destination: str | None, named: bool = True
) -> ServerRecovery:
    """Want its evacuation.

    :param destination: where there is room for it; it counts as taken from now on.
    :param named: whether Nova is asked for that host; else its scheduler chooses.
    """
    wanted = destination if named else None
    step.intend(Effect.EVACUATE, record.source, record, destination=wanted)
    return step.enter(
        record,
        ServerState.ASKED,
        "" if named else f"{destination} has room; the scheduler chooses",
        destination=destination,
        named=named,
        leftover=step.picture.first_accepted(record.server, record.source),
        attempts=record.attempts + 1,
        asked_at=step.now,
        not_before=step.now + step.options.settle,
    )


def under_way(step: Step, record: ServerRecovery) -> ServerRecovery:
    """Nova is asked for it, or has a record of it: the verdict table says what has
    become of it, and :data:`_VERDICTS` what is done then."""
    newest = _new_record(step, record)
    record = _answered(step, record)
    goes_on = newest is not None and not (newest.failed or newest.landed)
    if goes_on and newest and newest.destination:
        record = replace(record, destination=newest.destination)
    facts = Facts(step, record, newest)
    return _VERDICTS[verdicts.judge(facts).verdict](facts)


def _answered(step: Step, record: ServerRecovery) -> ServerRecovery:
    """The server, of whose request Nova has said yes, or nothing: then it is looked for
    in the records, and held for void only when it can no longer take effect."""
    asked = record.state is ServerState.ASKED
    outcome = step.outcome(record, Effect.EVACUATE) if asked else None
    if outcome is None or outcome.refused or outcome.withheld:
        return record
    if outcome.ok:
        record = replace(record, request_id=outcome.request_id)
    else:
        record = record.because(Reason.UNRESOLVED, outcome.detail)
        record = replace(record, answer_lost=outcome.lost)
    # It may still take effect, or does not show yet.
    return replace(record, not_before=step.now + step.options.settle)


def _withheld(facts: Facts) -> ServerRecovery:
    step, record = facts.step, facts.record
    record = replace(record, attempts=record.attempts - 1, not_before=step.now)
    return wait(step, record, Reason.WITHHELD)


def _adopt(step: Step, record: ServerRecovery) -> ServerRecovery:
    """Follow the newest record: ours, or that of somebody who was faster."""
    ours, newest = record.state is ServerState.ASKED, _new_record(step, record)
    # Until Nova's scheduler has chosen, a request that left the choice to it counts
    # where the planner has found room.
    chosen = newest.destination if newest else None
    expected = record.destination if ours or newest is None else None
    how = "" if ours else "asked by others"
    if newest and newest.id == record.leftover and not ours:
        how = "by an earlier request"
    record = step.enter(
        record,
        ServerState.MOVING,
        how,
        destination=chosen or expected,
        request_id=record.request_id if ours else None,
        moving_at=step.now,
    )
    return under_way(step, record)


def _past(facts: Facts) -> ServerRecovery:
    """The server, all of whose records are over."""
    step, record = facts.step, facts.record
    newest = step.picture.newest_record(record.server, record.source)
    baseline = max(record.baseline, newest.id if newest else 0)
    return replace(record, baseline=baseline)


def _failed(facts: Facts) -> ServerRecovery:
    step = facts.step
    if facts.answer:
        return _attempt_failed(step, facts.record, facts.answer.detail)
    return _attempt_failed(step, _past(facts), facts.why_failed or "")


def _failed_there(facts: Facts) -> ServerRecovery:
    """It is asked for there alone again: that host says so if it has it."""
    record = replace(_past(facts), only=facts.may_have_it)
    return _blameless(facts.step, record, facts.why_failed or "")


def _disturbed(facts: Facts) -> ServerRecovery:
    record = _past(facts)
    if facts.had_it:
        # That host alone can say whether it still has it.
        there = facts.newest.destination if facts.newest else None
        record = replace(record, only=there)
    record = record.because(Reason.DISTURBED, facts.had_it or facts.disturbed)
    return facts.step.enter(record, ServerState.FAILED)


def _never_got(facts: Facts) -> ServerRecovery:
    record = unreadable.read_again(facts.record)
    return attempts.never_got(facts.step, record, _attempt_failed)


def _was_reset(facts: Facts) -> ServerRecovery:
    """It is asked for again, where the lost request may still arrive, or is being
    worked on; that destination is not to blame if it may still get it."""
    step, record = facts.step, unreadable.read_again(_past(facts))
    ours = record.reason is Reason.STRANDED
    words = record.detail if ours else "somebody has reset its state"
    bound = facts.destination or record.only
    if bound and suspicion.proven_dead(step, bound):
        bound = None
    record = replace(record, only=bound)
    failed = _blameless if bound else _attempt_failed
    return replace(failed(step, record, words), not_before=step.now)


def _has_landed(facts: Facts) -> ServerRecovery:
    step, newest = facts.step, facts.newest
    record = step.enter(
        facts.record.because(None),
        ServerState.LANDED,
        destination=newest.destination if newest else None,
        landed_at=step.now,
        not_before=step.now,
    )
    return landed(step, record)


def _reset(facts: Facts) -> ServerRecovery:
    """Have its state reset; again only after a while: the picture may be older."""
    step, record, there = facts.step, facts.record, facts.destination or ""
    words = f"its destination {there} has never heard of it"
    if dead := suspicion.proven_dead(step, there):
        old_requests.expect(step, record, dead)
        words = f"its destination {there} died in the middle"
    if record.reason is not Reason.STRANDED:
        record = replace(record.because(Reason.STRANDED, words), not_before=step.now)
        step.tell(EventKind.SERVER_STRANDED, record, reason=record.sentence)
    if facts.idle or stopping.stops(step, step.hosts[record.recovery]):
        return record
    every = step.options.retry_interval
    return step.ensure(record, Effect.RESET_STATE, record.source, every)


def _slow(facts: Facts, reason: Reason, detail: str = "") -> ServerRecovery:
    """It is told once for each reason."""
    record = unreadable.read_again(facts.record)
    if record.reason is not reason:
        record = record.because(reason, detail)
        facts.step.tell(EventKind.SERVER_SLOW, record, reason=record.sentence)
    return record


def _follow(facts: Facts) -> ServerRecovery:
    record = unreadable.read_again(facts.record)
    down = record.reason is Reason.DESTINATION_DOWN
    return record.because(None) if down and facts.back else record


_VERDICTS: dict[Verdict, Callable[[Facts], ServerRecovery]] = {
    Verdict.FAILED: _failed,
    Verdict.FAILED_THERE: _failed_there,
    Verdict.NEVER_ASKED: _withheld,
    Verdict.NEVER_GOT: _never_got,
    Verdict.WAS_RESET: _was_reset,
    Verdict.DISTURBED: _disturbed,
    Verdict.ASK_WHY: lambda f: attempts.ask_why(f.step, f.record),
    Verdict.ADOPT: lambda f: _adopt(f.step, f.record),
    Verdict.LANDED: _has_landed,
    Verdict.GONE: lambda f: _gone(f.step, unreadable.read_again(f.record)),
    Verdict.RESET: _reset,
    Verdict.DOWN: lambda f: _slow(f, Reason.DESTINATION_DOWN, f.destination or ""),
    Verdict.SLOW: lambda f: _slow(f, Reason.SLOW),
    Verdict.UNREADABLE: lambda f: unreadable.followed(f.step, f.record, f.unreadable),
    Verdict.WAIT: lambda f: f.record,
    Verdict.FOLLOW: _follow,
}


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
    if record.state is ServerState.LANDED or not asked_for:
        return step.enter(record, ServerState.LEFT)
    kept = {"landed_at": step.now, "not_before": step.now}
    return step.set(record, ServerState.LANDED, **kept)


def _there(step: Step, record: ServerRecovery) -> ServerRecovery:
    """It is shown again."""
    if record.reason is not Reason.GONE:
        return record
    return replace(record.because(None), not_before=step.now)


def _blameless(step: Step, record: ServerRecovery, detail: str) -> ServerRecovery:
    """The attempt failed, and the next one has to go to the same destination."""
    return replace(_attempt_failed(step, record, detail), tried=record.tried)


def _attempt_failed(step: Step, record: ServerRecovery, detail: str) -> ServerRecovery:
    record = attempts.tried(record)
    if record.attempts >= step.options.attempts:
        return step.enter(record.because(Reason.ATTEMPTS, detail), ServerState.FAILED)
    record = replace(record, not_before=step.now + step.options.retry_interval)
    return wait(step, record, Reason.RETRY, detail)


def landed(step: Step, record: ServerRecovery) -> ServerRecovery:
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
        return step.enter(record.because(None), ServerState.RECOVERED, how)
    reason, detail, remedy = lacking
    if remedy:
        record = landing.put_right(step, record, remedy)
        detail = record.detail or detail
    if step.now - (record.landed_at or step.now) >= step.options.check_time:
        return step.enter(record.because(reason, detail), ServerState.FAILED)
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
    ServerState.ASKED: under_way,
    ServerState.MOVING: under_way,
    ServerState.LANDED: landed,
    ServerState.RECOVERED: ended,
    ServerState.FAILED: ended,
    ServerState.LEFT: ended,
}
