# SPDX-License-Identifier: Apache-2.0
"""Durations, words, times and lists as people write and read them."""

import argparse
import datetime
import re
from collections.abc import Callable, Mapping
from typing import Any

from cliff.columns import FormattableColumn

from nova_ha_scheduler import clock

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}

NOTHING = "-"
"""What people see where there is nothing."""


def duration(text: str) -> float:
    """Seconds of '90s', '15m', '2h', '30d' or '4w'."""
    match = re.fullmatch(r"(\d+)([smhdw])", text)
    if not match:
        raise argparse.ArgumentTypeError(f"{text} is no duration like 90s, 2h or 30d")
    return float(match[1]) * _UNITS[match[2]]


def count(text: str) -> int:
    """A whole number from 1 on."""
    if not (text.isascii() and text.isdigit() and int(text)):
        raise argparse.ArgumentTypeError(f"{text} is no whole number from 1 on")
    return int(text)


def words(text: str) -> str:
    """A text that says something."""
    if not text.strip():
        raise argparse.ArgumentTypeError("it is empty")
    return text.strip()


def in_utc(at: float) -> str:
    """ISO 8601, UTC, to the millisecond."""
    return clock.in_utc(at, "milliseconds")


def in_local(at: float) -> str:
    """Local time to the second, with its offset: 2026-11-29 09:14:03+01:00."""
    found = datetime.datetime.fromtimestamp(int(at // 1)).astimezone()
    return found.isoformat(" ", timespec="seconds")


def seconds(start: float | None, end: float | None) -> float | None:
    """From one moment to another, to the millisecond."""
    return None if start is None or end is None else round(end - start, 3)


def human(value: Any) -> str:
    """A value as people see it: nothing is NOTHING, never None."""
    if isinstance(value, FormattableColumn):
        value = value.human_readable()
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        value = ", ".join(map(human, value))
    return NOTHING if value is None or value == "" else str(value)


def plain(value: Any) -> Any:
    """A value, or lists and mappings of values, as programs see it."""
    if isinstance(value, FormattableColumn):
        return value.machine_readable()
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


class Moment(FormattableColumn[float | None]):
    """Seconds since the epoch, or None.

    People see local time to the second, with its offset; programs ISO 8601 in UTC, to
    the millisecond.
    """

    def human_readable(self) -> str:
        return NOTHING if self._value is None else in_local(self._value)

    def machine_readable(self) -> Any:
        return None if self._value is None else in_utc(self._value)

    def __bool__(self) -> bool:
        return self._value is not None

    def __lt__(self, other: object) -> bool:
        """None comes last."""
        if not isinstance(other, Moment):
            return NotImplemented
        if self._value is None or other._value is None:
            return self._value is not None
        return bool(self._value < other._value)


class Rows(FormattableColumn[list[dict[str, Any]]]):
    """A list of mappings: lines for people, itself for programs.

    :param line: what people read of a mapping, if not all of it.
    """

    def __init__(
        self,
        rows: list[dict[str, Any]],
        line: Callable[[dict[str, Any]], str] | None = None,
    ) -> None:
        super().__init__(rows)
        self._line = line or _all

    def where(self, wanted: Callable[[dict[str, Any]], bool]) -> "Rows":
        """Those of them alone."""
        return Rows([row for row in self._value if wanted(row)], self._line)

    def human_readable(self) -> str:
        return "\n".join(map(self._line, self._value)) or NOTHING

    def machine_readable(self) -> list[dict[str, Any]]:
        return [plain(row) for row in self._value]


def _all(row: dict[str, Any]) -> str:
    told = {key: human(value) for key, value in row.items()}
    return ", ".join(
        f"{key}: {value}" for key, value in told.items() if value != NOTHING
    )


class Words(FormattableColumn[list[str]]):
    """A list of words: one line for people, itself for programs."""

    def human_readable(self) -> str:
        return ", ".join(self._value)


class Lines(FormattableColumn[list[str]]):
    """A list of sentences: a line each for people, itself for programs."""

    def human_readable(self) -> str:
        return "\n".join(self._value)


class Pairs(FormattableColumn[dict[str, Any]]):
    """Metadata, or amounts: key=value for people, itself for programs."""

    def human_readable(self) -> str:
        return ", ".join(f"{key}={value}" for key, value in self._value.items())
