# SPDX-License-Identifier: Apache-2.0
"""A server that Nova was asked for: what is done by each verdict of the table."""

from collections.abc import Callable
from dataclasses import replace

from nova_ha_scheduler.evacuation import stopping
from nova_ha_scheduler.evacuation.detection import suspicion, unreadable
from nova_ha_scheduler.evacuation.server import (
    attempts,
    failures,
    landing,
    old_requests,
    transitions,
    verdicts,
)
from nova_ha_scheduler.evacuation.server.facts import Facts
from nova_ha_scheduler.evacuation.server.verdicts import Verdict
from nova_ha_scheduler.evacuation.step import Step
from nova_ha_scheduler.reasons import Reason
from nova_ha_scheduler.records.effects import Effect
from nova_ha_scheduler.records.events import EventKind
from nova_ha_scheduler.records.server_recovery import (
    ServerPhase,
    ServerRecovery,
    ServerState,
)


def under_way(step: Step, record: ServerRecovery) -> ServerRecovery:
    """Nova is asked for it, or has a record of it: the verdict table says what has
    become of it, and :data:`_VERDICTS` what is done then."""
    newest = transitions.new_record(step.picture, record)
    asked = record.state is ServerState.ASKED
    outcome = step.outcome(record, Effect.EVACUATE) if asked else None
    if outcome and not (outcome.refused or outcome.withheld):
        record = attempts.answered(step, record, outcome)
    if not asked:
        record = attempts.named_late(step, record)
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
    newest = transitions.new_record(step.picture, record)
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
        queues_emptied=False,
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
    if facts.answer and failures.is_for_ever(facts.answer.detail):
        reason, words = Reason.REFUSED_BY_NOVA, facts.answer.detail
        return transitions.left(step, facts.record, reason, words)
    if facts.answer:
        return transitions.attempt_failed(step, facts.record, facts.answer.detail)
    why = failures.with_remedy(facts.why_failed or "")
    return transitions.attempt_failed(step, _past(facts), why)


def _refused_there(facts: Facts) -> ServerRecovery:
    """That costs no attempt: nobody has tried."""
    step, there = facts.step, facts.refused_there or ""
    record = _past(facts)
    refused = tuple(sorted({*record.refused, there}))
    left = max(0, record.attempts - 1)
    record = replace(record, refused=refused, attempts=left, not_before=step.now)
    why = f"{there} for it ({facts.why_failed})"
    record = record.because(Reason.REFUSED_THERE, why)
    return step.enter(record, ServerState.WAITING)


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
    ours = record.phase is ServerPhase.STRANDED
    words = record.detail if ours else "somebody has reset its state"
    if not ours:
        old_requests.expect(step, record, None)
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
    dead = suspicion.proven_dead(step, there)
    old_requests.expect(step, record, dead)
    if dead:
        words = f"its destination {there} died in the middle"
    elif facts.given_up:
        words = f"Nova has given it up ({facts.given_up})"
        record = record.put_off(step.now)
    if record.phase is not ServerPhase.STRANDED:
        record = record.because(Reason.STRANDED, words, ServerPhase.STRANDED)
        record = record.put_off(step.now)
        step.tell(EventKind.SERVER_STRANDED, record, reason=record.sentence)
    if facts.idle or stopping.stops(step, step.hosts[record.recovery]):
        return record
    every = step.options.retry_interval
    return step.ensure(record, Effect.RESET_STATE, record.source, every)


def _ask_whether(facts: Facts) -> ServerRecovery:
    """And again after a while: a destination may have much to do before it begins."""
    step, record = facts.step, facts.record
    every, text = step.options.retry_interval, record.request_id or ""
    return step.ensure(record, Effect.ASK_WHY, record.source, every, text)


def _slow(
    facts: Facts, phase: ServerPhase, reason: Reason, detail: str = ""
) -> ServerRecovery:
    """It is told once for each phase."""
    record = unreadable.read_again(facts.record)
    if record.phase is not phase:
        record = record.because(reason, detail, phase)
        facts.step.tell(EventKind.SERVER_SLOW, record, reason=record.sentence)
    return record


def _follow(facts: Facts) -> ServerRecovery:
    record = unreadable.read_again(facts.record)
    down = record.phase is ServerPhase.DESTINATION_DOWN
    return record.because(None) if down and facts.back else record


_VERDICTS: dict[Verdict, Callable[[Facts], ServerRecovery]] = {
    Verdict.FAILED: _failed,
    Verdict.REFUSED_THERE: _refused_there,
    Verdict.FAILED_THERE: _failed_there,
    Verdict.NEVER_ASKED: _withheld,
    Verdict.NEVER_GOT: _never_got,
    Verdict.WAS_RESET: _was_reset,
    Verdict.DISTURBED: _disturbed,
    Verdict.ASK_WHY: lambda f: attempts.ask_why(f.step, f.record),
    Verdict.ASK_WHETHER: _ask_whether,
    Verdict.ADOPT: lambda f: adopt(f.step, f.record),
    Verdict.LANDED: _has_landed,
    Verdict.GONE: lambda f: transitions.gone(f.step, unreadable.read_again(f.record)),
    Verdict.RESET: _reset,
    Verdict.DOWN: lambda f: _slow(
        f,
        ServerPhase.DESTINATION_DOWN,
        Reason.DESTINATION_DOWN,
        f.destination or "",
    ),
    Verdict.SLOW: lambda f: _slow(f, ServerPhase.SLOW, Reason.SLOW),
    Verdict.UNREADABLE: lambda f: unreadable.followed(f.step, f.record, f.unreadable),
    Verdict.WAIT: lambda f: f.record,
    Verdict.FOLLOW: _follow,
}
