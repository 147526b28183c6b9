# SPDX-License-Identifier: Apache-2.0
"""Decisions as files: a line of JSON for each record, and for each step.

A record is ``[class, {field: value}]``, with all of its fields; a step is ``{"step":
its name, "of": the record}``. In a value, ``{"@": number}`` is the record on that line,
counted from 0; ``{"!": [enum, member]}`` a member; ``{"=": {...}}`` a mapping. The same
record is written once, and so is the same decision.
"""

import dataclasses
import enum
import functools
import gzip
import json
import re
from collections.abc import Iterator, Mapping, Set
from pathlib import Path
from typing import Any

from tests.lib.decisions.shapes import Member, Renames, Shape, Unbuilt

_MOST = 100_000
"""Records that are kept in mind, since most stay for many steps."""


@functools.cache
def _names(cls: Any) -> tuple[str, ...]:
    return tuple(field.name for field in dataclasses.fields(cls))


class Writer:
    """Collects the decisions of a file.

    :ivar steps: how many there were. :ivar kept: how many of them are different.
    """

    def __init__(self) -> None:
        self.steps = self.kept = 0
        self._lines: dict[str, int] = {}
        self._known: set[int] = set()
        self._met: dict[int, tuple[Any, int]] = {}
        self._classes: dict[str, type] = {}

    def add(self, step: str, decision: Any) -> None:
        """:raises ValueError: two classes have one name, or a value is of no kind that
        can be kept."""
        self.steps += 1
        if len(self._met) > _MOST:
            self._met.clear()
        number = self._value(decision)["@"]
        if number in self._known:
            return
        self._known.add(number)
        self.kept += 1
        self._line({"step": step, "of": number})

    def write(self, path: Path) -> None:
        """The same decisions give the same bytes."""
        with (
            path.open("wb") as raw,
            gzip.GzipFile("", "wb", 6, raw, mtime=0) as packed,
        ):
            packed.write("".join(f"{line}\n" for line in self._lines).encode("ascii"))

    def _line(self, what: Any) -> int:
        text = json.dumps(what, separators=(",", ":"))
        return self._lines.setdefault(text, len(self._lines))

    def _value(self, value: Any) -> Any:
        if dataclasses.is_dataclass(value):
            return {"@": self._record(value)}
        match value:
            case enum.Enum():
                return {"!": [self._class(type(value)), value.name]}
            case tuple():
                return [self._value(item) for item in value]
            case Set():
                return [self._value(item) for item in sorted(value)]
            case Mapping():
                return {"=": {key: self._value(item) for key, item in value.items()}}
            case None | bool() | int() | float() | str():
                return value
        raise ValueError(f"{value!r} cannot be kept")

    def _record(self, record: Any) -> int:
        if id(record) not in self._met:
            cls: Any = type(record)
            items = {name: self._value(getattr(record, name)) for name in _names(cls)}
            number = self._line([self._class(cls), items])
            self._met[id(record)] = record, number
        return self._met[id(record)][1]

    def _class(self, cls: type) -> str:
        if self._classes.setdefault(cls.__name__, cls) is not cls:
            raise ValueError(f"{cls} and {self._classes[cls.__name__]} have one name")
        return cls.__name__


def file_of(group: str) -> str:
    """The name of a group's file."""
    return re.sub(r"[^a-z0-9]+", "-", group.lower()) + ".jsonl.gz"


def read(path: Path, renames: Renames) -> Iterator[tuple[str, Shape | Unbuilt]]:
    """Each step's name, and its decision in today's names; or why there is none.

    :raises OSError, EOFError, ValueError: the file is no such file, or a part of one.
    """
    records: list[Shape | Unbuilt | None] = []

    def value(kept: Any) -> Any:
        if isinstance(kept, list):
            return [value(item) for item in kept]
        match kept:
            case {"@": number}:
                return records[number]
            case {"!": [kind, name]}:
                return renames.member(Member(kind, name))
            case {"=": items}:
                return {key: value(item) for key, item in items.items()}
        return kept

    with gzip.open(path, "rt", encoding="ascii") as lines:
        for line in lines:
            match json.loads(line):
                case {"step": step, "of": number}:
                    records.append(None)
                    found = records[number]
                    assert found is not None
                    yield step, found
                case [kind, fields]:
                    items = {name: value(item) for name, item in fields.items()}
                    try:
                        records.append(renames.record(Shape(kind, items)))
                    except Unbuilt as error:
                        records.append(error)
                case other:
                    raise ValueError(f"{path}: {other} is neither record nor step")
