# SPDX-License-Identifier: Apache-2.0
"""Records without their classes, by the names of their fields, so that they outlive
their modules and classes; and today's records made of them."""

import dataclasses
import enum
import functools
import types
import typing
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Shape:
    """A record: its class's name, and all of its fields."""

    kind: str
    fields: dict[str, Any]


@dataclass(frozen=True)
class Member:
    """A member of an enum."""

    kind: str
    name: str


class Unbuilt(Exception):
    """A kept record is none of today's; str() says which field, and why."""


@dataclass(frozen=True)
class Renames:
    """What makes today's records of kept ones. Every key is a kept name.

    Another name of a class or of a module needs no line: a record is read by the
    annotation of the field that it is in.

    :ivar fields: ``Record.field`` to the field's name today; None: it is gone.
    :ivar members: ``Enum.MEMBER`` to the member's name today.
    :ivar reshaped: a record's class to a function, for all else. It gets the shape
        after the two above, and returns the one of today; the records in it are of
        today already.
    """

    fields: Mapping[str, str | None] = field(default_factory=dict)
    members: Mapping[str, str] = field(default_factory=dict)
    reshaped: Mapping[str, Callable[[Shape], Shape]] = field(default_factory=dict)

    def record(self, kept: Shape) -> Shape:
        """:raises Unbuilt: the function that reshapes it fails."""
        named = (
            (self.fields.get(f"{kept.kind}.{name}", name), value)
            for name, value in kept.fields.items()
        )
        shape = Shape(kept.kind, {name: value for name, value in named if name})
        if kept.kind not in self.reshaped:
            return shape
        try:
            return self.reshaped[kept.kind](shape)
        except Exception as error:
            raise Unbuilt(f"{kept.kind} is not reshaped: {error!r}") from error

    def member(self, kept: Member) -> Member:
        name = self.members.get(f"{kept.kind}.{kept.name}", kept.name)
        return Member(kept.kind, name)


def adding(**values: Any) -> Callable[[Shape], Shape]:
    """For Renames.reshaped: new fields, which have had these values all along.

    :param values: as in a shape: lists for tuples and sets, a Member for a member.
    """
    return lambda kept: Shape(kept.kind, {**kept.fields, **values})


_hints = functools.cache(typing.get_type_hints)
_UNIONS = (types.UnionType, typing.Union)


class Builder:
    """Makes today's records; of a shape that stands in many places, once."""

    def __init__(self) -> None:
        self._built: dict[tuple[Any, int], tuple[Shape, Any]] = {}

    def build(self, hint: Any, value: Any, where: str = "") -> Any:
        """Today's value of a kept one.

        :param hint: the annotation of where it is to stand.
        :param where: the field, for the sentence.
        :raises Unbuilt: it is not what the annotation says. A field that only the kept
            record has, or only today's, is wrong, too: a default would be a guess.
        """
        origin, args = typing.get_origin(hint) or hint, typing.get_args(hint)
        if origin in _UNIONS:
            return self._one_of(args, value, where)
        match value:
            case Unbuilt():
                raise value
            case Shape() if dataclasses.is_dataclass(origin):
                return self._record(hint, value)
            case Member() if issubclass(origin, enum.Enum):
                if value.name in origin.__members__:
                    return origin[value.name]
            case list() if issubclass(origin, (tuple, Set)):
                return origin(self.build(args[0], item, where) for item in value)
            case dict() if issubclass(origin, Mapping):
                items = value.items()
                return {key: self.build(args[1], item, where) for key, item in items}
            case bool() | int() | float() | str():
                if isinstance(value, (float, int) if origin is float else origin):
                    return value
        raise Unbuilt(f"{where}: {_words(value)} is no {_name(hint)}")

    def _one_of(self, args: tuple[Any, ...], value: Any, where: str) -> Any:
        if value is None and types.NoneType in args:
            return None
        *others, last = (arg for arg in args if arg is not types.NoneType)
        for hint in others:
            try:
                return self.build(hint, value, where)
            except Unbuilt:
                continue
        return self.build(last, value, where)

    def _record(self, cls: Any, shape: Shape) -> Any:
        key = cls, id(shape)
        if key not in self._built:
            self._built[key] = shape, self._made(cls, shape)
        return self._built[key][1]

    def _made(self, cls: Any, shape: Shape) -> Any:
        hints, today = _hints(cls), {field.name for field in dataclasses.fields(cls)}
        if lacking := sorted(today - shape.fields.keys()):
            names = ", ".join(lacking)
            raise Unbuilt(f"{cls.__name__} has {names}, the kept {shape.kind} has not")
        if unknown := sorted(shape.fields.keys() - today):
            names = ", ".join(unknown)
            raise Unbuilt(f"the kept {shape.kind} has {names}, {cls.__name__} has not")
        return cls(
            **{
                name: self.build(hints[name], value, f"{cls.__name__}.{name}")
                for name, value in shape.fields.items()
            }
        )


def _words(value: Any) -> str:
    if isinstance(value, Member):
        return f"{value.kind}.{value.name}"
    return value.kind if isinstance(value, Shape) else repr(value)[:40]


def _name(hint: Any) -> str:
    return hint.__name__ if isinstance(hint, type) else str(hint)
