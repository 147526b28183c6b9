# SPDX-License-Identifier: Apache-2.0
"""The shape of what the journal holds, a line for each field and member.

``python -m tests.integration.journal.shape`` keeps it beside the number of the newest
migration. Decisions and the trigger's report have no part in it: where another version
has written one, whoever asks for it is told so, and nothing else goes by it.
"""

import dataclasses
import enum
import sys
import types
import typing
from pathlib import Path
from typing import Any

from nova_ha_scheduler.journal import schema, tables
from nova_ha_scheduler.records.effects import Intent
from nova_ha_scheduler.records.events import Event, EventKind
from nova_ha_scheduler.records.guard_record import GuardRecord
from nova_ha_scheduler.records.state import KINDS

KEPT = {
    **{tables.of_kind[kind.name].name: kind.record for kind in KINDS},
    "intents": Intent,
    "single": GuardRecord,
    "events": Event,
}
"""What stands in each table."""

FOLDER = Path(__file__).parent / "shapes"

_NAMES = {types.NoneType: "None", Ellipsis: "..."}


def today() -> list[str]:
    """``Record.field: what it holds``, with ``?`` where it may be missing, and
    ``Enum.MEMBER``."""
    found: set[str] = set()
    for record in KEPT.values():
        _add(record, found)
    return sorted(found)


def _add(hint: Any, found: set[str]) -> None:
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        by_value = hint is EventKind  # events stand in columns, not in JSON
        found |= {f"{hint.__name__}.{m.value if by_value else m.name}" for m in hint}
    elif dataclasses.is_dataclass(hint):
        hints = typing.get_type_hints(hint)
        for field in dataclasses.fields(hint):
            defaults = {field.default, field.default_factory}
            mark = ":" if defaults == {dataclasses.MISSING} else "?:"
            holds = hints[field.name]
            found.add(f"{hint.__name__}.{field.name}{mark} {_words(holds)}")
            _add(holds, found)
    for inner in typing.get_args(hint):
        _add(inner, found)


def _words(hint: Any) -> str:
    """An annotation without modules, which may move."""
    words = [_words(inner) for inner in typing.get_args(hint)]
    if isinstance(hint, types.UnionType):
        return " | ".join(words)
    name = _NAMES.get(hint) or getattr(hint, "__name__", str(hint))
    return f"{name}[{', '.join(words)}]" if words else name


def kept(number: str) -> list[str]:
    """The shape at a migration. :raises OSError: it was not kept."""
    return (FOLDER / f"{number}.txt").read_text().splitlines()


def main() -> None:
    path = FOLDER / f"{schema.revisions()[-1]}.txt"
    if path.exists():
        sys.exit(f"{path} is kept already: a new shape wants a new migration")
    path.write_text("\n".join(today()) + "\n")


if __name__ == "__main__":
    main()
