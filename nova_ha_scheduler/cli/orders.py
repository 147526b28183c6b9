# SPDX-License-Identifier: Apache-2.0
"""What is ordered by hand: ``nova-ha confirm-fenced`` and ``nova-ha evacuate``."""

import argparse
import time
from typing import Any

from cliff.lister import Lister
from cliff.show import ShowOne
from oslo_utils import uuidutils

from nova_ha_scheduler.cli import report
from nova_ha_scheduler.cli.app import NovaHA
from nova_ha_scheduler.cli.history import Table, table
from nova_ha_scheduler.cli.values import duration, shown
from nova_ha_scheduler.cli.waiting import INCOMPLETE, Waiter
from nova_ha_scheduler.evacuation import dry_run
from nova_ha_scheduler.evacuation.records import Command, CommandKind, ServerState
from nova_ha_scheduler.evacuation.startup import Parts
from nova_ha_scheduler.journal.history import History, Query
from nova_ha_scheduler.journal.store import SqlJournal

_EXPIRES = 3600.0


def _arguments(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser.add_argument("host", help="the compute service's exact host name")
    parser.add_argument("--by", metavar="NAME", help="who is sure that it is off")
    parser.add_argument("--reason", metavar="TEXT", help="how that is known")
    parser.add_argument(
        "--expires",
        type=duration,
        default=_EXPIRES,
        metavar="AGE",
        help="how long the word holds, if it is not needed at once (1h)",
    )
    return parser


def _command(kind: CommandKind, args: argparse.Namespace) -> Command:
    now = time.time()
    return Command(
        id=uuidutils.generate_uuid(),
        kind=kind,
        host=args.host,
        by=args.by,
        reason=args.reason,
        at=now,
        expires_at=now + args.expires,
    )


class ConfirmFenced(ShowOne):
    """Give your word that a host is powered off and stays so.

    If it is not, its servers run twice and their disks are lost.
    """

    app: NovaHA

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = _arguments(super().get_parser(prog_name))
        for name in ("by", "reason"):
            next(a for a in parser._actions if a.dest == name).required = True
        return parser

    def take_action(self, args: argparse.Namespace) -> tuple[Any, Any]:
        command = _command(CommandKind.CONFIRM_FENCED, args)
        SqlJournal(self.app.database).add_command(command)
        return ("command", "host", "by", "reason", "expires"), (
            command.id,
            command.host,
            command.by,
            command.reason,
            shown(command.expires_at),
        )


class Evacuate(Lister):
    """Evacuate a host that you know to be off: no detection, no guard, no fencing.

    The active trigger does it. With --wait and without one, this program does it
    itself, and leaves all other hosts alone.
    """

    app: NovaHA

    _COLUMNS = ("server", "name", "from", "to", "outcome", "reason", "request_id")

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = _arguments(super().get_parser(prog_name))
        parser.add_argument("--confirm-fenced", action="store_true")
        parser.add_argument(
            "--dry-run", action="store_true", help="show who would go where"
        )
        parser.add_argument("--wait", action="store_true", help="follow it to its end")
        parser.add_argument(
            "--timeout", type=duration, metavar="AGE", help="with --wait: so long"
        )
        self._parser = parser
        return parser

    def get_epilog(self) -> str:
        return (
            "Exit codes: 0 all that is to be recovered is (or was ordered, or would "
            "be); 1 an error; 2 wrong arguments; 3 some servers are not recovered; "
            "4 the order was refused; 5 not at its end within --timeout."
        )

    def run(self, parsed_args: argparse.Namespace) -> int:
        self._code = 0
        return super().run(parsed_args) or self._code

    def take_action(self, args: argparse.Namespace) -> Table:
        if args.dry_run:
            return self._plan(args.host)
        if not (args.confirm_fenced and args.by and args.reason):
            self._parser.error("--confirm-fenced, --by and --reason are needed")
        command = _command(CommandKind.EVACUATE, args)
        if not args.wait:
            SqlJournal(self.app.database).add_command(command)
            return table([], self._COLUMNS)
        parts = Parts(self.app.conf, only=args.host)
        parts.database.upgrade()
        waiter = Waiter(parts, command)
        self._code = waiter.follow(args.timeout)
        history = History(parts.database)
        servers = history.servers(Query(recovery=waiter.recovery or "", limit=10**6))
        return table([report.server_row(s) for s in servers], self._COLUMNS)

    def _plan(self, host: str) -> Table:
        parts = Parts(self.app.conf, only=host)
        servers = dry_run.plan(parts.world, parts.options, host)
        for server in servers:
            meant = server.reason is not None and server.reason.intended
            if server.state is not ServerState.ASKED and not meant:
                self._code = INCOMPLETE
        return table([report.server_row(s) for s in servers], self._COLUMNS)
