# SPDX-License-Identifier: Apache-2.0
"""Waiting for what comes about by itself."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

PATIENCE = 300.0
"""Seconds. What comes at all comes far sooner, even where four suites share two cores;
so a test never says how quick something is, and does not fail where it is slow."""

BUSY = 5.0
"""How many times what is promised may pass in a suite that shares the machine. The
promise itself is held where a test has the machine alone (make fullstack)."""


def wait(what: str, found: Callable[[], T | None], seconds: float = PATIENCE) -> T:
    """A function's first value that is something.

    :raises AssertionError: it gives none in that time.
    """
    end = time.monotonic() + seconds
    while not (value := found()):
        assert time.monotonic() < end, f"{what}: not within {seconds} s"
        time.sleep(0.05)
    return value
