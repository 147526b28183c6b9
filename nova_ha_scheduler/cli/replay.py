# SPDX-License-Identifier: Apache-2.0
"""``nova-ha replay``."""

import argparse
import sys
from collections.abc import Callable
from typing import Any

from cliff.lister import Lister

from nova_ha_scheduler.cli.app import Command
from nova_ha_scheduler.cli.values import shown
from nova_ha_scheduler.evacuation import engine
from nova_ha_scheduler.evacuation.decisions import DECIDED, Decision
from nova_ha_scheduler.evacuation.records import Event
from nova_ha_scheduler.journal import JournalError
from nova_ha_scheduler.journal.decisions import Decisions
from nova_ha_scheduler.journal.history import History, Query


class Replay(Command, Lister):
    """Make the decisions of a recovery again, on what they were made on.

    Beside each decision about servers, the trigger keeps the picture of the cloud and
    all else that it knew ([journal] keep_decisions). The production step runs on
    that once more, and nothing is done. A line for each server: what is decided now,
    and whether the whole decision is the same as it was.

    Exit code 1 if one is not: the program has changed since.
    """

    _COLUMNS = (
        "decision",
        "at",
        "server",
        "from",
        "to",
        "decided",
        "reason",
        "same",
    )

    def arguments(self, add: Callable[..., Any]) -> None:
        add("recovery", help="its id, or a host for its newest one")
        add("--decision", type=int, metavar="NUMBER", help="this one alone")

    def take_action(self, args: argparse.Namespace) -> tuple[Any, Any]:
        history = History(self.app.database)
        found = history.recoveries(Query(recovery=args.recovery, limit=1))
        found = found or history.recoveries(Query(host=args.recovery, limit=1))
        if not found:
            raise JournalError(f"there is no recovery {args.recovery}")
        kept = Decisions(self.app.database).of(found[0].id)
        if args.decision is not None:
            kept = [item for item in kept if item[0] == args.decision]
        if not kept:
            which = f"decision {args.decision}" if args.decision else "decision"
            raise JournalError(
                f"no {which} of {found[0].id} is kept: [journal] keep_decisions is "
                "off, or it was purged"
            )
        rows: list[tuple[Any, ...]] = []
        same = 0
        for number, decision in kept:
            change = engine.again(decision)
            is_same = change == decision.change
            same += is_same
            for event in change.events:
                if event.kind in DECIDED and event.recovery == found[0].id:
                    rows.append(_row(number, decision, event, is_same))
        self.code = int(same < len(kept))
        print(f"{same} of {len(kept)} decisions are the same", file=sys.stderr)
        return self._COLUMNS, rows


def _row(
    number: int, decision: Decision, event: Event, is_same: bool
) -> tuple[Any, ...]:
    return (
        number,
        shown(decision.now),
        event.server_name,
        event.source,
        event.destination,
        event.kind.value.partition(".")[2],
        event.reason,
        is_same,
    )
