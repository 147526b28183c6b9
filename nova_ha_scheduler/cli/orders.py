# SPDX-License-Identifier: Apache-2.0
"""What is ordered by hand: ``nova-ha confirm-fenced`` and ``nova-ha evacuate``."""

import argparse
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from cliff.lister import Lister
from cliff.show import ShowOne
from oslo_utils import uuidutils

from nova_ha_scheduler.cli import report
from nova_ha_scheduler.cli.app import Command, NovaHA
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
    add("host", help="the compute service's exact host name")
    confirming(add, required)


def confirming(add: Callable[..., Any], required: bool) -> None:
    """Declare the arguments of a person's word that a host is off.

    :param required: whether the word for it always has to be given.
    """
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


def new_command(
    kind: CommandKind, host: str, args: argparse.Namespace, **more: Any
) -> records.Command:
    now = time.time()
    id = uuidutils.generate_uuid()
    until = now + args.expires
    return records.Command(id, kind, host, args.by, args.reason, now, until, **more)


class ConfirmFenced(Command, ShowOne):
    """Give your word that a host is powered off and stays so.

    If it is not, its servers run twice and their disks are lost.
    """

    def arguments(self, add: Callable[..., Any]) -> None:
        _arguments(add, required=True)

    def take_action(self, args: argparse.Namespace) -> tuple[Any, Any]:
        command = new_command(CommandKind.CONFIRM_FENCED, args.host, args)
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
        command = new_command(CommandKind.EVACUATE, args.host, args)
        self.code, servers = give(self.app, [command], args.wait, args.timeout)
        return servers

    def _plan(self, host: str) -> list[records.ServerRecovery]:
        parts = Parts(self.app.conf, only=(host,))
        picture = dry_run.look(parts.world, [host])
        servers = dry_run.plan(picture, parts.options, [host])
        for server in servers:
            meant = server.reason is not None and server.reason.intended
            if server.state is not ServerState.ASKED and not meant:
                self.code = INCOMPLETE
        return servers


def give(
    app: NovaHA,
    commands: Sequence[records.Command],
    wait: bool,
    timeout: float | None = None,
) -> tuple[int, list[records.ServerRecovery]]:
    """Give these commands, each for a host of its own.

    :param wait: follow them to their end, for so long.
    :returns: the exit code, and what became of the servers by then.
    """
    if not wait:
        journal = SqlJournal(app.database)
        for command in commands:
            journal.add_command(command)
        return DONE, []
    parts = Parts(app.conf, only=[command.host for command in commands])
    parts.database.upgrade()
    waiter = Waiter(parts, *commands)
    return waiter.follow(timeout), waiter.servers


class Waiter:
    """Gives the commands, sees to it that some trigger works, and watches."""

    def __init__(self, parts: Parts, *commands: records.Command) -> None:
        self._commands = commands
        self._history = History(parts.database)
        self._service = Service(parts, listens=False)
        self._codes: dict[str, int] = {}
        self._told: set[str] = set()
        self._servers: dict[str, list[records.ServerRecovery]] = {}

    @property
    def servers(self) -> list[records.ServerRecovery]:
        """Of the hosts' recoveries, as they were when they were last looked at."""
        return [server for mine in self._servers.values() for server in mine]

    def follow(self, timeout: float | None) -> int:
        """:returns: the exit code; of several commands, the highest."""
        for command in self._commands:
            self._service.journal.add_command(command)
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
        for given in self._commands:
            if given.id not in self._codes:
                code = self._look_at(given)
                if code is not None:
                    self._codes[given.id] = code
        if sys.stderr.isatty() and self.servers:
            _draw(self.servers)
        if len(self._codes) < len(self._commands):
            return None
        return max(self._codes.values())

    def _look_at(self, given: records.Command) -> int | None:
        """The same for one of the commands."""
        command = self._service.journal.command(given.id)
        if command is None or not command.answer:
            return None
        if command.refusal not in _FOLLOWED:
            print(f"{command.host}: {command.answer}", file=sys.stderr)
            return REFUSED
        if command.refusal and command.destinations and given.id not in self._told:
            self._told.add(given.id)
            words = f"{command.host}: {command.answer}, not by this plan"
            print(words, file=sys.stderr)
        found = self._history.recoveries(Query(host=command.host, limit=1))
        if not found:
            return None
        (host,) = found
        query = Query(recovery=host.id, limit=None)
        self._servers[host.host] = self._history.servers(query)
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
