# SPDX-License-Identifier: Apache-2.0
"""What the trigger takes of its machine, and what its log must not say."""

import contextlib
import re
import threading
from dataclasses import dataclass
from pathlib import Path

_EVERY = 0.25
"""Seconds."""

_NAMES = "|".join(
    (
        *("KeyError", "TypeError", "AttributeError", "RecursionError", "IndexError"),
        *(r"Unicode\w*Error", "AssertionError", "ZeroDivisionError", "OverflowError"),
        *("NameError", "MemoryError", "StopIteration", "BufferError", "RuntimeError"),
    )
)
_UNFORESEEN = re.compile(rf"Traceback|A step broke|\b(?:{_NAMES})\b")


@dataclass(frozen=True)
class Taken:
    """At most, or how much may be taken.

    :ivar rss: MiB. :ivar log: KiB of the log.
    """

    rss: int = 0
    threads: int = 0
    descriptors: int = 0
    log: int = 0

    def exceeds(self, most: "Taken") -> list[str]:
        pairs = ((name, getattr(most, name)) for name in vars(most))
        return [
            f"{getattr(self, name)} of {name}, and {limit} at most"
            for name, limit in pairs
            if getattr(self, name) > limit
        ]


class Watch:
    """Measures a process until it ends."""

    def __init__(self, pid: int, log: Path) -> None:
        self._process, self._log = Path(f"/proc/{pid}"), log
        self._over = threading.Event()
        self.most = Taken()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        with contextlib.suppress(OSError, KeyError):  # it has ended
            while not self._over.wait(_EVERY):
                self._look()

    def _look(self) -> None:
        said = (self._process / "status").read_text().splitlines()
        status = dict(line.split(":", 1) for line in said)
        now = Taken(
            int(status["VmRSS"].split()[0]) // 1024,
            int(status["Threads"]),
            len(list((self._process / "fd").iterdir())),
            self._log.stat().st_size // 1024,
        )
        higher = {
            name: max(vars(self.most)[name], vars(now)[name]) for name in vars(now)
        }
        self.most = Taken(**higher)

    def end(self) -> Taken:
        self._over.set()
        self._thread.join()
        return self.most


def unforeseen(text: str) -> list[str]:
    """Lines of a log, or of what a command said, that tell of a bug."""
    return [line for line in text.splitlines() if _UNFORESEEN.search(line)]
