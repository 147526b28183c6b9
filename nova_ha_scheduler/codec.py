# SPDX-License-Identifier: Apache-2.0
"""Frozen records to JSON and back, by their annotations.

Enum members are stored by name: a value may be a sentence, and sentences get better.
A field that a record lacks gets its default; one that is too many is an error, as it
was written by a newer version, whose meaning would be lost.
"""

import dataclasses
import enum
import functools
import json
import types
import typing
from collections.abc import Mapping, Set
from typing import Any, TypeVar

T = TypeVar("T")

_PART = "it is no JSON, or only a part of it"


class Unreadable(ValueError):
    """What stands where and is not what it should be, as a sentence."""


def dump(record: Any) -> str:
    """A frozen record as JSON, in ASCII: no character is beyond any database."""
    return json.dumps(vars(record), default=_plain, sort_keys=True)


def plain(record: Any) -> dict[str, Any]:
    """A frozen record as JSON's types, without the fields that are at their default."""
    return {
        field.name: _deep(value)
        for field in dataclasses.fields(record)
        if (value := getattr(record, field.name)) != _default(field)
    }


def _default(field: "dataclasses.Field[Any]") -> Any:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return field.default


def _deep(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return plain(value)
    if isinstance(value, tuple):
        return [_deep(item) for item in value]
    if isinstance(value, Mapping):
        return {key: _deep(item) for key, item in value.items()}
    return value if isinstance(value, (str, int, float)) else _leaf(value)


def _leaf(value: Any) -> Any:
    return value if value is None else _plain(value)


def _plain(value: Any) -> Any:
    if isinstance(value, enum.Enum):
        return value.name
    if isinstance(value, Set):
        return sorted(value)
    return dict(value) if isinstance(value, Mapping) else vars(value)


def load(cls: type[T], text: str) -> T:
    """:raises Unreadable: the text does not hold such a record."""
    try:
        found: T = typed(cls, json.loads(text))
    except json.JSONDecodeError as error:
        raise Unreadable(f"{_PART}: {error}") from error
    return found


@dataclasses.dataclass(frozen=True)
class Format:
    """A kind of file: a record as JSON that says its ``schema``, and its ``version``,
    which grows when the meaning of a field changes."""

    schema: str
    version: int

    def plain(self, record: Any) -> dict[str, Any]:
        """As :func:`plain`, with what the file says of itself."""
        return {**vars(self), **plain(record)}

    def load(self, cls: type[T], text: str) -> T:
        """:raises Unreadable: the text is no such file; it says where, and why."""
        try:
            found = json.loads(text, parse_constant=_no_number)
        except (ValueError, RecursionError) as error:
            raise Unreadable(f"{_PART}: {error}") from error
        if not isinstance(found, dict) or found.pop("schema", None) != self.schema:
            raise Unreadable(f"it has no schema {self.schema}")
        version = found.pop("version", None)
        if version != self.version:
            raise Unreadable(
                f"its version is {json.dumps(version)}; this program reads "
                f"{self.version} alone"
            )
        record: T = typed(cls, found)
        return record


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no number")


_hints = functools.cache(typing.get_type_hints)


def typed(hint: Any, value: Any, where: str = "") -> Any:
    """JSON's types as what an annotation says.

    :param where: what it is, for the sentence: ``hosts[3]``.
    :raises Unreadable: they are something else; it says where.
    """
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        return _one_of(args, value, where)
    if origin in (tuple, frozenset):
        found = _checked(list, value, where)
        return origin(typed(args[0], v, f"{where}[{i}]") for i, v in enumerate(found))
    if origin is not None:  # a mapping
        found = _checked(dict, value, where)
        return {k: typed(args[1], v, _inside(where, k)) for k, v in found.items()}
    if issubclass(hint, enum.Enum):
        if not isinstance(value, str) or value not in hint.__members__:
            raise Unreadable(f"{_at(where)}{_short(value)} is no {hint.__name__}")
        return hint[value]
    if dataclasses.is_dataclass(hint):
        return _record(hint, value, where)
    return _checked(hint, value, where)


def _one_of(args: tuple[Any, ...], value: Any, where: str) -> Any:
    if value is None and types.NoneType in args:
        return None
    *others, last = (arg for arg in args if arg is not types.NoneType)
    for hint in others:
        try:
            return typed(hint, value, where)
        except Unreadable:
            continue
    return typed(last, value, where)


def _record(cls: Any, value: Any, where: str) -> Any:
    found, hints = _checked(dict, value, where), _hints(cls)
    for field in dataclasses.fields(cls):
        if field.name not in found and _default(field) is dataclasses.MISSING:
            raise Unreadable(f"{_at(where)}{field.name} is missing")
    if unknown := sorted(found.keys() - hints.keys()):
        raise Unreadable(f"{_at(where)}{unknown[0]} is not known")
    items = found.items()
    return cls(**{k: typed(hints[k], v, _inside(where, k)) for k, v in items})


def _checked(kind: Any, value: Any, where: str) -> Any:
    wanted = (int, float) if kind is float else kind
    if not isinstance(value, wanted) or (isinstance(value, bool) and kind is not bool):
        raise Unreadable(f"{_at(where)}{_short(value)} is no {_NAMES[kind]}")
    return value


_NAMES = {
    bool: "boolean",
    dict: "object",
    float: "number",
    int: "whole number",
    list: "list",
    str: "text",
}


def _inside(where: str, key: str) -> str:
    return f"{where}.{key}" if where else key


def _at(where: str) -> str:
    return f"{where}: " if where else ""


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
