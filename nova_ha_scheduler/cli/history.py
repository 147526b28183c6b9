# SPDX-License-Identifier: Apache-2.0
"""``nova-ha history``."""

import argparse
import time
from typing import Any

from cliff.lister import Lister
from cliff.show import ShowOne

from nova_ha_scheduler.cli import report
from nova_ha_scheduler.cli.app import NovaHA
from nova_ha_scheduler.cli.values import Rows, duration, moment
from nova_ha_scheduler.evacuation import conf as trigger_conf
from nova_ha_scheduler.journal import JournalError
from nova_ha_scheduler.journal.history import History, Query

Table = tuple[tuple[str, ...], list[tuple[Any, ...]]]


def table(rows: list[dict[str, Any]], columns: tuple[str, ...]) -> Table:
    """What cliff's listers return."""
    return columns, [tuple(row.get(name) for name in columns) for row in rows]


class ListHistory(Lister):
    """List the recoveries of hosts, or of servers, newest first."""

    app: NovaHA

    _HOSTS = (
        "recovery",
        "host",
        "began",
        "outcome",
        "proof",
        "recovered",
        "failed",
        "left",
        "under_way",
        "seconds",
        "notification_to_evacuate_s",
        "reason",
    )
    _SERVERS = (
        "recovery",
        "server",
        "name",
        "from",
        "to",
        "outcome",
        "reason",
        "attempts",
        "request_id",
        "waited_s",
        "moved_s",
        "checked_s",
    )

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser: argparse.ArgumentParser = super().get_parser(prog_name)
        parser.add_argument("--servers", action="store_true", help="a line a server")
        parser.add_argument(
            "--since", type=moment, metavar="TIME", help="2026-01-31T22:00, or 2h ago"
        )
        parser.add_argument("--until", type=moment, metavar="TIME")
        parser.add_argument("--host", help="the compute service's exact host name")
        parser.add_argument("--server", help="a UUID or an exact name")
        parser.add_argument(
            "--outcome",
            help="recovered, incomplete, failed, left, ... (the last state)",
        )
        parser.add_argument("--limit", type=int, default=100)
        return parser

    def take_action(self, args: argparse.Namespace) -> Table:
        names = ("since", "until", "host", "server", "outcome", "limit")
        query = Query(**{name: getattr(args, name) for name in names})
        history = History(self.app.database)
        if args.servers:
            rows = [report.server_row(record) for record in history.servers(query)]
            return table(rows, self._SERVERS)
        rows = [report.host_row(history, r) for r in history.recoveries(query)]
        return table(rows, self._HOSTS)


class ShowHistory(ShowOne):
    """Show all of one recovery: stages, servers, events."""

    app: NovaHA

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser: argparse.ArgumentParser = super().get_parser(prog_name)
        parser.add_argument("recovery", help="its id, or a host for its newest one")
        return parser

    def take_action(self, args: argparse.Namespace) -> tuple[Any, Any]:
        history = History(self.app.database)
        found = history.recoveries(Query(recovery=args.recovery, limit=1))
        found = found or history.recoveries(Query(host=args.recovery, limit=1))
        if not found:
            raise JournalError(f"there is no recovery {args.recovery}")
        shown = report.details(history, found[0])
        for key in ("stages", "servers", "events"):
            shown[key] = Rows(shown[key])
        return tuple(shown), tuple(shown.values())


class PurgeHistory(ShowOne):
    """Delete what ended long ago; open recoveries stay."""

    app: NovaHA

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser: argparse.ArgumentParser = super().get_parser(prog_name)
        parser.add_argument(
            "--older-than", type=duration, required=True, metavar="AGE", help="90d"
        )
        return parser

    def take_action(self, args: argparse.Namespace) -> tuple[Any, Any]:
        window = trigger_conf.options(self.app.conf).guard_window
        if args.older_than < window:
            raise JournalError(
                f"the guard still counts the recoveries of the last {window:.0f} s"
            )
        deleted = History(self.app.database).purge(time.time() - args.older_than)
        return ("recoveries_deleted",), (deleted,)
