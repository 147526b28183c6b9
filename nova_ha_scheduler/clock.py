# SPDX-License-Identifier: Apache-2.0
"""The time, so that a scenario can bring its own."""

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
