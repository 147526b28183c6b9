# SPDX-License-Identifier: Apache-2.0
"""``nova-ha maintenance list`` and ``show``: maintenances that were started here."""

import argparse
from collections.abc import Callable
from typing import Any

from cliff.lister import Lister
from cliff.show import ShowOne

from nova_ha_scheduler.cli import history_rows, maintenance_rows
from nova_ha_scheduler.cli.app import BaseCommand
from nova_ha_scheduler.cli.known import require_host
from nova_ha_scheduler.cli.values import Rows, count
from nova_ha_scheduler.cluster import host_names
from nova_ha_scheduler.cluster.host_names import UnknownName
from nova_ha_scheduler.journal.history import History, HistoryQuery


class ListWindows(BaseCommand, Lister):
    """List the maintenances of hosts that were started here."""

    short = ("host", "state", "until", "reason", "progress", "held")

    def arguments(self, add: Callable[..., Any]) -> None:
        add("--all", action="store_true", help="also those that are over")
        add("--host", help="the compute service's exact host name")
        help = "so many of the newest at most (100)"
        add("--limit", type=count, default=100, metavar="NUMBER", help=help)

    def take_action(self, args: argparse.Namespace) -> tuple[Any, Any]:
        history = History(self.app.database)
        query = HistoryQuery(host=args.host, limit=args.limit)
        found = history.windows(query, ended=args.all)
        if not found and args.host is not None:
            require_host(self.app, history, args.host)
        rows = [
            maintenance_rows.row(window, history.moves(window.id)) for window in found
        ]
        return maintenance_rows.WINDOW, [tuple(row.values()) for row in rows]


class ShowWindow(BaseCommand, ShowOne):
    """Show all of one maintenance: what it is, its servers, its events."""

    def arguments(self, add: Callable[..., Any]) -> None:
        add("host", help="the compute service's exact host name: its newest one")

    def take_action(self, args: argparse.Namespace) -> tuple[Any, Any]:
        history = History(self.app.database)
        found = history.windows(HistoryQuery(host=args.host, limit=1))
        if not found:
            hosts = {
                window.host for window in history.windows(HistoryQuery(limit=None))
            }
            hint = host_names.hint(args.host, hosts)
            raise UnknownName(f"no maintenance of {args.host} was started here{hint}")
        moves = history.moves(found[0].id)
        events = reversed(
            history.events(HistoryQuery(recovery=found[0].id, limit=None))
        )
        row = {
            **maintenance_rows.row(found[0], moves),
            "servers": Rows(
                [maintenance_rows.move_row(m) for m in moves],
                maintenance_rows.move_line,
            ),
            "events": Rows(
                [history_rows.event_row(e) for _, e in events], history_rows.event_line
            ),
        }
        return tuple(row), tuple(row.values())
