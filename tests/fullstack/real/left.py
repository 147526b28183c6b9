# SPDX-License-Identifier: Apache-2.0
"""What a program that starts a stack may leave behind: nothing."""

import contextlib
import os
import time
from collections.abc import Iterable
from pathlib import Path

from tests.lib.processes import beside
from tests.lib.stack import keeper
from tests.lib.waiting import PATIENCE


def devices() -> set[str]:
    """The network devices that this machine has, taps and bridges among them."""
    return set(os.listdir("/sys/class/net"))


def mounted(folder: str) -> list[str]:
    """What is mounted from there, or to there, in whatever namespace."""
    found = set()
    for path in Path("/proc").glob("[0-9]*/mountinfo"):
        with contextlib.suppress(OSError):  # it has just ended
            lines = path.read_text().splitlines()
            found |= {line for line in lines if folder in line}
    return sorted(found)


def running(folder: str) -> list[str]:
    """The processes that know it: those with its mark, and those of its guests."""
    pids = set(keeper.marked(folder))
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if folder in path.read_text(errors="replace"):
                pids.add(int(path.parent.name))
    return [f"{pid}" for pid in sorted(pids - {os.getpid()})]


def namespaces(pids: Iterable[int]) -> set[str]:
    """The PID, mount and network namespaces that processes are in."""
    found = set()
    for pid in pids:
        for kind in ("pid", "mnt", "net"):
            with contextlib.suppress(OSError):  # it has just ended
                found.add(os.readlink(f"/proc/{pid}/ns/{kind}"))
    return found


def everybody() -> list[int]:
    return [int(path.name) for path in Path("/proc").glob("[0-9]*")]


class Traces:
    """Of a program that is about to start: make it before that."""

    def __init__(self) -> None:
        self._devices = devices()
        self._ours = namespaces([os.getpid()])
        self._theirs: set[str] = set()

    def see(self, stack: Path) -> None:
        """Look at a stack that runs, and see that there is something to leave."""
        pids = [path.read_text() for path in stack.glob("machines/*/pid")]
        inside = [pid for text in pids for pid in beside(int(text.split()[0]))]
        assert len(inside) > 4
        assert mounted(str(stack))
        self._theirs = namespaces(inside) - self._ours
        assert len(self._theirs) >= 3

    def gone(self, folder: Path) -> None:
        """Wait until nothing is left of what ran with files in a folder."""
        end = time.monotonic() + PATIENCE
        while left := [
            *running(str(folder)),
            *mounted(str(folder)),
            *(self._theirs & namespaces(everybody())),
            *(devices() - self._devices),
        ]:
            assert time.monotonic() < end, left
            time.sleep(0.2)
