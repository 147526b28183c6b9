# SPDX-License-Identifier: Apache-2.0
"""What evacuations and moves have in common: Nova is asked, perhaps in vain."""

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from nova_ha_scheduler.cluster.picture import Migration
from nova_ha_scheduler.evacuation.step import Step
from nova_ha_scheduler.reasons import Reason
from nova_ha_scheduler.records.effects import Effect, Outcome
from nova_ha_scheduler.records.move import Move
from nova_ha_scheduler.records.server_recovery import ServerRecovery

BUSY = (Reason.TASK_STATE, Reason.INTERRUPTED, Reason.CANNOT_BE_READ)
"""Why a server waits that has a task state, or of which that is not known."""

Asked = TypeVar("Asked", ServerRecovery, Move)


def tried(record: Asked) -> Asked:
    """The record, whose destination was one in vain."""
    found = {*record.tried, record.destination or ""} - {""}
    return replace(record, tried=tuple(sorted(found)))


def answered(step: Step, record: Asked, outcome: Outcome) -> Asked:
    """The record, of whose request Nova has said yes, or nothing: then the request is
    looked for in the migration records, and held for void only when it can no longer
    take effect."""
    if outcome.ok:
        record = replace(record, request_id=outcome.request_id)
    else:
        record = record.because(Reason.UNRESOLVED, outcome.detail)
        record = replace(record, answer_lost=outcome.lost)
    # It may still take effect, or does not show yet.
    return replace(record, not_before=step.now + step.options.settle)


def why(step: Step, record: Asked, failed: Migration) -> str | None:
    """What is to be said of an attempt whose record has failed; None: Nova, which says
    no more there, has to be asked for it first."""
    words = unexplained(failed)
    if record.request_id is None:
        return words
    if outcome := step.outcome(record, Effect.ASK_WHY):
        return f"{words}: {outcome.detail}" if outcome.ok and outcome.detail else words
    return None


def ask_why(step: Step, record: Asked) -> Asked:
    """The record, of whose failure Nova is asked to say more."""
    text = record.request_id or ""
    return step.ensure(record, Effect.ASK_WHY, record.source, text=text, at_once=True)


def unexplained(failed: Migration) -> str:
    """What is said of it where Nova does not say why: nobody may know, or not yet, for
    the record has failed before that is written down."""
    return f"migration record {failed.status}"


def never_got(
    step: Step, record: Asked, failed: Callable[[Step, Asked, str], Asked]
) -> Asked:
    """The record, of whose request Nova shows nothing; it is due again at once.

    :param failed: the end of an attempt.
    """
    before, killed = record.tried, record.answer_lost
    if killed:
        record = replace(record, attempts=record.attempts - 1)  # perhaps never sent
    record = failed(step, record, "Nova never got the request")
    if killed:
        record = replace(record, tried=before)  # the destination is not to blame
    return replace(record, not_before=step.now, answer_lost=False)


def busy(
    step: Step,
    record: Asked,
    reason: Reason,
    detail: str,
    wait: Callable[[Step, Asked, Reason, str], Asked],
    leave: Callable[[Step, Asked, Reason, str], Asked],
) -> Asked:
    """The record of a server that has a task state, so that Nova refuses to move it, or
    of which something cannot be read: that may still clear up, for a while."""
    if record.reason is not reason:
        record = wait(step, record, reason, detail)
        return replace(record, not_before=step.now + step.options.task_state_grace)
    if step.now >= record.not_before:
        return leave(step, record, reason, detail)
    return record


def idle(step: Step, record: Asked) -> Asked:
    """The same once it has none."""
    if record.reason in BUSY:
        return replace(record.because(None), not_before=step.now)
    return record
