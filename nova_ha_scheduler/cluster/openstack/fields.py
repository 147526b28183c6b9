# SPDX-License-Identifier: Apache-2.0
"""What the services answer may be anything: each value is looked at before it is used.

One object that cannot be read costs that object. It is noted, and the others are read.
A list that is none, or an answer that is none, is no answer.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeVar

from nova_ha_scheduler.cluster.errors import CloudUnreachable
from nova_ha_scheduler.cluster.picture import Unread
from nova_ha_scheduler.printable import one_line, plain

T = TypeVar("T")

NAME = 255
"""Characters of a name: what the services' databases hold."""

_VALUE = 4096
"""Characters of a value; Glance's properties are the longest."""

_AMOUNT = 2**53
"""More than any amount, and still a whole number to JSON."""

_MOST_NOTED = 1000
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,254}")


class BadAnswer(ValueError):
    """What is not as it should be, as a sentence."""


def fields(found: Any) -> Mapping[str, Any]:
    """An object, whatever is in it."""
    if not isinstance(found, dict):
        raise BadAnswer(f"{_short(found)} is no object")
    return found


def inside(found: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """An object in an object."""
    said = _of(found, key)
    if not isinstance(said, dict):
        raise BadAnswer(f"{key} is {_short(said)}, and no object")
    return said


def listed(body: Mapping[str, Any], key: str, where: str) -> list[Any]:
    """The list in an answer.

    :raises CloudUnreachable: there is none, which is no answer.
    """
    found = body.get(key)
    if not isinstance(found, list):
        raise CloudUnreachable(f"{where}: the answer has no list of {key}")
    return found


def items(found: Mapping[str, Any], key: str) -> list[Any]:
    """A list, whatever is in it."""
    said = _of(found, key)
    if not isinstance(said, list):
        raise BadAnswer(f"{key} is {_short(said)}, and no list")
    return said


def text(found: Mapping[str, Any], key: str, most: int = _VALUE) -> str:
    """Words that are compared with others: not one character is changed.

    :raises BadAnswer: there are none, or some that cannot be shown.
    """
    said = _of(found, key)
    if not isinstance(said, str) or len(said) > most or not said.isprintable():
        raise BadAnswer(f"{key} is {_short(said)}")
    return said


def name(found: Mapping[str, Any], key: str) -> str:
    """The same of a name."""
    said = text(found, key, NAME)
    if not said:
        raise BadAnswer(f"{key} is empty")
    return said


def maybe(found: Mapping[str, Any], key: str) -> str | None:
    """A name, or None where there is none."""
    return None if found.get(key) in (None, "") else name(found, key)


def identity(found: Mapping[str, Any], key: str = "id") -> str:
    """An id, which is put into addresses."""
    said = _of(found, key)
    if not isinstance(said, str) or not _ID.fullmatch(said):
        raise BadAnswer(f"{key} is {_short(said)}")
    return said


def words(found: Mapping[str, Any], key: str, most: int = NAME) -> str:
    """Words that are only shown; there may be none."""
    said = found.get(key)
    return plain(said, most) if isinstance(said, str) else ""


def flag(found: Mapping[str, Any], key: str) -> bool:
    said = _of(found, key)
    if not isinstance(said, bool):
        raise BadAnswer(f"{key} is {_short(said)}")
    return said


def amount(found: Mapping[str, Any], key: str) -> int:
    """A whole number from 0 on."""
    said = _of(found, key)
    if not isinstance(said, int) or isinstance(said, bool) or not 0 <= said < _AMOUNT:
        raise BadAnswer(f"{key} is {_short(said)}")
    return said


def texts(found: Mapping[str, Any], key: str) -> dict[str, str]:
    """Keys with words, which may hold anything that their owner has written.

    :raises BadAnswer: one of them is no text: what it says of the object is unknown.
    """
    said = inside(found, key)
    for each, value in said.items():
        if not isinstance(value, str):
            raise BadAnswer(f"{plain(each, NAME)} is {_short(value)}")
    return {plain(each, NAME): plain(value, _VALUE) for each, value in said.items()}


def each(found: Iterable[Any], read: Callable[[Any], T]) -> Iterator[T]:
    """What can be read of a list that is no worse for what is left out of it."""
    for raw in found:
        try:
            yield read(raw)
        except Exception:  # noqa: S112  # nobody knows all that it can be
            continue


class Notes:
    """What a look could not read; written to from several threads."""

    def __init__(self) -> None:
        self.unread: list[Unread] = []

    def add(self, kind: str, raw: Any, why: object, **about: Any) -> Unread:
        """Note one object. :param about: what else is known of it; see Unread."""
        known = raw if isinstance(raw, dict) else {}
        named = (known.get(key) for key in ("name", "host", "id", "uuid"))
        label = next((n for n in named if isinstance(n, (str, int)) and n), "?")
        noted = Unread(kind, plain(label, NAME), _why(why), **about)
        if len(self.unread) < _MOST_NOTED and noted not in self.unread[-9:]:
            self.unread.append(noted)
        return noted

    def read(
        self, kind: str, found: Iterable[Any], read: Callable[[Any], T]
    ) -> Iterator[T]:
        """Those objects of a list that can be read; the others are noted.

        :raises CloudUnreachable: the reader says that there is no answer at all.
        """
        for raw in found:
            try:
                yield read(raw)
            except CloudUnreachable:
                raise
            except Exception as error:  # nobody knows all that it can be
                self.add(kind, raw, error)


def _why(error: object) -> str:
    if isinstance(error, KeyError) and error.args:
        return f"{plain(str(error.args[0]), NAME)} is missing"
    known = isinstance(error, (BadAnswer, str))
    kind = "" if known else f"{type(error).__name__}: "
    return f"{kind}{one_line(error, NAME)}"


def _of(found: Mapping[str, Any], key: str) -> Any:
    """What an object has there; also what was taken for one may be none."""
    if key not in fields(found):
        raise BadAnswer(f"{key} is missing")
    return found[key]


def _short(value: Any) -> str:
    """What was found instead, in a few characters."""
    if isinstance(value, (dict, list)):
        return "an object" if isinstance(value, dict) else "a list"
    if isinstance(value, str) and not value:
        return "empty"
    return plain(value if isinstance(value, str) else repr(value)[:80], 40)
