# SPDX-License-Identifier: Apache-2.0
"""A request that lies in the queue of a host that died."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nova_ha_scheduler.records.ages import age


@dataclass(frozen=True)
class OldRequest:
    """An evacuation whose destination died in the middle: its request may still lie in
    that host's queue, until its nova-compute starts again.

    :ivar recovery: HostRecovery.id, of the destination.
    :ivar asked_by: the same, of the source's recovery.
    :ivar landed_on: where the server was recovered instead.
    :ivar watched_at: since when the destination is back.
    :ivar seen_at: when the server was first seen to be broken by it.
    :ivar reset_at: when its state was last to be reset.
    :ivar over: nothing more is to be expected of it.
    """

    recovery: str
    asked_by: str
    server: str
    name: str
    source: str
    landed_on: str | None = None
    watched_at: float | None = age()
    seen_at: float | None = age()
    reset_at: float | None = age()
    over: bool = False

    @property
    def key(self) -> tuple[str, str]:
        """Whose an intent is: (Intent.recovery, Intent.server)."""
        return self.recovery, self.server

    @property
    def told(self) -> Mapping[str, Any]:
        """What every event about it says."""
        return {
            "host": self.landed_on or self.source,
            "recovery": self.recovery,
            "server": self.server,
            "server_name": self.name,
            "source": self.source,
            "destination": self.landed_on or "",
        }
