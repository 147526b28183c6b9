# SPDX-License-Identifier: Apache-2.0
"""A program of the stack that can be killed, frozen and started again, by name."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from tests.lib.errors import ProgramError
from tests.lib.processes import Process


class Handle(Protocol):
    """What can be done to each program of the stack, and to each compute host."""

    name: str

    @property
    def alive(self) -> bool: ...

    def kill(self) -> None: ...

    def freeze(self) -> None: ...

    def thaw(self) -> None: ...

    def start(self) -> None: ...

    def restart(self) -> None: ...


class Program:
    """One program.

    :ivar command, environment: of its next start; may be changed between starts.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        folder: Path,
        environment: Mapping[str, str],
        ready: Callable[["Program"], bool],
        seconds: float = 90.0,
    ) -> None:
        """:param folder: for its logs: one of each start.
        :param ready: whether it does its work.
        :param seconds: how long it may take until then.
        """
        self.name = name
        self.command = list(command)
        self.environment = dict(environment)
        self._folder = folder
        self._ready = ready
        self._seconds = seconds
        self._starts = 0
        self._process: Process | None = None

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.alive

    @property
    def pid(self) -> int:
        return self._running.pid

    @property
    def log(self) -> Path:
        """Of its newest start."""
        return self._log_of(self._starts)

    @property
    def logs(self) -> list[Path]:
        """Of all its starts."""
        return [self._log_of(number) for number in range(1, self._starts + 1)]

    def _log_of(self, start: int) -> Path:
        return self._folder / f"{self.name}-{start}.log"

    @property
    def logged(self) -> str:
        """What its newest start has said."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def begin(self) -> None:
        """Start it, if it does not run; return at once."""
        if not self.alive:
            self._starts += 1
            self._process = Process(self.command, self.log, self.environment)

    def wait(self) -> None:
        """Return when it does its work. :raises ProgramError: with its log's end."""
        self._running.wait_until(self.name, lambda: self._ready(self), self._seconds)

    def start(self) -> None:
        self.begin()
        self.wait()

    def kill(self) -> None:
        """kill -9, with all that it has started; return when it is gone."""
        if self._process:
            self._process.kill()

    def stop(self) -> None:
        """SIGTERM; return when it has ended."""
        if self._process:
            self._process.stop()

    def freeze(self) -> None:
        self._running.freeze()

    def thaw(self) -> None:
        self._running.thaw()

    def restart(self) -> None:
        """kill -9, and start it again."""
        self.kill()
        self.start()

    @property
    def _running(self) -> Process:
        if self._process is None:
            raise ProgramError(f"{self.name} was never started")
        return self._process
