# SPDX-License-Identifier: Apache-2.0
"""What is ordered by hand: ``nova-ha confirm-fenced`` and ``nova-ha evacuate``."""

import argparse
import sys
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from cliff.lister import Lister
from cliff.show import ShowOne
from oslo_utils import uuidutils

from nova_ha_scheduler.cli import report
from nova_ha_scheduler.cli.app import Command
from nova_ha_scheduler.cli.values import duration, shown, words
from nova_ha_scheduler.evacuation import dry_run, records
from nova_ha_scheduler.evacuation.records import CommandKind, HostState, ServerState
from nova_ha_scheduler.evacuation.service import Service
from nova_ha_scheduler.evacuation.startup import Parts
from nova_ha_scheduler.journal.history import History, Query
from nova_ha_scheduler.journal.store import SqlJournal
from nova_ha_scheduler.reasons import Reason

DONE, INCOMPLETE, REFUSED, TIMED_OUT = 0, 3, 4, 5

_POLL_SECONDS = 0.5
_BAR = 40
_ENDS = (HostState.RECOVERED, HostState.INCOMPLETE, HostState.CLOSED)
_FOLLOWED = (None, Reason.ALREADY)
"""Refusals of a command whose host's recovery is followed all the same."""


def _arguments(add: Callable[..., Any], required: bool) -> None:
    """:param required: whether the word for it always has to be given."""
    add("host", help="the compute service's exact host name")
    given: dict[str, Any] = {"type": words, "required": required}
    add("--by", metavar="NAME", help="who is sure that it is off", **given)
    add("--reason", metavar="TEXT", help="how that is known", **given)
    add(
        "--expires",
        type=duration,
        default="1h",
        metavar="AGE",
        help="how long the word holds, if it is not needed at once (1h)",
    )


def new_command(kind: CommandKind, args: argparse.Namespace) -> records.Command:
    now = time.time()
    id = uuidutils.generate_uuid()
    expires_at = now + args.expires
    return records.Command(id, kind, args.host, args.by, args.reason, now, expires_at)


class ConfirmFenced(Command, ShowOne):
    """Give your word that a host is powered off and stays so.

    If it is not, its servers run twice and their disks are lost.
    """

    def arguments(self, add: Callable[..., Any]) -> None:
        _arguments(add, required=True)

    def take_action(self, args: argparse.Namespace) -> tuple[Any, Any]:
        command = new_command(CommandKind.CONFIRM_FENCED, args)
        SqlJournal(self.app.database).add_command(command)
        columns = ("command", "host", "by", "reason", "expires")
        expires = shown(command.expires_at)
        return columns, (command.id, args.host, args.by, args.reason, expires)


class Evacuate(Command, Lister):
    """Evacuate a host that you know to be off: no detection, no guard, no fencing.

    The active trigger does it. With --wait and without one, this program does it
    itself, and leaves all other hosts alone.
    """

    _COLUMNS = ("server", "name", "from", "to", "outcome", "reason", "request_id")

    def arguments(self, add: Callable[..., Any]) -> None:
        _arguments(add, required=False)
        add("--confirm-fenced", action="store_true")
        add("--dry-run", action="store_true", help="show who would go where")
        add("--wait", action="store_true", help="follow it to its end")
        add("--timeout", type=duration, metavar="AGE", help="with --wait: so long")

    def get_epilog(self) -> str:
        return (
            "Exit codes: 0 all that is to be recovered is (or was ordered, or would "
            "be); 1 an error; 2 wrong arguments; 3 some servers are not recovered; "
            "4 the order was refused; 5 not at its end within --timeout."
        )

    def take_action(self, args: argparse.Namespace) -> tuple[Any, Any]:
        rows = [report.server_row(server) for server in self._servers(args)]
        return self._COLUMNS, [[row[name] for name in self._COLUMNS] for row in rows]

    def _servers(self, args: argparse.Namespace) -> list[records.ServerRecovery]:
        """What became, or would become, of the host's servers; sets the exit code."""
        if args.dry_run:
            return self._plan(args.host)
        if not (args.confirm_fenced and args.by and args.reason):
            self.parser.error("--confirm-fenced, --by and --reason are needed")
        command = new_command(CommandKind.EVACUATE, args)
        if not args.wait:
            SqlJournal(self.app.database).add_command(command)
            return []
        parts = Parts(self.app.conf, only=args.host)
        parts.database.upgrade()
        waiter = Waiter(parts, command)
        self.code = waiter.follow(args.timeout)
        return waiter.servers

    def _plan(self, host: str) -> list[records.ServerRecovery]:
        parts = Parts(self.app.conf, only=host)
        servers = dry_run.plan(parts.world, parts.options, host)
        for server in servers:
            meant = server.reason is not None and server.reason.intended
            if server.state is not ServerState.ASKED and not meant:
                self.code = INCOMPLETE
        return servers


class Waiter:
    """Gives the command, sees to it that some trigger works, and watches.

    :ivar servers: of the host's recovery, as they were when it was last looked at.
    """

    def __init__(self, parts: Parts, command: records.Command) -> None:
        self._command = command
        self._history = History(parts.database)
        self._service = Service(parts, listens=False)
        self.servers: list[records.ServerRecovery] = []

    def follow(self, timeout: float | None) -> int:
        """:returns: the exit code."""
        self._service.journal.add_command(self._command)
        # It becomes the active trigger only if there is none.
        helper = threading.Thread(target=self._service.run, daemon=True)
        helper.start()
        end = time.monotonic() + timeout if timeout else float("inf")
        code = None
        try:
            while code is None and time.monotonic() < end:
                time.sleep(_POLL_SECONDS)
                code = self._look()
        finally:
            self._service.stop()
            helper.join()
            if sys.stderr.isatty():
                print(file=sys.stderr)
        return TIMED_OUT if code is None else code

    def _look(self) -> int | None:
        """The exit code, once it is known."""
        command = self._service.journal.command(self._command.id)
        if command is None or not command.answer:
            return None
        if command.refusal not in _FOLLOWED:
            print(f"{command.host}: {command.answer}", file=sys.stderr)
            return REFUSED
        found = self._history.recoveries(Query(host=command.host, limit=1))
        if not found:
            return None
        (host,) = found
        self.servers = self._history.servers(Query(recovery=host.id, limit=None))
        if sys.stderr.isatty() and self.servers:
            _draw(self.servers)
        entered = host.stages.get(host.state.value, 0.0)
        if host.state not in _ENDS or entered < command.at:
            return None
        return DONE if host.state is HostState.RECOVERED else INCOMPLETE


def _draw(servers: list[records.ServerRecovery]) -> None:
    found = report.counts(servers)
    ended = sum(found[state.value] for state in ServerState if state.final)
    draw_bar(found, ended)


def draw_bar(found: Mapping[str, int], ended: int) -> None:
    """A progress bar, for people.

    :param found: how many are in each state, by its word.
    """
    full = _BAR * ended // (sum(found.values()) or 1)
    words = ", ".join(f"{number} {word}" for word, number in found.items() if number)
    bar = "#" * full + "." * (_BAR - full)
    print(f"\r\033[K[{bar}] {words}", end="", file=sys.stderr, flush=True)
