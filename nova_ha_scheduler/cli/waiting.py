# SPDX-License-Identifier: Apache-2.0
"""Following an ordered evacuation to its end."""

import sys
import threading
import time

from nova_ha_scheduler.cli import report
from nova_ha_scheduler.evacuation.records import (
    Command,
    EventKind,
    HostState,
    Reason,
    ServerRecovery,
    ServerState,
)
from nova_ha_scheduler.evacuation.service import Service
from nova_ha_scheduler.evacuation.startup import Parts
from nova_ha_scheduler.journal.history import History, Query

DONE, INCOMPLETE, REFUSED, TIMED_OUT = 0, 3, 4, 5

_POLL_SECONDS = 0.5
_BAR = 40
_ENDS = (HostState.RECOVERED, HostState.INCOMPLETE, HostState.CLOSED)


class Waiter:
    """Gives the command, sees to it that some trigger works, and watches.

    :ivar recovery: HostRecovery.id, as soon as there is one.
    """

    def __init__(self, parts: Parts, command: Command) -> None:
        self._command = command
        self._history = History(parts.database)
        self._service = Service(parts, listens=False)
        self.recovery: str | None = None

    def follow(self, timeout: float | None) -> int:
        """:returns: the exit code."""
        self._service.journal.add_command(self._command)
        # It becomes the active trigger only if there is none.
        helper = threading.Thread(target=self._service.run, daemon=True)
        helper.start()
        end = time.monotonic() + timeout if timeout else float("inf")
        try:
            while time.monotonic() < end:
                code = self._look()
                if code is not None:
                    return code
                time.sleep(_POLL_SECONDS)
            return TIMED_OUT
        finally:
            self._service.stop()
            helper.join()
            if sys.stderr.isatty():
                print(file=sys.stderr)

    def _look(self) -> int | None:
        """The exit code, once it is known."""
        command = self._service.journal.command(self._command.id)
        if command is None or not command.answer:
            return None
        if self._is_refused(command):
            print(f"{command.host}: {command.answer}", file=sys.stderr)
            return REFUSED
        found = self._history.recoveries(Query(host=command.host, limit=1))
        if not found:
            return None
        self.recovery = found[0].id
        _draw(self._history.servers(Query(recovery=self.recovery, limit=10**6)))
        state = found[0].state
        entered = found[0].stages.get(state.value, 0.0)
        if state not in _ENDS or entered < command.at:
            return None
        return DONE if state is HostState.RECOVERED else INCOMPLETE

    def _is_refused(self, command: Command) -> bool:
        """Whether it was, and not because just that is under way already."""
        if command.answer == Reason.ALREADY.sentence():
            return False
        refusals = self._history.events(
            Query(
                host=command.host,
                outcome=EventKind.COMMAND_REFUSED.value,
                since=command.at,
            )
        )
        return any(event.reason == command.answer for _, event in refusals)


def _draw(servers: list[ServerRecovery]) -> None:
    """A progress bar, for people."""
    if not sys.stderr.isatty() or not servers:
        return
    found = report.counts(servers)
    ended = sum(found[state.value] for state in ServerState if state.final)
    full = _BAR * ended // len(servers)
    words = ", ".join(f"{number} {word}" for word, number in found.items() if number)
    bar = "#" * full + "." * (_BAR - full)
    print(f"\r\033[K[{bar}] {words}", end="", file=sys.stderr, flush=True)
