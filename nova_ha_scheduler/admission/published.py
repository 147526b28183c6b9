# SPDX-License-Identifier: Apache-2.0
"""What is published of the reserve: a small JSON file, whole or not there.

``schema``, ``version``, ``taken_at`` (seconds since the epoch, UTC), and ``zones``, a
list of :class:`~nova_ha_scheduler.rules.admission.ZoneReserve`. Of a zone without a
record, nothing is known. Boots cannot change what stands there: the reserve is closed
to them.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from nova_ha_scheduler import codec
from nova_ha_scheduler.cluster import snapshot
from nova_ha_scheduler.rules.admission import ZoneReserve

FORMAT = codec.Format("nova-ha-admission", 1)

_READABLE = 0o644
"""Another user's program reads it: nova-scheduler."""


@dataclass(frozen=True)
class Published:
    """:ivar taken_at: when the cloud was looked at."""

    taken_at: float
    zones: tuple[ZoneReserve, ...]


def write(path: Path, taken_at: float, zones: tuple[ZoneReserve, ...]) -> None:
    """:raises BadFile: it cannot be written; what was there is as it was."""
    found = FORMAT.plain(Published(taken_at, zones))
    text = json.dumps(found, sort_keys=True, indent=1)
    snapshot.write(path, text + "\n", _READABLE)


def load(text: str) -> Published:
    """:raises codec.Unreadable: it says what is wrong, and where."""
    return FORMAT.load(Published, text)
