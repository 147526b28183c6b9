# SPDX-License-Identifier: Apache-2.0
"""Orders whose end is waited for, with a trigger of our own where none is active."""

import sys
import threading
import time
from collections.abc import Mapping, Sequence

from nova_ha_scheduler import exits
from nova_ha_scheduler.cli import history_rows, progress
from nova_ha_scheduler.cli.app import Configured
from nova_ha_scheduler.journal import JournalError
from nova_ha_scheduler.journal.history import History, HistoryQuery
from nova_ha_scheduler.reasons import Reason
from nova_ha_scheduler.records.commands import Command
from nova_ha_scheduler.records.host_recovery import HostState
from nova_ha_scheduler.records.server_recovery import ServerRecovery, ServerState
from nova_ha_scheduler.service.loop import Service
from nova_ha_scheduler.service.parts import Parts

_POLL_SECONDS = 0.5
_BAR = 40
_ENDS = (
    HostState.RECOVERED,
    HostState.INCOMPLETE,
    HostState.RETURNING,
    HostState.CLOSED,
)
"""Where each server is accounted for; or where none was, of a host that is back."""
_FOLLOWED = (None, Reason.ALREADY)
"""Refusals of a command whose host's recovery is followed all the same."""


def follow(
    app: Configured, commands: Sequence[Command], timeout: float | None = None
) -> tuple[int, list[ServerRecovery]]:
    """Give these commands, each for a host of its own, and follow them to their end.

    :param timeout: for so long.
    :returns: the exit code, and what became of the servers by then.
    """
    parts = Parts(app.conf, only=[command.host for command in commands])
    parts.database.upgrade()
    waiter = UntilDone(parts, *commands)
    return waiter.follow(timeout), waiter.servers


class UntilDone:
    """Gives the commands, sees to it that some trigger works, and watches."""

    def __init__(self, parts: Parts, *commands: Command) -> None:
        self._commands = commands
        self._history = History(parts.database)
        self._service = Service(parts, listens=False)
        self._codes: dict[str, int] = {}
        self._said: set[str] = set()
        self._servers: dict[str, list[ServerRecovery]] = {}

    @property
    def servers(self) -> list[ServerRecovery]:
        """Of the hosts' recoveries, as they were when they were last looked at."""
        return [server for mine in self._servers.values() for server in mine]

    def follow(self, timeout: float | None) -> int:
        """:returns: the exit code; of several commands, the highest. After Ctrl-C it
        is said who goes on."""
        self._service.journal.add_commands(self._commands)
        # It becomes the active trigger only if there is none.
        helper = threading.Thread(target=self._service.run, daemon=True)
        helper.start()
        try:
            code = self._watch(timeout)
            if sys.stderr.isatty():
                print(file=sys.stderr)
            if code in (exits.LATE, exits.INTERRUPTED):
                hosts = ", ".join(command.host for command in self._commands)
                print(f"{hosts}: {self._goes_on()}", file=sys.stderr)
        finally:
            self._service.stop()
            helper.join()
        return code

    def _watch(self, timeout: float | None) -> int:
        end = time.monotonic() + timeout if timeout else float("inf")
        try:
            with progress.shown(self._waiting):
                while time.monotonic() < end:
                    time.sleep(_POLL_SECONDS)
                    code = self._look()
                    if code is not None:
                        return code
        except KeyboardInterrupt:
            return exits.INTERRUPTED
        return exits.LATE

    def _waiting(self) -> str:
        """What is waited for, until there is a bar to draw."""
        return "" if self.servers else "Waiting for a trigger to take the order up"

    def _goes_on(self) -> str:
        """Who does, when this program ends."""
        journal = self._service.journal
        if journal.active:
            return (
                "this program was the active trigger: nobody goes on until "
                "nova-ha-evacuator is started, or this order is given again"
            )
        try:
            holder = journal.holder()
        except JournalError as error:
            return f"who goes on is not known: {error}"
        if holder:
            return f"the trigger {holder} goes on with it"
        return "no trigger is active: nobody goes on until one is"

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

    def _look_at(self, given: Command) -> int | None:
        """The same for one of the commands."""
        command = self._service.journal.command(given.id)
        if command is None:
            return None
        if not command.answer:
            self._say(command, command.waits)
            return None
        if command.refusal not in _FOLLOWED:
            self._say(command, command.answer)
            return exits.REFUSED
        if command.refusal and command.destinations:
            self._say(command, f"{command.answer}, not by this plan")
        found = self._history.recoveries(HistoryQuery(host=command.host, limit=1))
        if not found:
            return None
        (host,) = found
        query = HistoryQuery(recovery=host.id, limit=None)
        self._servers[host.host] = self._history.servers(query)
        ends = (host.ended_as, HostState.CLOSED.value)
        entered = max(host.stages.get(end or "", 0.0) for end in ends)
        if host.state not in _ENDS or entered < command.at:
            return None
        whole = host.outcome == HostState.RECOVERED.value
        return exits.DONE if whole else exits.PARTLY

    def _say(self, command: Command, words: str) -> None:
        """Tell people what holds the command up, or what became of it, once."""
        sentence = f"{command.host}: {words}"
        if words and sentence not in self._said:
            self._said.add(sentence)
            progress.clear()
            print(sentence, file=sys.stderr)


def _draw(servers: list[ServerRecovery]) -> None:
    found = history_rows.counts(servers)
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
