# SPDX-License-Identifier: Apache-2.0
"""Records as rows of the journal's tables, and back."""

import enum
import json
from collections.abc import Mapping
from typing import Any, TypeVar

import sqlalchemy as sa

from nova_ha_scheduler import codec
from nova_ha_scheduler.journal import JournalError

T = TypeVar("T")


def row(table: sa.Table, record: Any) -> dict[str, Any]:
    """A record as a row: what of it has a column, and all of it in ``record``."""
    columns = table.columns
    names = [column.name for column in columns if hasattr(record, column.name)]
    found = {name: getattr(record, name) for name in names}
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


dump = codec.dump


def load(cls: type[T], text: str) -> T:
    """:raises JournalError: the text does not hold such a record."""
    try:
        return codec.load(cls, text)
    except codec.Unreadable as error:
        raise JournalError(
            f"a {cls.__name__} in the journal cannot be read: {error}"
        ) from error


_Key = tuple[type[Any], str]


class Reading:
    """Records as they are read at one time. They are frozen, and most stay for many
    steps: a text that one of the two readings before had too is not read anew.

    Nothing older is kept, so that what has ended or changed takes up no memory.
    """

    def __init__(self, *before: Mapping[_Key, tuple[_Key, Any]]) -> None:
        self._before = before
        self._found: dict[_Key, tuple[_Key, Any]] = {}

    def next(self) -> "Reading":
        """The one after this. Two are remembered, as the service asks in turns for what
        is open, and for what the guard counts as well."""
        return Reading(self._found, *self._before[:1])

    def load(self, cls: type[T], text: str) -> T:
        """:raises JournalError: the text does not hold such a record."""
        key: _Key = cls, text
        known = next((old[key] for old in self._before if key in old), None)
        # With the text of then, which is kept once.
        key, record = known or (key, load(cls, text))
        self._found[key] = key, record
        found: T = record
        return found
