# SPDX-License-Identifier: Apache-2.0
"""One core for the process that is measured, all others for those it starts.

Where there is only one core, all share it.
"""

import contextlib
import os
from collections.abc import Iterator

_FIRST, *_OTHERS = sorted(os.sched_getaffinity(0))


def keep_to_one() -> None:
    """For this thread and those that it starts from now on."""
    os.sched_setaffinity(0, {_FIRST})


@contextlib.contextmanager
def others() -> Iterator[None]:
    """A process that is started in this block gets the other cores: as any thread,
    it begins with those of the one that starts it."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, _OTHERS or {_FIRST})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
