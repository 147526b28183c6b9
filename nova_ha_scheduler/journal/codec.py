# SPDX-License-Identifier: Apache-2.0
"""Records to rows and JSON and back, by their annotations.

In JSON, enum members are stored by name: a value may be a sentence, and sentences get
better. A field that a record lacks gets its default; one that is too many is an error,
as it was written by a newer version, whose meaning would be lost.
"""

import enum
import functools
import json
import types
import typing
from collections.abc import Mapping
from typing import Any, TypeVar

import sqlalchemy as sa

from nova_ha_scheduler.journal import JournalError

T = TypeVar("T")


def row(table: sa.Table, record: Any) -> dict[str, Any]:
    """A record as a row: its fields that are columns, and all of it in ``record``."""
    columns = table.columns
    found = {key: value for key, value in vars(record).items() if key in columns}
    for key, value in found.items():
        if isinstance(value, enum.Enum):
            found[key] = value.value
        elif isinstance(value, tuple):
            found[key] = json.dumps(value)
        elif isinstance(value, str):
            found[key] = _fitting(value, columns[key].type.length)
    return {**found, "record": dump(record)} if "record" in columns else found


def _fitting(text: str, length: int | None) -> str:
    """The text as every database stores it: no NUL, no lone surrogate, cut to length.

    Names come from tenants and sentences from devices; neither may stop a recovery.
    """
    return text.encode("utf-8", "replace").decode().replace("\0", "")[:length]


def dump(record: Any) -> str:
    """A frozen record as JSON, in ASCII: no character is beyond any database."""
    return json.dumps(vars(record), default=_plain, sort_keys=True)


def _plain(value: Any) -> Any:
    if isinstance(value, enum.Enum):
        return value.name
    return dict(value) if isinstance(value, Mapping) else vars(value)


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


_hints = functools.cache(typing.get_type_hints)


def _typed(hint: Any, value: Any) -> Any:
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is types.UnionType:  # with None, which stands last
        return None if value is None else _typed(args[0], value)
    if origin is tuple:
        return tuple(_typed(args[0], item) for item in value)
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
