# SPDX-License-Identifier: Apache-2.0
"""The judgement as a file, which everybody may read.

Every trigger writes one on its machine, so that monitoring needs neither the cloud's
password nor the journal.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from nova_ha_scheduler import codec, files
from nova_ha_scheduler.clock import in_utc
from nova_ha_scheduler.health.judgement import Judgement, cannot_tell, span
from nova_ha_scheduler.health.problems import Code, Problem

NAME = "health.json"

FORMAT = codec.Format("nova-ha-health", 1)

_MODE = 0o644

_MOST = 4 * 2**20
"""Bytes that are read at most."""


@dataclass(frozen=True)
class Entry:
    """A problem. :ivar since: ISO 8601, UTC."""

    kind: str
    host: str | None
    since: str | None
    what: str
    todo: str


@dataclass(frozen=True)
class Written:
    """The file.

    :ivar trigger: who wrote it.
    :ivar written_at: when, in ISO 8601; :ivar at: the same in seconds since the epoch.
    :ivar valid_s: seconds after which it is too old to be believed.
    """

    code: int
    state: str
    line: str
    problems: tuple[Entry, ...]
    trigger: str
    written_at: str
    at: float
    valid_s: float


def plain(judgement: Judgement) -> dict[str, Any]:
    """As ``nova-ha health -f json`` shows it, in JSON's types."""
    return {
        "code": int(judgement.code),
        "state": judgement.code.state,
        "line": judgement.line,
        "problems": [asdict(_entry(each)) for each in judgement.problems],
    }


def _entry(found: Problem) -> Entry:
    since = None if found.since is None else in_utc(found.since)
    return Entry(found.kind.word, found.host or None, since, found.what, found.todo)


def write(
    directory: str, judgement: Judgement, trigger: str, at: float, valid: float
) -> None:
    """Replace the file, at once and as a whole.

    :param trigger: who writes.
    :param at: now, in seconds since the epoch.
    :param valid: seconds after which it is too old to be believed.
    :raises OSError: the directory is not there, or cannot be written.
    """
    content = Written(
        int(judgement.code),
        judgement.code.state,
        judgement.line,
        tuple(map(_entry, judgement.problems)),
        trigger,
        in_utc(at),
        at,
        valid,
    )
    text = json.dumps(FORMAT.plain(content), indent=1)
    files.replace(Path(directory, NAME), text + "\n", _MODE)


def read(path: Path, now: float) -> dict[str, Any]:
    """What :func:`plain` has made, as the file says it; CANNOT TELL if there is none
    that can be believed."""
    try:
        with path.open("rb") as file:
            found = FORMAT.load(Written, file.read(_MOST).decode())
        code = Code(found.code)
    except OSError as error:
        return _unreadable(f"{path}: {error.strerror}")
    except (ValueError, RecursionError):
        return _unreadable(f"{path} is not what a trigger of this version writes")
    age = now - found.at
    if age > found.valid_s:
        return _unreadable(
            f"{path} is {span(age)} old: the trigger of this machine does not write it"
        )
    if age < -found.valid_s:
        return _unreadable(f"{path} is of a time to come: a clock was set")
    return {
        "code": int(code),
        "state": found.state,
        "line": found.line,
        "problems": [asdict(each) for each in found.problems],
    }


def _unreadable(why: str) -> dict[str, Any]:
    return plain(cannot_tell(why))
