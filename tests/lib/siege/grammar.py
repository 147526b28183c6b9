# SPDX-License-Identifier: Apache-2.0
"""Makes anything of JSON: of another shape, too much, too deep, or hard to read.

What it makes is garbage and not a lie: no "down", no "Off", no true for a false, no
list with less in it, no aggregate that lacks a tag. Who is lied to by Nova itself or by
a fence device has no way to find that out.
"""

import json
from collections.abc import Callable
from random import Random
from typing import Any

Place = tuple[Any, ...]
"""The keys and indices that lead to a value."""

_RAW = {
    "@deep list@": "[" * 20_000 + "]" * 20_000,
    "@deep object@": '{"a":' * 20_000 + "1" + "}" * 20_000,
    "@digits@": "9" * 5000,
    "@overflow@": "-1e999",
}
"""What json.dumps does not write, by what stands for it."""

_TEXTS = (
    *("", " ", "\0", "null", "None", "NaN", "-1", "[]", "{}", "../..", "%s%n", "${x}"),
    *("\ud800", "a\udfffb", "\u202egnp", "x\n2026-11-29 00:00:00 INFO host.fenced c9"),
    *("\x1b[2J\x1b]0;t\x07", "\u2028", "\uffff", "I\u0307", "😀" * 50, "é" * 3000),
    *("x" * 100_000, "9" * 5000, "^0-99999999999", "0-4294967295", "1,2,,-", "a=b;c"),
    *("0000-01-01T00:00:00", "0001-01-01T00:00:00", "9999-12-31T23:59:59.999999"),
    *("9999-12-31T23:59:59-23:59", "2026-02-30T25:61:61Z", "-0001-01-01", "now"),
    *("http://[", "http://192.0.2.1:99999/", "file:///etc/passwd", "//", "?marker=%ff"),
    *("00000000-0000-0000-0000-000000000000", "AAAAAAAA-0000-4000-8000-00000000000A"),
)
_NUMBERS = (
    *(0, -1, 1, 2**31, 2**53, 2**63, 2**64, -(2**63), 10**40, -0.0, 0.5, 1e308),
    *(float("nan"), float("inf"), "@digits@", "@overflow@"),
)
_MAPS = frozenset({"metadata", "extra_specs", "properties", "resources", "allocations"})
"""Objects in which any key may be absent, and each value is a word that counts."""

_BYTES = 16 << 20
"""Of a spoilt answer, at most: lists of lists with much in them grow fast."""

_MANY = 2000
"""Times that one object stands in a list."""


class Grammar:
    """Makes of a value another one, as the numbers have it."""

    def __init__(self, random: Random, deep: bool = True) -> None:
        """:param deep: also what is nested so deeply that nobody reads it, nor
        whatever it stands in."""
        self._random = random
        deepest = ("@deep list@", "@deep object@") if deep else (None,)
        self._changes: tuple[Callable[[Any], Any], ...] = (
            lambda value: None,
            lambda value: self.junk(2),
            lambda value: [] if isinstance(value, dict) else {},
            lambda value: [value],
            lambda value: {"": value},
            self._respelt,
            self._respelt,
            self._more,
            self._fewer,
            lambda value: random.choice(deepest),
        )

    def junk(self, depth: int) -> Any:
        """A value out of nothing."""
        kinds: list[Callable[[], Any]] = [
            lambda: self._random.choice(_TEXTS),
            lambda: self._random.choice(_NUMBERS),
            lambda: self._random.choice((None, [], {})),
        ]
        if depth:
            size = self._random.randrange(4)
            kinds += [
                lambda: [self.junk(depth - 1) for _ in range(size)],
                lambda: {self._key(): self.junk(depth - 1) for _ in range(size)},
            ]
        return self._random.choice(kinds)()

    def _key(self) -> str:
        return self._random.choice((*_TEXTS, "id", "links", "name", "host"))

    def _respelt(self, value: Any) -> Any:
        """Of the same kind, and still not what it was."""
        if isinstance(value, str):
            ways = (value.upper(), value + " ", " " + value, value + "\0", value[:-1])
            return self._random.choice((*ways, *_TEXTS))
        if isinstance(value, bool):  # not the other one: that is a lie
            return self._random.choice(("yes", 2, "TRUE", None, []))
        if isinstance(value, int | float):
            return self._random.choice(_NUMBERS)
        return self.junk(1)

    def _more(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {**value, self._key(): self.junk(2), self._key(): self.junk(1)}
        if isinstance(value, list):
            return [*value, self.junk(2)] + value[:1] * self._random.choice((1, _MANY))
        return [value] * self._random.choice((2, _MANY))

    def _fewer(self, value: Any) -> Any:
        if isinstance(value, dict) and value:
            gone = self._random.choice(sorted(value))
            return {key: its for key, its in value.items() if key != gone}
        return self.junk(0)

    def spoil(self, body: Any, places: list[Place]) -> Any:
        """The body with something else in one of these places."""
        place = self._random.choice(places)
        while True:
            changed = _put(body, place, self._random.choice(self._changes))
            if not _lies(_at(body, place), _at(changed, place), place):
                return changed

    def several(self, body: Any, wanted: Callable[[Any], bool] | None = None) -> Any:
        """The body, spoilt in one to three places.

        :param wanted: an object of a list, or a value by its key, that may be spoilt;
            all that is in it may be, too. None: any place.
        """
        for _ in range(self._random.choice((1, 1, 1, 2, 3))):
            found = places(body) if wanted is None else within(body, wanted)
            if found:
                spoilt = self.spoil(body, found)
                body = spoilt if len(text(spoilt)) < _BYTES else body
        return body


def _at(body: Any, place: Place) -> Any:
    for key in place:
        body = body[key]
    return body


def _lies(old: Any, new: Any, place: Place) -> bool:
    """Whether it can be believed."""
    if isinstance(old, list):
        return isinstance(new, list) and len(new) < len(old)
    if isinstance(old, dict) and place and place[-1] in _MAPS:
        return isinstance(new, dict) and not old.keys() <= new.keys()
    in_a_map = len(place) > 1 and place[-2] in _MAPS
    return in_a_map and isinstance(old, str) and isinstance(new, str)


def _put(body: Any, place: Place, change: Callable[[Any], Any]) -> Any:
    if not place:
        return change(body)
    key, *rest = place
    made: Any = list(body) if isinstance(body, list) else dict(body)
    made[key] = _put(body[key], tuple(rest), change)
    return made


def _inside(body: Any) -> list[tuple[Any, Any]]:
    if isinstance(body, dict):
        return list(body.items())
    return list(enumerate(body)) if isinstance(body, list) else []


def places(body: Any, above: Place = ()) -> list[Place]:
    """Every place in a value, also the value's own."""
    below = (places(value, (*above, key)) for key, value in _inside(body))
    return [above, *(place for some in below for place in some)]


def within(body: Any, wanted: Callable[[Any], bool], above: Place = ()) -> list[Place]:
    """The places of what is wanted and stands below the top, and all that is in it."""
    found: list[Place] = []
    for key, value in _inside(body):
        place = (*above, key)
        object_of_a_list = isinstance(body, list) and isinstance(value, dict)
        named = isinstance(key, str) and wanted(key)
        if named or (object_of_a_list and wanted(value)):
            found += places(value, place)
        else:
            found += within(value, wanted, place)
    return found


def text(body: Any) -> bytes:
    """As JSON, or what looks like it."""
    made = json.dumps(body)
    for stands, raw in _RAW.items():
        made = made.replace(f'"{stands}"', raw)
    return made.encode()
