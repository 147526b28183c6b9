# SPDX-License-Identifier: Apache-2.0
"""Instants as people write them: local time, or with an offset, or so long from now.

Whoever gives one is told which was understood.
"""

import argparse
import datetime
import sys
import time
from typing import Any

from nova_ha_scheduler.cli.values import duration, in_local

FORMS = (
    "2026-01-31T22:00 (local time), 2026-01-31T22:00+01:00 (with its offset; Z is UTC)"
)
"""How an instant can be written, beside a duration."""


class TellInstant(argparse.Action):
    """Keep an instant, and tell in local time and in UTC which one it is."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        setattr(namespace, self.dest, values)
        print(f"{option_string}: {both(values)}", file=sys.stderr)


def both(at: float) -> str:
    """2026-11-29 09:14:03+01:00, which is 2026-11-29 08:14:03 UTC; in UTC, once."""
    found = datetime.datetime.fromtimestamp(int(at // 1), datetime.UTC)
    utc = f"{found:%Y-%m-%d %H:%M:%S} UTC"
    return f"{in_local(at)}, which is {utc}" if found.astimezone().utcoffset() else utc


def ago(text: str) -> float:
    """Seconds since the epoch of an instant, or of so long ago."""
    return _instant(text, -1)


def ahead(text: str) -> float:
    """The same, or so long from now; it has to lie ahead."""
    found = _instant(text, 1)
    if found <= time.time():
        raise argparse.ArgumentTypeError(f"it is past: {both(found)}")
    return found


def _instant(text: str, sign: int) -> float:
    try:
        found = _written(text)
        if found is None:
            found = time.time() + sign * _duration(text)
        both(found)
    except (ValueError, OverflowError, OSError) as error:
        raise argparse.ArgumentTypeError(f"{text} is too far away") from error
    return found


def _duration(text: str) -> float:
    try:
        return duration(text)
    except argparse.ArgumentTypeError as error:
        words = f"{text} is no time like {FORMS}, and no duration like 90s, 2h or 30d"
        raise argparse.ArgumentTypeError(words) from error


def _written(text: str) -> float | None:
    """Seconds since the epoch of an ISO 8601 time, if it is one."""
    try:
        found = datetime.datetime.fromisoformat(text)
    except ValueError:
        return None
    return found.timestamp() if found.tzinfo else _local(text, found)


def _local(text: str, found: datetime.datetime) -> float:
    """A time on the local clock, which it shows once.

    :raises ArgumentTypeError: the clock is put forward over it, or back.
    """
    first, second = (found.replace(fold=fold).timestamp() for fold in (0, 1))
    if first == second:
        return first
    choice = " or ".join(in_local(at).replace(" ", "T") for at in (first, second))
    if first < second:
        words = "is on the local clock twice, which is put back then"
    else:
        words = "is not on the local clock, which is put forward over it"
    raise argparse.ArgumentTypeError(f"{text} {words}: say {choice}")
