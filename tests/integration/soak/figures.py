# SPDX-License-Identifier: Apache-2.0
"""What a process holds, as the kernel counts it."""

import os
from dataclasses import dataclass
from pathlib import Path

_MIB = 1024 * 1024


def rss_mib(pid: int | str = "self") -> float:
    """The memory that a process has in use, in MiB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / _MIB


@dataclass(frozen=True)
class Figures:
    """Of one process at one moment.

    :ivar rss: in MiB. :ivar journal: MiB of its files.
    """

    rss: float
    threads: int
    descriptors: int
    journal: float

    def __str__(self) -> str:
        return (
            f"{self.rss:7.1f} MiB, {self.threads:3} threads, {self.descriptors:3} "
            f"descriptors, journal {self.journal:6.2f} MiB"
        )


def of(pid: int, journal: Path) -> Figures:
    """:param journal: its file; those beside it that begin with its name count."""
    proc = Path(f"/proc/{pid}")
    files = journal.parent.glob(f"{journal.name}*")
    return Figures(
        rss_mib(pid),
        len(list((proc / "task").iterdir())),
        len(list((proc / "fd").iterdir())),
        sum(file.stat().st_size for file in files) / _MIB,
    )
