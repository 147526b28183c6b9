# SPDX-License-Identifier: Apache-2.0
"""Words of others, made fit for a log, a terminal and a database.

What a device, a tenant or a service of OpenStack says may hold anything: a line break
forges a line of the log, an escape sequence writes over a terminal, a mark for the
direction of writing shows words in another order, and half of a surrogate pair is no
text to a database. Whatever enters is passed through here where it enters, once.
"""

from collections.abc import Sequence

MOST = 1000
"""Characters of a sentence that somebody else has written."""

_CUT = "..."


def plain(said: object, most: int = MOST) -> str:
    """The words, in which each character that does not print stands as Python writes
    it (``\\n``, ``\\x1b``, ``\\u202e``); a second time, that changes nothing.

    :param most: characters; what is longer is cut.
    """
    text = str(said)
    if len(text) > most:
        text = text[: max(0, most - len(_CUT))] + _CUT
    if text.isprintable():
        return text
    escaped = "".join(c if c.isprintable() else _escaped(c) for c in text)
    return escaped if len(escaped) <= most else plain(escaped, most)


def flat(said: object, most: int = MOST) -> str:
    """The same on one line: line breaks and tabs are blanks."""
    return plain(" ".join(str(said)[: 4 * most].split()), most)


def one_line(said: object, most: int = MOST) -> str:
    """The same for the middle of a sentence: there is no full stop at the end."""
    return flat(" ".join(str(said)[: 4 * most].split()).rstrip("."), most)


def first_of(names: Sequence[str], most: int) -> str:
    """'a, b and 7 more': as many names as a sentence can bear."""
    more = len(names) - most
    shown = ", ".join(names[:most])
    return f"{shown} and {more} more" if more > 0 else shown


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
