# SPDX-License-Identifier: Apache-2.0
"""Credentials that do not show themselves."""

import base64
import html
import json
import re
import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NoReturn
from urllib import parse

MASK = "***"

SECRET_KEY = re.compile(r"pass|secret|token|key|community|auth", re.IGNORECASE)
"""Keys whose values are credentials. Too many are harmless: they only show stars."""

_PERCENT = re.compile("%[0-9A-F]{2}")


@dataclass(frozen=True, repr=False)
class Secret:
    """A string that repr, str, format and logging show as stars."""

    _value: str

    def reveal(self) -> str:
        """The string itself, for the one place that sends it."""
        return self._value

    def __repr__(self) -> str:
        return MASK

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not pickled")


_SHORTEST = 6
"""Characters of an encoded piece of a secret: shorter ones stand in many a word."""


def scrub(text: str, secrets: Iterable[Secret]) -> str:
    """The text with each secret starred out, also as programs write it elsewhere: in
    base64 (alone or behind a user's name), quoted for a URL, as a string of a
    program, of JSON, of a shell or of XML. The longest first, as they may overlap."""
    found: set[str] = set()
    for secret in secrets:
        value = secret.reveal()
        found |= {value, *_quoted(value), *_encoded(value)}
    for form in sorted(found - {""}, key=len, reverse=True):
        text = text.replace(form, MASK)
    return text


def _quoted(value: str) -> Iterator[str]:
    """In the forms that change some of its characters."""
    for safe in ("", "/"):
        quoted = parse.quote(value, safe=safe)
        yield from (quoted, _PERCENT.sub(lambda found: found[0].lower(), quoted))
    yield parse.quote_plus(value)
    yield from (repr(value)[1:-1], repr(value + '"')[1:-2], repr(value + "'")[1:-2])
    yield from (json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1])
    yield from (shlex.quote(value), value.replace("'", "'\"'\"'"))
    yield from (html.escape(value), html.escape(value, quote=False))
    yield from (repr(value.encode())[2:-1], value.encode().hex())


def _encoded(value: str) -> Iterator[str]:
    """In base64, wherever it begins in what was encoded: what of it depends on the
    characters around is left out."""
    data = value.encode()
    for before in range(3):
        size = before + len(data)
        first, last = (8 * before + 5) // 6, 8 * size // 6
        padded = bytes(before) + data + bytes(-size % 3)
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            form = encode(padded).decode()[first:last]
            if len(form) >= _SHORTEST:
                yield form
