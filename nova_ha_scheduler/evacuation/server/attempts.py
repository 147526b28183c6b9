# SPDX-License-Identifier: Apache-2.0
"""What evacuations and moves have in common: Nova is asked, perhaps in vain."""

import enum
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

from nova_ha_scheduler.cluster.picture import Migration
from nova_ha_scheduler.evacuation.server import failures
from nova_ha_scheduler.evacuation.step import Step
from nova_ha_scheduler.reasons import Reason
from nova_ha_scheduler.records.effects import Effect, Outcome
from nova_ha_scheduler.records.move import Move
from nova_ha_scheduler.records.server_recovery import ServerRecovery

Asked = TypeVar("Asked", ServerRecovery, Move)


def is_stalled(
    step: Step, record: Asked, newest: Migration | None, after: float
) -> bool:
    """Whether Nova has shown no change of it for so long that it is not waited for: it
    is followed on, but others are asked for in its place.

    :param newest: its migration record, if there is one yet.
    :param after: seconds.
    """
    server = step.picture.servers.get(record.server)
    changes = [record.asked_at, record.moving_at]
    changes += [newest.changed_at] if newest else []
    changes += [server.changed_at] if server else []
    return step.now - max((at for at in changes if at), default=step.now) >= after


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
    no more there, has to be asked for it first, or again."""
    words = unexplained(failed)
    if record.request_id is None:
        return None if _is_unanswered(step, record) else words
    outcome = step.outcome(record, Effect.ASK_WHY)
    if outcome is None:
        return None
    if outcome.ok and outcome.detail:
        return f"{words}: {outcome.detail}"
    evacuated = isinstance(record, ServerRecovery)
    early = evacuated and outcome.ok and _may_yet_say(step, failed)
    return None if early else words


_REQUESTS = (Effect.EVACUATE, Effect.LIVE_MIGRATE, Effect.COLD_MIGRATE)


def _is_unanswered(step: Step, record: Asked) -> bool:
    """Whether nova-api, which names the request in its answer, has not answered yet:
    Nova may have worked on the server by then, and failed."""
    return any(step.pending(record, effect) for effect in _REQUESTS)


def named_late(step: Step, record: Asked) -> Asked:
    """The record, which was followed before nova-api had answered; now it may have. In
    the step that begins to follow, an answer may be that of an attempt before."""
    for effect in _REQUESTS if record.moving_at != step.now else ():
        outcome = step.outcome(record, effect)
        if outcome and outcome.ok and record.request_id is None:
            record = replace(record, request_id=outcome.request_id)
    return record


def _may_yet_say(step: Step, failed: Migration) -> bool:
    """Whether Nova may have something to say of it that it has not written down yet:
    nova-compute first cleans up after an evacuation that has failed. A clock of Nova's
    that is far ahead makes nobody wait."""
    at = failed.changed_at
    by_compute = failed.status == failures.BY_COMPUTE
    return by_compute and at is not None and abs(step.now - at) < step.options.settle


def ask_why(step: Step, record: Asked) -> Asked:
    """The record, of whose failure Nova is asked to say more; where it had nothing to
    say, in the next step."""
    if step.outcome(record, Effect.ASK_WHY) or _is_unanswered(step, record):
        return record
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
    phase: enum.Enum,
    reason: Reason,
    detail: str,
    wait: Callable[[Step, Asked, Reason, str, Any], Asked],
    leave: Callable[[Step, Asked, Reason, str], Asked],
) -> Asked:
    """The record of a server whose task state is in the way, or of which something
    cannot be read: that may still clear up, for a while."""
    if record.phase is not phase:
        record = wait(step, record, reason, detail, phase)
        return replace(record, not_before=step.now + step.options.task_state_grace)
    if step.now >= record.not_before:
        return leave(step, record, reason, detail)
    return record


def idle(step: Step, record: Asked) -> Asked:
    """The same once it is not."""
    if record.phase and record.phase.busy:
        return replace(record.because(None), not_before=step.now)
    return record
