# SPDX-License-Identifier: Apache-2.0
"""The time, so that a scenario can bring its own."""

import time
from typing import Protocol


class Clock(Protocol):
    def now(self) -> float:
        """Seconds since the epoch."""


class SystemClock:
    def now(self) -> float:
        return time.time()
