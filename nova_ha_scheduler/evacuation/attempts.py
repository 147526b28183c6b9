# SPDX-License-Identifier: Apache-2.0
"""What evacuations and moves have in common: Nova is asked, perhaps in vain."""

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from nova_ha_scheduler.cluster.model import Migration
from nova_ha_scheduler.evacuation.records import Effect, Reason, ServerRecovery
from nova_ha_scheduler.evacuation.turn import RESTARTED, Turn
from nova_ha_scheduler.evacuation.upkeep import Move

BUSY = (Reason.TASK_STATE, Reason.INTERRUPTED, Reason.CANNOT_BE_READ)
"""Why a server waits that has a task state, or of which that is not known."""

Asked = TypeVar("Asked", ServerRecovery, Move)


def tried(record: Asked) -> Asked:
    """The record, whose destination was one in vain."""
    found = {*record.tried, record.destination or ""} - {""}
    return replace(record, tried=tuple(sorted(found)))


def why(turn: Turn, record: Asked, failed: Migration) -> str | None:
    """What is to be said of an attempt whose record has failed; None: Nova, which says
    no more there, is asked for it first."""
    words = unexplained(failed)
    if record.request_id is None:
        return words
    if outcome := turn.outcome(record, Effect.ASK_WHY):
        return f"{words}: {outcome.detail}" if outcome.ok and outcome.detail else words
    if not turn.pending(record, Effect.ASK_WHY):
        turn.intend(Effect.ASK_WHY, record.source, record, text=record.request_id)
    return None


def unexplained(failed: Migration) -> str:
    """What is said of it where Nova does not say why: nobody may know, or not yet, for
    the record has failed before that is written down."""
    return f"migration record {failed.status}"


def never_got(
    turn: Turn, record: Asked, failed: Callable[[Turn, Asked, str], Asked]
) -> Asked:
    """The record, of whose request Nova shows nothing; it is due again at once.

    :param failed: the end of an attempt.
    """
    before, killed = record.tried, record.detail == RESTARTED
    if killed:
        record = replace(record, attempts=record.attempts - 1)  # perhaps never sent
    record = failed(turn, record, "Nova never got the request")
    if killed:
        record = replace(record, tried=before)  # the destination is not to blame
    return replace(record, not_before=turn.now)


def busy(
    turn: Turn,
    record: Asked,
    reason: Reason,
    detail: str,
    wait: Callable[[Turn, Asked, Reason, str], Asked],
    leave: Callable[[Turn, Asked, Reason, str], Asked],
) -> Asked:
    """The record of a server that has a task state, so that Nova refuses to move it, or
    of which something cannot be read: that may still clear up, for a while."""
    if record.reason is not reason:
        record = wait(turn, record, reason, detail)
        return replace(record, not_before=turn.now + turn.options.task_state_grace)
    if turn.now >= record.not_before:
        return leave(turn, record, reason, detail)
    return record


def idle(turn: Turn, record: Asked) -> Asked:
    """The same once it has none."""
    if record.reason in BUSY:
        return replace(record.because(None), not_before=turn.now)
    return record
