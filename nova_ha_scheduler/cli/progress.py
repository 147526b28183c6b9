# SPDX-License-Identifier: Apache-2.0
"""What takes long says what it does, to people who look at it: never into a pipe."""

import contextlib
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator

AFTER = 2.0
"""Seconds for which nothing is said: most is done by then."""

_EVERY = 1.0

_CLEAR = "\r\033[K"


@contextlib.contextmanager
def shown(words: Callable[[], str]) -> Iterator[None]:
    """Show one line for as long as the block takes, if it takes long.

    :param words: what is done now, and how far it is; "": others say it, and the line
        is theirs. Called in another thread.
    """
    if not is_seen():
        yield
        return
    ended, began = threading.Event(), time.monotonic()

    def work() -> None:
        wait = AFTER or _EVERY
        while not ended.wait(wait):
            _draw(words(), time.monotonic() - began)
            wait = _EVERY

    if AFTER == 0:
        _draw(words(), 0.0)
    drawer = threading.Thread(target=work, daemon=True)
    drawer.start()
    try:
        yield
    finally:
        ended.set()
        drawer.join()
        if words():
            clear()


def is_seen() -> bool:
    """Whether a person looks at the standard error."""
    return sys.stderr.isatty()


def clear() -> None:
    """Take the line away, before something else is said."""
    if is_seen():
        print(_CLEAR, end="", file=sys.stderr, flush=True)


def _draw(words: str, seconds: float) -> None:
    if words:
        line = f"{words} ({seconds:.0f} s)"
        room = shutil.get_terminal_size().columns - 1
        print(f"{_CLEAR}{line[:room]}", end="", file=sys.stderr, flush=True)
