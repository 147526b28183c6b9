# SPDX-License-Identifier: Apache-2.0
"""``nova-ha replay``."""

import argparse
import sys
from collections.abc import Callable, Iterator
from typing import Any

from cliff.lister import Lister

from nova_ha_scheduler import exits
from nova_ha_scheduler.cli import progress
from nova_ha_scheduler.cli.app import BaseCommand
from nova_ha_scheduler.cli.known import no_recovery
from nova_ha_scheduler.cli.values import Moment
from nova_ha_scheduler.cluster import host_names
from nova_ha_scheduler.cluster.host_names import UnknownName
from nova_ha_scheduler.evacuation import engine
from nova_ha_scheduler.evacuation.decisions import PROGRESS, Decision
from nova_ha_scheduler.journal import JournalError
from nova_ha_scheduler.journal.history import History, HistoryQuery
from nova_ha_scheduler.journal.kept_decisions import Decisions
from nova_ha_scheduler.planner import explain
from nova_ha_scheduler.records.events import Event, EventKind
from nova_ha_scheduler.rules import vocabulary
from nova_ha_scheduler.rules.terms import Operation

Kept = list[tuple[int, Decision]]


class Replay(BaseCommand, Lister):
    """Make decisions of the history again, on what they were made on.

    Those of a recovery, or the one behind an event. Beside each decision, the trigger
    keeps the picture of the cloud and all else that it knew ([journal]
    keep_decisions). The production step runs on that once more, and nothing is done.
    A line for each server, host or command: what is decided now, and whether the whole
    decision is the same as it was.

    Exit code 1 if one is not: the program has changed since.

    With --server, a line for each host instead: whether it could take that server when
    Nova was asked for it, and why not.
    """

    short: tuple[str, ...] = ("decision", "server", "decided", "to", "reason", "same")
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
    _PLACES = ("decision", "host", "verdict", "check", "why")

    def arguments(self, add: Callable[..., Any]) -> None:
        add("recovery", nargs="?", help="its id, or a host for its newest one")
        add("--decision", type=int, metavar="NUMBER", help="this one of it alone")
        add(
            "--event",
            type=int,
            metavar="NUMBER",
            help="all that was decided together with this event of nova-ha history "
            "events",
        )
        add(
            "--server",
            metavar="SERVER",
            help="its id or exact name: how each host was judged for this server",
        )

    def take_action(self, args: argparse.Namespace) -> tuple[Any, Any]:
        if (args.recovery is None) == (args.event is None):
            self.parser.error("name a recovery, a host or an --event")
        if args.event is not None:
            recovery, kept = None, self._of_event(args.event)
        else:
            recovery, kept = self._of_recovery(args.recovery, args.decision)
        if args.server is not None:
            self.short = self._PLACES
            return self._PLACES, _places(kept, args.server)
        rows: list[tuple[Any, ...]] = []
        same = 0
        done = 0
        with progress.shown(lambda: f"Deciding again: {done} of {len(kept)}"):
            for number, decision in kept:
                change = engine.again(decision)
                is_same = change == decision.change
                same, done = same + is_same, done + 1
                for event in change.events:
                    about = recovery is None or event.recovery == recovery
                    if about and event.kind not in PROGRESS:
                        rows.append(_row(number, decision, event, is_same))
        self.code = exits.DONE if same == len(kept) else exits.ERROR
        words = f"This program decides the same in {same} of {len(kept)} decisions."
        print(words, file=sys.stderr)
        return self._COLUMNS, rows

    def _of_recovery(self, name: str, number: int | None) -> tuple[str, Kept]:
        history = History(self.app.database)
        found = history.recoveries(HistoryQuery(recovery=name, limit=1))
        found = found or history.recoveries(HistoryQuery(host=name, limit=1))
        if not found:
            raise no_recovery(history, name)
        kept = Decisions(self.app.database).of(found[0].id)
        if number is not None:
            kept = [item for item in kept if item[0] == number]
        if not kept:
            which = f"decision {number}" if number else "decision"
            raise _not_kept(f"no {which} of {found[0].id} is kept")
        return found[0].id, kept

    def _of_event(self, number: int) -> Kept:
        event = History(self.app.database).event(number)
        if event is None:
            raise UnknownName(f"there is no event {number}")
        told = f"event {number}, {event}"
        if event.kind in PROGRESS:
            raise JournalError(f"{told}: tells what was seen, and was not decided")
        kept = Decisions(self.app.database).of_event(number)
        kept = [item for item in kept if _tells(item[1], event)]
        if not kept:
            raise _not_kept(f"{told}: it was not decided by a step, or is not kept")
        return kept


def _places(kept: Kept, name: str) -> list[tuple[Any, ...]]:
    """How each host was judged whenever Nova was asked for a server.

    :raises UnknownName: Nova was not asked for it.
    """
    asked = [
        (number, decision, event)
        for number, decision in kept
        for event in decision.change.events
        if event.kind is EventKind.SERVER_ASKED
        and name in (event.server, event.server_name)
    ]
    if not asked:
        events = [e for _, d in kept for e in d.change.events if e.server]
        if any(name in (e.server, e.server_name) for e in events):
            words = "Nova was not asked for it. Where it may go now"
            raise UnknownName(f"{name}: {words}: nova-ha explain {name}")
        hint = host_names.hint(name, {e.server_name for e in events})
        raise UnknownName(f"there is no server {name} there{hint}")
    return [
        (number, *row)
        for number, decision, event in asked
        for row in _judged(decision, event)
    ]


def _judged(decision: Decision, asked: Event) -> Iterator[tuple[str, ...]]:
    """The hosts by name: the one that was asked for, and each other with its no."""
    picture, preferences = decision.seen.picture(), decision.options
    server = picture.servers[asked.server]
    request = explain.request(server, picture.hosts, preferences, Operation.EVACUATE)
    first, chosen = "the reserve comes first", "the plan chose another one"
    hosts = picture.hosts.items() if preferences.prefer_reserve else ()
    reserve = {n for n, h in hosts if vocabulary.RESERVED in h.facts.flags}
    for name, host in sorted(picture.hosts.items()):
        if name == asked.destination:
            yield name, "asked for", "", first if name in reserve else ""
            continue
        no = explain.first_no(explain.checks(server, request, host, preferences))
        if no:
            yield name, "no", no.name, no.no
        else:
            is_later = asked.destination in reserve and name not in reserve
            why = first if is_later else chosen
            yield name, "yes", "", f"it could have taken it; {why}"


def _tells(decision: Decision, event: Event) -> bool:
    """Its words may stand cut in the history."""
    return any(one.kind is event.kind for one in decision.change.events)


def _not_kept(what: str) -> JournalError:
    return JournalError(f"{what}: [journal] keep_decisions is off, or it was purged")


def _row(
    number: int, decision: Decision, event: Event, is_same: bool
) -> tuple[Any, ...]:
    whole = event.kind.value
    return (
        number,
        Moment(decision.now),
        event.server_name,
        event.source or event.host,
        event.destination,
        whole.partition(".")[2] if event.server else whole,
        event.reason or event.how,
        is_same,
    )
