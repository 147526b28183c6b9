# SPDX-License-Identifier: Apache-2.0
"""The time, so that a scenario can bring its own."""

import datetime
import time
from typing import Protocol


class Clock(Protocol):
    def now(self) -> float:
        """Seconds since the epoch."""

    def steady(self) -> float:
        """Seconds since some moment, whatever the clock is set to meanwhile."""


class SystemClock:
    def now(self) -> float:
        return time.time()

    def steady(self) -> float:
        return time.clock_gettime(time.CLOCK_BOOTTIME)  # goes on while suspended


def in_utc(at: float, timespec: str = "seconds") -> str:
    """A moment, in seconds since the epoch, as ISO 8601 with Z.

    :param timespec: how exactly; see datetime.isoformat.
    """
    found = datetime.datetime.fromtimestamp(at, datetime.UTC)
    return found.isoformat(timespec=timespec).replace("+00:00", "Z")
