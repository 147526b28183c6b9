# SPDX-License-Identifier: Apache-2.0
"""Credentials that do not show themselves."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NoReturn

MASK = "***"


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


def scrub(text: str, secrets: Iterable[Secret]) -> str:
    """The text with each secret starred out; the longest first, as they may overlap."""
    values = {secret.reveal() for secret in secrets} - {""}
    for value in sorted(values, key=len, reverse=True):
        text = text.replace(value, MASK)
    return text
