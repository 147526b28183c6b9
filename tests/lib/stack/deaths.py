# SPDX-License-Identifier: Apache-2.0
"""The death of hosts of a fleet (fleet.py), as the history tells it."""

import time
from dataclasses import dataclass, field
from operator import attrgetter, itemgetter
from typing import TYPE_CHECKING

from nova_ha_scheduler.journal.history import HistoryQuery
from nova_ha_scheduler.records.events import Event
from nova_ha_scheduler.records.host_recovery import HostRecovery, HostState
from nova_ha_scheduler.records.server_recovery import ServerRecovery
from tests.lib.errors import CloudError

if TYPE_CHECKING:
    from tests.lib.stack.fleet import Fleet

_OVER = frozenset(
    {
        HostState.RECOVERED,
        HostState.INCOMPLETE,
        HostState.RETURNING,
        HostState.CLOSED,
    }
)

_UNDER_WAY = "/os-migrations?migration_type=evacuation&status=pre-migrating"
"""The records that a destination has taken up, and not ended."""


@dataclass
class Death:
    """Hosts that have died together, and their recoveries.

    :ivar at: when.
    """

    fleet: "Fleet"
    hosts: tuple[str, ...]
    at: float = field(default_factory=time.time)
    _past: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        known = self.fleet.wait("the history", lambda: [self._recoveries()])[0]
        self._past = frozenset(each.id for each in known)

    def __str__(self) -> str:
        return " and ".join(self.hosts)

    @property
    def recoveries(self) -> list[HostRecovery]:
        """One for each host, once they have begun: not found by their time, as clocks
        may jump."""
        return [each for each in self._recoveries() if each.id not in self._past]

    def _recoveries(self) -> list[HostRecovery]:
        history = self.fleet.history
        queries = (HistoryQuery(host=host, limit=None) for host in self.hosts)
        return [found for query in queries for found in history.recoveries(query)]

    @property
    def has_ended(self) -> bool:
        """Whether all recoveries are over, well or not."""
        found = self.recoveries
        begun = {each.host for each in found} == set(self.hosts)
        return begun and all(each.state in _OVER for each in found)

    def switch_on(self) -> None:
        """The hosts have power again."""
        for host in self.hosts:
            self.fleet.stack.machines[host].start()

    def servers(self) -> list[ServerRecovery]:
        history = self.fleet.history
        queries = (HistoryQuery(recovery=r.id, limit=None) for r in self.recoveries)
        return [server for query in queries for server in history.servers(query)]

    def events(self, kind: str) -> list[Event]:
        """Those of its recoveries, the oldest first."""
        found = [
            event
            for recovery in self.recoveries
            for _, event in self.fleet.history.events(
                HistoryQuery(recovery=recovery.id, outcome=kind, limit=None)
            )
        ]
        return sorted(found, key=attrgetter("at"))

    def told(self, kind: str, words: str = "") -> Event:
        """Wait until the history of it has such an event."""

        def event() -> Event | None:
            return next((e for e in self.events(kind) if words in e.reason), None)

        return self.fleet.wait(f"{kind} of {self}: {words}", event)

    def progress(self, number: int) -> None:
        """Return when so many of its servers have landed, in the middle of it: that
        they are recovered is seen only once more have.

        :raises CloudError: all are recovered: it was no middle.
        """

        def enough() -> bool:
            landed = [server.landed_at is not None for server in self.servers()]
            if landed and all(landed) and self.has_ended:
                raise CloudError(f"{self}: recovered before anything went wrong")
            return sum(landed) >= number

        self.fleet.wait(f"{number} servers of {self} landed", enough)

    def at_work(self) -> str:
        """Wait until hosts are at work on servers of it, by Nova's records; return the
        one that has begun last, and will be for as long as a rebuild takes.

        :raises CloudError: all are recovered: it was no middle.
        """
        since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.at))
        of_this_death = f"{_UNDER_WAY}&changes-since={since}&source_compute="

        def begun() -> str | None:
            if self.has_ended:
                raise CloudError(f"{self}: recovered before anything went wrong")
            answers = (
                self.fleet.stack.nova("GET", of_this_death + h) for h in self.hosts
            )
            found = [each for a in answers for each in a.json()["migrations"]]
            newest = max(found, key=itemgetter("updated_at"), default=None)
            return newest and newest["dest_compute"]

        return self.fleet.wait(f"a host at work on servers of {self}", begun)
