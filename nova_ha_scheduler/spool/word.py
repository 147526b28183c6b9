# SPDX-License-Identifier: Apache-2.0
"""A word that a host is off, as a file; imports nothing that takes long.

``ID.word`` is JSON: ``host``, ``by``, ``reason``, ``at`` and ``lasts`` (seconds). Who
owns the file gives the word. ``ID.answer`` is the trigger's: ``answer`` and
``refused``.
"""

import json
import math
import os
import re
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from nova_ha_scheduler.printable import flat

DIRECTORY = "/var/spool/nova-ha-scheduler/words"

WORD, ANSWER = ".word", ".answer"

ID = re.compile(r"[0-9A-Za-z-]{8,64}")

SIZE = 4096
"""Bytes of a file, at most."""

LASTS, LONGEST = 900.0, 3600.0
"""Seconds for which a word holds if it is not needed at once: the trigger needs it soon
or not at all, as the host may be switched on again."""

LENGTHS = {"host": 255, "by": 100, "reason": 500}
"""Characters."""


class BadWord(ValueError):
    """What is no word: str() says why."""


@dataclass(frozen=True)
class Word:
    """Somebody's word that a host is off.

    :ivar at: seconds since the epoch: when that was so.
    :ivar lasts: seconds for which it holds.
    """

    host: str
    by: str
    reason: str
    at: float
    lasts: float = LASTS


def give(word: Word, directory: str = DIRECTORY, id: str = "") -> str:
    """Put the word where the trigger on this machine takes it.

    :param id: whoever gives it again, here or on another machine, gives the same word.
    :returns: its id.
    :raises OSError: it cannot be put there.
    """
    id = id or secrets.token_hex(16)
    path = _path(directory, id, WORD)
    temporary = Path(directory, f".{secrets.token_hex(16)}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    file = os.open(temporary, flags, 0o644)
    try:
        with open(file, "w", encoding="ascii") as writer:
            os.fchmod(file, 0o644)  # whatever the umask: the trigger has to read it
            writer.write(json.dumps(asdict(word)))
            writer.flush()
            os.fsync(file)
        temporary.rename(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return id


def answer(id: str, directory: str = DIRECTORY) -> tuple[str, bool] | None:
    """What the trigger says to a word, and whether that is a refusal; None: nothing
    yet."""
    try:
        text = _path(directory, id, ANSWER).read_text(encoding="ascii")
        found = json.loads(text)
        return str(found["answer"]), bool(found["refused"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def is_taken(id: str, directory: str = DIRECTORY) -> bool:
    """Whether a trigger has taken the word."""
    return not _path(directory, id, WORD).exists()


def read(text: bytes) -> Word:
    """:raises BadWord: it is none."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadWord("it is no JSON") from error
    if not isinstance(found, dict):
        raise BadWord("it is no mapping")
    if unknown := sorted(found.keys() - {*LENGTHS, "at", "lasts"}):
        raise BadWord(f"{flat(unknown[0], 40)} is not known")
    said = {key: _said(found, key, most) for key, most in LENGTHS.items()}
    lasts = min(_number(found, "lasts", LASTS), LONGEST)
    return Word(**said, at=_number(found, "at"), lasts=lasts)


def _said(found: dict[str, Any], key: str, most: int) -> str:
    value = found.get(key)
    if not isinstance(value, str) or not value.strip():
        raise BadWord(f"{key} is missing, or no text")
    if len(value) > most:
        raise BadWord(f"{key} is longer than {most} characters")
    if key == "host" and (not value.isprintable() or value != value.strip()):
        raise BadWord("host is no name of a host")
    return flat(value, most)


def _number(found: dict[str, Any], key: str, default: float | None = None) -> float:
    value = found.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadWord(f"{key} is missing, or no number")
    try:
        number = float(value)
    except OverflowError as error:
        raise BadWord(f"{key} is no time") from error
    if not math.isfinite(number) or number < 0:
        raise BadWord(f"{key} is no time")
    return number


def _path(directory: str, id: str, kind: str) -> Path:
    return Path(directory, id + kind)
