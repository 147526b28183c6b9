# SPDX-License-Identifier: Apache-2.0
"""What is published of the reserve: a small JSON file, whole or not there.

``schema``, ``version``, ``taken_at`` (seconds since the epoch, UTC), and ``zones``, a
list of :class:`~nova_ha_scheduler.rules.admission.Zone`. Of a zone without a record,
nothing is known. Boots cannot change what stands there: the reserve is closed to them.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from nova_ha_scheduler import codec
from nova_ha_scheduler.cluster import snapshot
from nova_ha_scheduler.rules.admission import Zone

SCHEMA, VERSION = "nova-ha-admission", 1

_READABLE = 0o644
"""Another user's program reads it: nova-scheduler."""


@dataclass(frozen=True)
class Published:
    """:ivar taken_at: when the cloud was looked at."""

    schema: str
    version: int
    taken_at: float
    zones: tuple[Zone, ...]


def write(path: Path, taken_at: float, zones: tuple[Zone, ...]) -> None:
    """:raises BadFile: it cannot be written; what was there is as it was."""
    found = Published(SCHEMA, VERSION, taken_at, zones)
    text = json.dumps(codec.plain(found), sort_keys=True, indent=1)
    snapshot.write(path, text + "\n", _READABLE)


def load(text: str) -> Published:
    """:raises codec.Unreadable: it says what is wrong, and where."""
    try:
        found = json.loads(text)
    except ValueError as error:
        raise codec.Unreadable(f"it is no JSON: {error}") from error
    if not isinstance(found, dict) or found.get("schema") != SCHEMA:
        raise codec.Unreadable(f"it has no schema {SCHEMA}")
    if found.get("version") != VERSION:
        said = json.dumps(found.get("version"))
        raise codec.Unreadable(f"its version is {said}, not {VERSION}")
    published: Published = codec.typed(Published, found)
    return published
