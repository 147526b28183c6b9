# SPDX-License-Identifier: Apache-2.0
"""A server that Nova was asked for: what is done by each verdict of the table."""

from collections.abc import Callable
from dataclasses import replace

from nova_ha_scheduler.evacuation import stopping
from nova_ha_scheduler.evacuation.detection import suspicion, unreadable
from nova_ha_scheduler.evacuation.server import (
    attempts,
    landing,
    old_requests,
    transitions,
    verdicts,
)
from nova_ha_scheduler.evacuation.server.verdicts import Facts, Verdict
from nova_ha_scheduler.evacuation.step import Step
from nova_ha_scheduler.reasons import Reason
from nova_ha_scheduler.records.effects import Effect
from nova_ha_scheduler.records.events import EventKind
from nova_ha_scheduler.records.server_recovery import ServerRecovery, ServerState


def under_way(step: Step, record: ServerRecovery) -> ServerRecovery:
    """Nova is asked for it, or has a record of it: the verdict table says what has
    become of it, and :data:`_VERDICTS` what is done then."""
    newest = transitions.new_record(step, record)
    asked = record.state is ServerState.ASKED
    outcome = step.outcome(record, Effect.EVACUATE) if asked else None
    if outcome and not (outcome.refused or outcome.withheld):
        record = attempts.answered(step, record, outcome)
    goes_on = newest is not None and not (newest.failed or newest.landed)
    if goes_on and newest and newest.destination:
        record = replace(record, destination=newest.destination)
    facts = Facts(step, record, newest)
    return _VERDICTS[verdicts.judge(facts).verdict](facts)


def _withheld(facts: Facts) -> ServerRecovery:
    step, record = facts.step, facts.record
    record = replace(record, attempts=record.attempts - 1, not_before=step.now)
    return transitions.wait(step, record, Reason.WITHHELD)


def adopt(step: Step, record: ServerRecovery) -> ServerRecovery:
    """Follow the newest record: ours, or that of somebody who was faster."""
    ours = record.state is ServerState.ASKED
    newest = transitions.new_record(step, record)
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
        return transitions.attempt_failed(step, facts.record, facts.answer.detail)
    return transitions.attempt_failed(step, _past(facts), facts.why_failed or "")


def _failed_there(facts: Facts) -> ServerRecovery:
    """It is asked for there alone again: that host says so if it has it."""
    record = replace(_past(facts), only=facts.may_have_it)
    return transitions.blameless(facts.step, record, facts.why_failed or "")


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
    return attempts.never_got(facts.step, record, transitions.attempt_failed)


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
    failed = transitions.blameless if bound else transitions.attempt_failed
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
    return landing.landed(step, record)


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
    Verdict.ADOPT: lambda f: adopt(f.step, f.record),
    Verdict.LANDED: _has_landed,
    Verdict.GONE: lambda f: transitions.gone(f.step, unreadable.read_again(f.record)),
    Verdict.RESET: _reset,
    Verdict.DOWN: lambda f: _slow(f, Reason.DESTINATION_DOWN, f.destination or ""),
    Verdict.SLOW: lambda f: _slow(f, Reason.SLOW),
    Verdict.UNREADABLE: lambda f: unreadable.followed(f.step, f.record, f.unreadable),
    Verdict.WAIT: lambda f: f.record,
    Verdict.FOLLOW: _follow,
}
