# SPDX-License-Identifier: Apache-2.0
"""Programs that tests start and end. Needs no pytest, and imports little."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tests.lib.errors import ProgramError
from tests.lib.waiting import PATIENCE

_POLL = 0.05


class Process:
    """A program with a log. Signals go to it and to all that it has started."""

    def __init__(
        self, command: Sequence[str], log: Path, env: Mapping[str, str] | None = None
    ) -> None:
        """:param env: all of its environment; ours, if it is None."""
        self.log = log
        with log.open("wb") as out:
            # A session of its own: Ctrl-C at a terminal is for us to pass on.
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                env=env,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def wait_until(
        self, what: str, ready: Callable[[], bool], seconds: float = PATIENCE
    ) -> None:
        """:raises ProgramError: it has ended, or takes longer."""
        end = time.monotonic() + seconds
        while not ready():
            code = self._process.poll()
            if code is not None or time.monotonic() > end:
                state = "takes too long" if code is None else f"ended with {code}"
                tail = self.log.read_text(errors="replace")[-2000:]
                raise ProgramError(f"{what}: it {state}; {self.log}:\n{tail}")
            time.sleep(_POLL)

    def kill(self) -> None:
        """kill -9; return when it is gone."""
        kill_group(self.pid)
        self._process.wait()

    def freeze(self) -> None:
        """Stop it where it is (SIGSTOP): its connections stay open."""
        signal_group(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        signal_group(self.pid, signal.SIGCONT)

    def stop(self) -> int:
        """Ask it to end, and make sure; its exit code."""
        if self.alive:
            self._process.terminate()
            self.thaw()  # a frozen one ends only then
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(10)
        kill_group(self.pid)
        return self._process.wait()


def members(group: int) -> list[int]:
    """The processes of a group that have not ended."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, _, its = path.read_text().rsplit(")", 1)[1].split()[:3]
            if int(its) == group and state not in "ZX":
                found.append(int(path.parent.name))
    return found


def beside(first: int) -> list[int]:
    """All that ends with a process's end: those of its group, and those of the PID
    namespace whose first process it is."""
    theirs, ours = _namespace(first), _namespace(os.getpid())
    if theirs in (None, ours):
        return members(first)
    pids = (int(path.name) for path in Path("/proc").glob("[0-9]*"))
    return [pid for pid in pids if _namespace(pid) == theirs]


def _namespace(pid: int) -> str | None:
    """Of PIDs; None: the process has ended."""
    try:
        return os.readlink(f"/proc/{pid}/ns/pid")
    except OSError:
        return None


def signal_group(group: int, number: signal.Signals) -> None:
    """Send a signal to all of a group, if there is any of it."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, number)


def kill_group(group: int) -> None:
    """kill -9; return when all of the group are gone, whoever has started them.

    :raises ProgramError: the kernel does not end one of them.
    """
    end = time.monotonic() + PATIENCE
    while members(group):
        signal_group(group, signal.SIGKILL)
        if time.monotonic() > end:
            raise ProgramError(f"processes of group {group} survive kill -9")
        time.sleep(0.01)
