# SPDX-License-Identifier: Apache-2.0
"""The truth that lies on the disks: what guests (guest.S) have written there.

A guest adds one each second to a counter on each of its disks, and says in which boot
of its disk it does so. So a counter that goes back has lost data, one that stands still
has no guest, and one of which an earlier boot writes again, or that grows faster than
time, is written by two.
"""

import contextlib
import re
import threading
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

_SECTOR = 512
_BOOTS = re.compile(rb"boots (\d{8})\n")
_BEATS = re.compile(rb"beats (\d{8}) boot (\d{8})\n")

_LOOK = 0.5
"""Seconds between two looks."""

_FAST = 1.1
"""Beats in a second, at most."""
_JITTER = 4
"""Beats that may come at once: those for which a guest has waited."""

_ALIVE = 15.0
"""Seconds within which a guest that runs has written, on a busy machine, too."""


@dataclass(frozen=True)
class Mark:
    """What is on a disk.

    :ivar boots: how often a guest was booted from it; 0 if never.
    :ivar beats: how many seconds guests ran with it.
    :ivar boot: in which boot of its own first disk the last one ran.
    """

    boots: int
    beats: int
    boot: int


def read(disk: Path) -> Mark | None:
    """What is on a disk, as it is now; None: nothing was ever written."""
    with disk.open("rb", buffering=0) as file:
        file.seek(_SECTOR)
        text = file.read(2 * _SECTOR)
    boots, beats = _BOOTS.match(text), _BEATS.match(text, _SECTOR)
    if not beats:
        return None
    return Mark(int(boots[1]) if boots else 0, int(beats[1]), int(beats[2]))


@dataclass
class _Seen:
    """Of one disk."""

    inode: int
    first: tuple[float, Mark]
    last: Mark


class Disks:
    """All disks of a stack, looked at all the while.

    :ivar breaches: what no disk should show.
    """

    def __init__(self, folder: Path) -> None:
        """:param folder: of the stack."""
        self.breaches: list[str] = []
        self._folder = folder
        self._seen: dict[Path, _Seen] = {}
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(_LOOK):
            with self._lock:
                self.look(time.time())

    def look(self, now: float) -> None:
        """Look at each once."""
        for pattern in ("zones/*/*-*/disk", "exports/*/volume-*"):
            for disk in self._folder.glob(pattern):
                with contextlib.suppress(FileNotFoundError):  # just deleted
                    self._look_at(disk, now)

    @contextlib.contextmanager
    def replaced(self, disk: Path) -> Iterator[None]:
        """Its operator puts other contents there, in this block."""
        with self._lock:
            yield
            self._seen.pop(disk, None)

    def _look_at(self, disk: Path, now: float) -> None:
        inode, mark = disk.stat().st_ino, read(disk)
        if mark is None:
            return
        seen = self._seen.get(disk)
        if seen is None:
            self._seen[disk] = _Seen(inode, (now, mark), mark)
            return
        if wrong := self._wrong(seen, inode, mark, now):
            self.breaches += [f"{self.name(disk)}: {words}" for words in wrong]
            seen.first = now, mark  # each is told once
        seen.inode, seen.last = inode, mark

    @staticmethod
    def _wrong(seen: _Seen, inode: int, mark: Mark, now: float) -> list[str]:
        last, (since, first) = seen.last, seen.first
        if inode != seen.inode and (mark.beats, mark.boots) < (last.beats, last.boots):
            return [f"made anew after {last.beats} beats"]  # else it is a copy
        found = []
        if mark.beats < last.beats:
            found.append(f"went back from {last.beats} beats to {mark.beats}")
        if mark.boots < last.boots or mark.boot < last.boot:
            found.append(f"written by boot {mark.boot} after boot {last.boot} had")
        if mark.beats - first.beats > (now - since) * _FAST + _JITTER:
            found.append(f"{mark.beats - first.beats} beats in {now - since:.1f} s")
        return found

    def name(self, disk: Path) -> str:
        return str(disk.relative_to(self._folder))

    def of(self, server: str) -> list[Path]:
        """The first disks of a server on the zones' storage; there should be one."""
        return sorted(self._folder.glob(f"zones/*/{server}/disk"))

    def still(self, disks: Collection[Path]) -> list[str]:
        """Those on which no guest writes, by their names; takes some seconds."""
        before = {disk: _read_if_there(disk) for disk in disks}
        end = time.monotonic() + _ALIVE
        waiting = set(disks)
        while waiting and time.monotonic() < end:
            time.sleep(_LOOK)
            waiting = {
                disk
                for disk in waiting
                if not _grew(before[disk], _read_if_there(disk))
            }
        return sorted(self.name(disk) for disk in waiting)

    def silent(self, servers: Collection[str]) -> set[str]:
        """Those that do not have one disk on the zones' storage, or on whose disk there
        no guest writes; takes some seconds."""
        found = {server: self.of(server) for server in servers}
        still = self.still([disk for its in found.values() for disk in its])
        return {
            server
            for server, its in found.items()
            if len(its) != 1 or self.name(its[0]) in still
        }


def _read_if_there(disk: Path) -> Mark | None:
    try:
        return read(disk)
    except FileNotFoundError:  # just deleted, or moved
        return None


def _grew(before: Mark | None, now: Mark | None) -> bool:
    """Whether two beats came: one may be the end of a write."""
    return now is not None and now.beats >= (before.beats if before else 0) + 2
