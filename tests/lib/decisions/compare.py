# SPDX-License-Identifier: Apache-2.0
"""Decides again what was kept, and shows what differs."""

import dataclasses
import enum
import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nova_ha_scheduler.evacuation import engine
from nova_ha_scheduler.evacuation.decisions import Decision
from tests.lib.decisions.files import read
from tests.lib.decisions.keep import INDEX
from tests.lib.decisions.shapes import Builder, Renames, Unbuilt


@dataclass
class Found:
    """:ivar differing: how many decisions differ, each in one field or more.
    :ivar unbuilt: how many are none today.
    :ivar kinds: what is wrong, in words, and where: group, step, and how.
    """

    commit: str = ""
    compared: int = 0
    differing: int = 0
    unbuilt: int = 0
    kinds: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    @property
    def same(self) -> bool:
        """Whether all were compared, and none differs."""
        return bool(self.compared) and not self.kinds

    def lines(self, examples: int) -> Iterator[str]:
        """:param examples: how many of each kind are shown."""
        for kind, where in sorted(self.kinds.items()):
            yield f"{kind}: {len(where)} times"
            yield from (f"    {one}" for one in where[:examples])
        yield (
            f"{self.compared} decisions compared with those of {self.commit}: "
            f"{self.differing} differ, {self.unbuilt} cannot be rebuilt"
        )


def compare(directory: Path, renames: Renames, say: Callable[[str], None]) -> Found:
    """:raises OSError, EOFError, ValueError: a file is not there, or not as it was."""
    index = json.loads((directory / INDEX).read_text())
    found = Found(index["commit"])
    for name, file in index["files"].items():
        builder, before, number = Builder(), len(found.kinds), 0
        for step, shape in read(directory / name, renames):
            number += 1
            _decide(found, f"{file['group']}, {step}", builder, shape)
        if number != file["kept"]:
            raise ValueError(f"{name}: {number} decisions instead of {file['kept']}")
        if len(found.kinds) > before:
            say(f"{file['group']}: something new differs")
    return found


def _decide(found: Found, where: str, builder: Builder, shape: Any) -> None:
    try:
        kept: Decision = builder.build(Decision, shape)
    except Unbuilt as error:
        found.unbuilt += 1
        found.kinds[f"cannot be rebuilt: {error}"].append(where)
        return
    found.compared += 1
    try:
        now = engine.again(kept)
    except Exception as error:
        found.differing += 1
        found.kinds[f"raises {type(error).__name__}"].append(f"{where}: {error}")
        return
    if now == kept.change:
        return
    found.differing += 1
    for which, old, new in differences(kept.change, now):
        found.kinds[which].append(f"{where}: {_words(old)} -> {_words(new)}")


def differences(kept: Any, now: Any, where: str = "") -> Iterator[tuple[str, Any, Any]]:
    """The fields, as ``Record.field``, that are not the same, with both values; of
    lists that are not equally long, what only one of them has."""
    if kept == now:
        return
    if dataclasses.is_dataclass(kept) and type(kept) is type(now):
        for one in dataclasses.fields(kept):
            values = getattr(kept, one.name), getattr(now, one.name)
            yield from differences(*values, f"{type(kept).__name__}.{one.name}")
    elif isinstance(kept, tuple) and isinstance(now, tuple) and len(kept) == len(now):
        for old, new in zip(kept, now, strict=True):
            yield from differences(old, new, where)
    elif isinstance(kept, tuple) and isinstance(now, tuple):
        gone = [item for item in kept if item not in now]
        yield where, gone, [item for item in now if item not in kept]
    else:
        yield where, kept, now


def _words(value: Any) -> str:
    if isinstance(value, enum.Enum):
        return value.name
    several = isinstance(value, list)
    text = "; ".join(map(str, value)) or "nothing" if several else str(value)
    return text if len(text) < 300 else f"{text[:300]}..."
