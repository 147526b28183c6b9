# SPDX-License-Identifier: Apache-2.0
"""Records as rows of the journal's tables, and back."""

import enum
import json
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
