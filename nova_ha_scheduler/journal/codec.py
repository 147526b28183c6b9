# SPDX-License-Identifier: Apache-2.0
"""Records to JSON and back, by their annotations.

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
from collections.abc import Mapping
from typing import Any, TypeVar

from nova_ha_scheduler.journal import JournalError

T = TypeVar("T")


def dump(record: Any) -> str:
    """A frozen record as JSON, in ASCII: no character is beyond any database."""
    fields = {f.name: getattr(record, f.name) for f in dataclasses.fields(record)}
    return json.dumps(fields, default=_plain, sort_keys=True)


def _plain(value: Any) -> Any:
    if isinstance(value, enum.Enum):
        return value.name
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, frozenset):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} cannot be journalled")


@functools.lru_cache(maxsize=4096)  # records are frozen; most stay for many steps
def load(cls: type[T], text: str) -> T:
    """:raises JournalError: the text does not hold such a record."""
    try:
        found: T = _typed(cls, json.loads(text))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise JournalError(
            f"a {cls.__name__} in the journal cannot be read: {error!r}"
        ) from error
    return found


@functools.cache
def _hints(cls: type) -> dict[str, Any]:
    return typing.get_type_hints(cls)


def _typed(hint: Any, value: Any) -> Any:
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        some = next(arg for arg in args if arg is not types.NoneType)
        return None if value is None else _typed(some, value)
    if origin in (tuple, frozenset):
        return origin(_typed(args[0], item) for item in value)
    if origin is not None:  # a mapping
        return {key: _typed(args[1], item) for key, item in value.items()}
    if issubclass(hint, enum.Enum):
        return hint[value]
    if hasattr(hint, "__dataclass_fields__"):
        hints = _hints(hint)
        return hint(**{key: _typed(hints[key], item) for key, item in value.items()})
    if not isinstance(value, (int, float) if hint is float else hint):
        raise TypeError(f"{value!r} is no {hint.__name__}")
    return value


def fits(text: str, length: int | None = None) -> str:
    """The text as every database stores it: no NUL, no lone surrogate, cut to length.

    Names come from tenants and sentences from devices; neither may stop a recovery.
    """
    return text.encode("utf-8", "replace").decode().replace("\0", "")[:length]
