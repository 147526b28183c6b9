# SPDX-License-Identifier: Apache-2.0
"""Nothing of a stack outlives the program that has started it.

A process reads a pipe from that program. When it closes, be it by kill -9, all
processes are killed that have the stack's mark in their environment, or write to a log
in its folder: those that change their title overwrite their environment.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.lib.errors import ProgramError

MARK = "NOVA_HA_STACK"


class Keeper:
    """For one stack, known by its folder."""

    def __init__(self, folder: Path) -> None:
        self.mark = {MARK: str(folder)}
        environment = {k: v for k, v in os.environ.items() if k != MARK}
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__, str(folder)],
            stdin=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is not for it
            env=environment,
            cwd=Path(__file__).parents[3],
        )

    def end(self) -> None:
        """Kill all of the stack; return when it is gone."""
        assert self._process.stdin
        self._process.stdin.close()
        if self._process.wait(60):
            raise ProgramError("some process of the stack survives kill -9")


def marked(folder: str) -> list[int]:
    """The processes of a stack that have not ended."""
    mark = f"{MARK}={folder}".encode()
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # ended, or another user's
            environment = (path / "environ").read_bytes().split(b"\0")
            log = (path / "fd" / "1").readlink()
            if mark in environment or log.is_relative_to(folder):
                found.append(int(path.name))
    return found


def main() -> int:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    sys.stdin.read()
    end = time.monotonic() + 30
    while found := marked(sys.argv[1]):
        for pid in found:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if time.monotonic() > end:
            return 1
        time.sleep(0.05)
    return 0


if __name__ == "__main__":
    sys.exit(main())
