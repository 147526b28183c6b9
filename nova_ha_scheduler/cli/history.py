# SPDX-License-Identifier: Apache-2.0
"""``nova-ha history list``, ``show``, ``events``."""

import argparse
import sys
import time
from collections.abc import Callable
from typing import Any

from cliff.lister import Lister
from cliff.show import ShowOne

from nova_ha_scheduler.cli import history_rows
from nova_ha_scheduler.cli.app import BaseCommand
from nova_ha_scheduler.cli.known import no_recovery, require_host, require_server
from nova_ha_scheduler.cli.times import FORMS, TellInstant, ago
from nova_ha_scheduler.cli.values import Moment, Rows, count
from nova_ha_scheduler.cluster import host_names
from nova_ha_scheduler.journal.history import History, HistoryQuery
from nova_ha_scheduler.records.events import EventKind
from nova_ha_scheduler.records.host_recovery import HostState
from nova_ha_scheduler.records.server_recovery import ServerState


def _filters(add: Callable[..., Any]) -> None:
    """Which lines of the history; an option for the outcome is each list's own."""
    given: dict[str, Any] = {"type": ago, "action": TellInstant, "metavar": "TIME"}
    add("--since", help=f"from then on: {FORMS}, or 90s, 15m, 2h, 30d, 4w ago", **given)
    add("--until", help="what began before then; written as for --since", **given)
    add("--host", help="the compute service's exact host name")
    add("--server", help="a UUID or an exact name")
    help = "so many of the newest at most (100)"
    add("--limit", type=count, default=100, metavar="NUMBER", help=help)


def _query(command: BaseCommand, args: argparse.Namespace) -> HistoryQuery:
    if args.since is not None:
        if args.since > time.time():
            command.parser.error("--since lies ahead")
        if args.until is not None and args.since >= args.until:
            command.parser.error("--since is not before --until")
    names = ("since", "until", "host", "server", "outcome", "limit")
    return HistoryQuery(**{name: getattr(args, name) for name in names})


def _explain(command: BaseCommand, args: argparse.Namespace, found: int) -> None:
    """Say why there is nothing, or not all.

    :raises UnknownName: a name that was asked for is none.
    """
    history = History(command.app.database)
    if not found and args.host is not None:
        require_host(command.app, history, args.host)
    if not found and args.server is not None:
        require_server(command.app, history, args.server)
    if found == args.limit:
        words = f"The newest {found} are shown; there may be more (--limit)."
        print(words, file=sys.stderr)


class ListHistory(BaseCommand, Lister):
    """List the recoveries of hosts, or of servers, newest first."""

    short = ("host", "began", "outcome", "progress", "reason")
    _SERVERS = ("name", "from", "to", "outcome", "reason")

    def arguments(self, add: Callable[..., Any]) -> None:
        add("--servers", action="store_true", help="a line a server")
        _filters(add)
        add(
            "--outcome",
            metavar="STATE",
            help=f"the last state; of a host: {', '.join(_states(HostState))}; of a "
            f"server (--servers): {', '.join(_states(ServerState))}",
        )

    def take_action(self, args: argparse.Namespace) -> tuple[Any, Any]:
        self._require_outcome(args)
        query = _query(self, args)
        history = History(self.app.database)
        if args.servers:
            self.short = self._SERVERS
            found = history.servers(query)
            rows = [
                {"recovery": s.recovery, **history_rows.server_row(s)} for s in found
            ]
        else:
            rows = [
                history_rows.host_row(history, r) for r in history.recoveries(query)
            ]
        _explain(self, args, len(rows))
        columns = history_rows.SERVER if args.servers else history_rows.HOST
        return columns, [tuple(row.values()) for row in rows]

    def _require_outcome(self, args: argparse.Namespace) -> None:
        kind, known = "host", _states(HostState)
        if args.servers:
            kind, known = "server", _states(ServerState)
        if args.outcome not in (None, *known):
            hint = host_names.hint(args.outcome, known)
            words = f"no recovery of a {kind} ends {args.outcome}{hint}"
            self.parser.error(f"argument --outcome: {words}: {', '.join(known)}")


def _states(states: type[HostState | ServerState]) -> list[str]:
    return [state.value for state in states]


_LINES = {
    "stages": history_rows.stage_line,
    "servers": history_rows.server_line,
    "events": history_rows.event_line,
}


class ShowHistory(BaseCommand, ShowOne):
    """Show all of one recovery: stages, servers, events."""

    def arguments(self, add: Callable[..., Any]) -> None:
        add("recovery", help="its id, or a host for its newest one")

    def take_action(self, args: argparse.Namespace) -> tuple[Any, Any]:
        history = History(self.app.database)
        found = history.recoveries(HistoryQuery(recovery=args.recovery, limit=1))
        found = found or history.recoveries(HistoryQuery(host=args.recovery, limit=2))
        if not found:
            raise no_recovery(history, args.recovery)
        if len(found) > 1:
            words = f"nova-ha history list --host {args.recovery} --long has the ids"
            print(f"The newest recovery is shown; {words} of others.", file=sys.stderr)
        details = history_rows.details(history, found[0])
        for name, line in _LINES.items():
            details[name] = Rows(details[name], line)
        return tuple(details), tuple(details.values())


class ListEvents(BaseCommand, Lister):
    """List what happened, newest first: also what belongs to no recovery."""

    short = ("number", "at", "what")

    def arguments(self, add: Callable[..., Any]) -> None:
        _filters(add)
        add(
            "--kind",
            dest="outcome",
            metavar="KIND",
            choices=[kind.value for kind in EventKind],
            help="host.held, server.failed, pause.begun, ...",
        )

    def take_action(self, args: argparse.Namespace) -> tuple[Any, Any]:
        found = History(self.app.database).events(_query(self, args))
        _explain(self, args, len(found))
        if self.is_short(args):
            return self.short, [(n, Moment(e.at), str(e)) for n, e in found]
        return history_rows.EVENT, [
            history_rows.event_values(n, event) for n, event in found
        ]
