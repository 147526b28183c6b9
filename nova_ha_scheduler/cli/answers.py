# SPDX-License-Identifier: Apache-2.0
"""Orders that are written down, and what the active trigger says to each of them."""

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from nova_ha_scheduler import exits
from nova_ha_scheduler.cli import progress
from nova_ha_scheduler.cli.app import Configured
from nova_ha_scheduler.cli.values import Moment, in_local
from nova_ha_scheduler.codec import Unreadable
from nova_ha_scheduler.health.judgement import span
from nova_ha_scheduler.journal.store import SqlJournal
from nova_ha_scheduler.records.commands import Command

WAIT_SECONDS = 15.0
"""The active trigger looks for orders twice a second, and then at the cloud."""

_POLL_SECONDS = 0.2

SHORT = ("host", "answer")
_COLUMNS = (*SHORT, "by", "reason", "expires", "command")


@dataclass(frozen=True)
class Answer:
    """What has become of an order by now.

    :ivar words: what the trigger says to it, or why it says nothing.
    :ivar code: the exit code of this order alone.
    """

    order: Command
    words: str
    code: int = exits.DONE

    @property
    def whom(self) -> str:
        """Whom it is about, in words."""
        return self.order.host or self.order.kind.value


def ask(app: Configured, orders: Sequence[Command]) -> list[Answer]:
    """Write orders down, all of them or none, and wait for an answer to each.

    :raises JournalError: none is written down.
    """
    journal = SqlJournal(app.database)
    journal.add_commands(orders)
    try:
        return _answers(journal, orders)
    except KeyboardInterrupt:
        hosts = ", ".join(Answer(order, "").whom for order in orders)
        words = "the order stays: nova-ha status and nova-ha history events show it"
        print(f"{hosts}: {words}", file=sys.stderr)
        raise


def tell(answers: Sequence[Answer]) -> int:
    """Say which orders were refused. :returns: the exit code of all of them."""
    for answer in answers:
        if answer.code == exits.REFUSED:
            print(f"{answer.whom}: {answer.words}", file=sys.stderr)
    return code(answers)


def code(answers: Sequence[Answer]) -> int:
    """The exit code of all of them."""
    codes = {answer.code for answer in answers}
    return codes.pop() if len(codes) == 1 else exits.PARTLY


def table(answers: Sequence[Answer]) -> tuple[Any, Any]:
    """Columns and rows, in the order of the orders."""
    return _COLUMNS, [_row(answer) for answer in answers]


def _row(answer: Answer) -> tuple[Any, ...]:
    order = answer.order
    expires = Moment(order.expires_at)
    whose = order.by, order.reason, expires, order.id
    return order.host, answer.words, *whose


def _answers(journal: SqlJournal, orders: Sequence[Command]) -> list[Answer]:
    holder = journal.holder()
    if not holder:
        words = "queued: no trigger is active"
        return [Answer(order, words) for order in orders]
    if silent := _silence(journal, holder):
        return [Answer(order, silent) for order in orders]
    found: dict[str, Answer] = {}
    end = time.monotonic() + WAIT_SECONDS
    waiting = f"Waiting for the trigger {holder}"
    with progress.shown(lambda: f"{waiting}: {len(found)} of {len(orders)} answers"):
        while len(found) < len(orders) and time.monotonic() < end:
            time.sleep(_POLL_SECONDS)
            open_ = [order.id for order in orders if order.id not in found]
            for order in journal.commands(open_):
                if order.answer or order.waits:
                    found[order.id] = _answer(order)
    late = f"queued: {holder} has not answered yet"
    return [found.get(o.id, Answer(o, late, exits.LATE)) for o in orders]


def _silence(journal: SqlJournal, holder: str) -> str:
    """That the trigger that the lease names is dead, or cut off, by its own report."""
    try:
        report, age = journal.report_and_age() or (None, None)
    except Unreadable:
        return ""
    if report is None or report.owner != holder:
        return ""  # it has just begun
    if age is None:
        age = time.time() - report.at
    if age <= report.valid:
        return ""
    return (
        f"queued: no trigger is active: {holder} was last heard of {span(age)} ago "
        "(nova-ha health)"
    )


def _answer(order: Command) -> Answer:
    if order.refusal:
        return Answer(order, order.answer, exits.REFUSED)
    noted = f"noted: {order.waits}; until {in_local(order.expires_at)}"
    return Answer(order, order.answer or noted)
