# SPDX-License-Identifier: Apache-2.0
"""A request that Nova may still take up, though its server was asked for again."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nova_ha_scheduler.records.ages import age, wait


class QueuedRequest(enum.Enum):
    EVACUATION = "evacuation"
    """By the trigger."""
    STOP = "stop"
    """By the server's owner, as is the one below, of its dead host."""
    SUSPEND = "suspend"


@dataclass(frozen=True)
class OldRequest:
    """An evacuation whose destination died in the middle, or never heard of it: its
    request may still lie in that host's queue, until its nova-compute starts again, or
    with a conductor that is busy. Or what an owner asked of the source.

    :ivar recovery: HostRecovery.id, of the destination; of the source, if the
        destination has not died.
    :ivar asked_by: the same, of the source's recovery.
    :ivar landed_on: where the server was recovered instead.
    :ivar failed: the ids of the migration records that had failed by then.
    :ivar suspect: one more has failed since: the server is looked at.
    :ivar look_at: when to look at the records again.
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
    failed: tuple[int, ...] = ()
    suspect: bool = False
    look_at: float = wait()
    watched_at: float | None = age()
    seen_at: float | None = age()
    reset_at: float | None = age()
    over: bool = False
    what: QueuedRequest = QueuedRequest.EVACUATION

    @property
    def is_owners(self) -> bool:
        return self.what is not QueuedRequest.EVACUATION

    @property
    def is_conductors(self) -> bool:
        """Whether it lies in no dead host's queue."""
        return self.recovery == self.asked_by and not self.is_owners

    @property
    def is_told(self) -> bool:
        """Whether it came, and a person knows of it, or it was put right."""
        return self.over and (self.seen_at is not None or self.reset_at is not None)

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
