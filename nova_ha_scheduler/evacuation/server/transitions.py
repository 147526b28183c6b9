# SPDX-License-Identifier: Apache-2.0
"""What the functions of a server's states share."""

from dataclasses import replace

from nova_ha_scheduler.cluster.picture import Migration, Picture
from nova_ha_scheduler.evacuation.server import attempts
from nova_ha_scheduler.evacuation.server.task_states import Done, TaskState
from nova_ha_scheduler.evacuation.step import Step
from nova_ha_scheduler.reasons import Reason
from nova_ha_scheduler.records.server_recovery import (
    ServerPhase,
    ServerRecovery,
    ServerState,
)


def new_record(picture: Picture, record: ServerRecovery) -> Migration | None:
    """The record that tells of its newest evacuation.

    After one that was lost on its way, that is the old one: Nova's conductor takes up
    the first that it finds accepted, and the new one stays so for ever. Two requests
    may share it then, and its last word is that of the one that landed, whatever it
    said before.
    """
    newest = picture.newest_record(record.server, record.source)
    older = picture.record(record.server, record.source, record.leftover)
    if older and older.landed:
        return older
    if newest is None or newest.id <= record.baseline:
        return None
    return older if older and older.status != "accepted" else newest


def wait(
    step: Step,
    record: ServerRecovery,
    reason: Reason,
    detail: str = "",
    phase: ServerPhase | None = None,
) -> ServerRecovery:
    """The server, which waits; it is told once for each reason."""
    new = record.because(reason, detail, phase)
    if record.reason is reason:
        return step.set(new, ServerState.WAITING)
    return step.enter(new, ServerState.WAITING)


def left(
    step: Step, record: ServerRecovery, reason: Reason, detail: str = ""
) -> ServerRecovery:
    """The server, which stays where it is."""
    phase = ServerPhase.AS_INTENDED if reason.intended else None
    return step.enter(record.because(reason, detail, phase), ServerState.LEFT)


def busy(step: Step, record: ServerRecovery, state: TaskState) -> ServerRecovery:
    """The server, which is not asked for now; see :func:`.attempts.busy`."""
    why = Reason.QUEUED if state.done is Done.QUEUES else Reason.TASK_STATE
    words, phase = f"{state.name}: {state.because}", ServerPhase.BUSY
    return attempts.busy(step, record, phase, why, words, wait, left)


def unreadable(step: Step, record: ServerRecovery, words: str) -> ServerRecovery:
    """The same for one of which something cannot be read."""
    phase, why = ServerPhase.UNREADABLE, Reason.CANNOT_BE_READ
    return attempts.busy(step, record, phase, why, words, wait, left)


def gone(step: Step, record: ServerRecovery) -> ServerRecovery:
    """It is not shown where it was: it has landed by the next looks, or was deleted.

    What was asked for is looked for then, wherever it is: Nova saves where a server is
    first. A conductor that dies then leaves the record without an end, for ever; and
    another request for the same server may fail the record thereafter.
    """
    if record.phase is not ServerPhase.MISSING:
        record = record.because(Reason.GONE, phase=ServerPhase.MISSING)
        return record.put_off(step.now + step.options.settle)
    if step.picture.taken_at < record.not_before:
        return record
    asked_for = record.state is ServerState.MOVING or record.asked_at is not None
    if record.state is ServerState.LANDED or not asked_for:
        return left(step, record, Reason.GONE)
    kept = {"landed_at": step.now, "not_before": step.now}
    return step.set(record, ServerState.LANDED, **kept)


def there(step: Step, record: ServerRecovery) -> ServerRecovery:
    """It is shown again."""
    if record.phase is not ServerPhase.MISSING:
        return record
    return record.because(None).put_off(step.now)


def attempt_failed(step: Step, record: ServerRecovery, detail: str) -> ServerRecovery:
    record = attempts.tried(record)
    if record.attempts >= step.options.attempts:
        return step.enter(record.because(Reason.ATTEMPTS, detail), ServerState.FAILED)
    record = replace(record, not_before=step.now + step.options.retry_interval)
    return wait(step, record, Reason.RETRY, detail)


def refused_by_all(step: Step, record: ServerRecovery) -> ServerRecovery:
    """Nova's scheduler takes no host for it, by name: that is an attempt. At the next
    one, all are asked for again."""
    words, attempts = ", ".join(record.refused), record.attempts + 1
    record = replace(record, attempts=attempts, destination=None)
    record = record.because(Reason.REFUSED_BY_ALL, words)
    if attempts >= step.options.attempts:
        return step.enter(record, ServerState.FAILED)
    later = step.now + step.options.retry_interval
    return step.enter(record, ServerState.WAITING, refused=(), not_before=later)


def blameless(step: Step, record: ServerRecovery, detail: str) -> ServerRecovery:
    """The attempt failed, and the next one has to go to the same destination."""
    return replace(attempt_failed(step, record, detail), tried=record.tried)
