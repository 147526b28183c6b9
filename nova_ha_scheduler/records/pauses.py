# SPDX-License-Identifier: Apache-2.0
"""A pause: by a person's word, nothing new is begun for a host, a zone, or at all.

Pauses are independent: each holds until it is resumed or its time is over, and a host
goes on when none holds it any more. All times are seconds since the epoch, UTC.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from nova_ha_scheduler.clock import in_utc


@dataclass(frozen=True)
class Pause:
    """Written by the command line; it holds as soon as it is in the journal.

    :ivar id: the key.
    :ivar until: when it ends by itself; None: not at all.
    :ivar host: the one host that it holds, or
    :ivar zone: the storage zone whose hosts it holds; neither: every host.
    :ivar ended_at: when it was resumed, or was over.
    :ivar ended_by: who resumed it; "" if its time was over.
    """

    id: str
    by: str
    reason: str
    at: float
    until: float | None = None
    host: str | None = None
    zone: str | None = None
    ended_at: float | None = None
    ended_by: str = ""

    @property
    def scope(self) -> str:
        """What it holds, in words."""
        if self.host is not None:
            return f"host {self.host}"
        return f"zone {self.zone}" if self.zone is not None else "everything"

    def is_over(self, now: float) -> bool:
        """Whether its time has passed."""
        return self.until is not None and now >= self.until

    def covers(self, host: str, zones: Collection[str], now: float) -> bool:
        """Whether it holds a host that is in these storage zones."""
        if self.ended_at is not None or self.is_over(now):
            return False
        if self.host is not None:
            return self.host == host
        return self.zone is None or self.zone in zones

    def __str__(self) -> str:
        until = f" until {in_utc(self.until)}" if self.until is not None else ""
        return f"{self.scope}{until} by {self.by}: {self.reason}"


def holding(
    pauses: Iterable[Pause], host: str, zones: Collection[str], now: float
) -> list[Pause]:
    """Those that hold a host, the oldest first."""
    found = (pause for pause in pauses if pause.covers(host, zones, now))
    return sorted(found, key=lambda pause: (pause.at, pause.id))


def words(pauses: Iterable[Pause]) -> str:
    """Who holds it and why: all of them, since each has to be resumed."""
    return "; and ".join(map(str, pauses))
