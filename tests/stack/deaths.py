# SPDX-License-Identifier: Apache-2.0
"""The death of a host of a fleet (fleet.py), as the history tells it."""

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nova_ha_scheduler.evacuation.records import (
    Event,
    HostRecovery,
    HostState,
    ServerRecovery,
    ServerState,
)
from nova_ha_scheduler.journal.history import Query
from tests.errors import CloudError

if TYPE_CHECKING:
    from tests.stack.fleet import Fleet


@dataclass
class Death:
    """A host that has died, and its recovery.

    :ivar at: when.
    """

    fleet: "Fleet"
    host: str
    at: float = field(default_factory=time.time)
    _past: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        known = self.fleet.wait("the history", lambda: [self._recoveries()])[0]
        self._past = frozenset(each.id for each in known)

    @property
    def recovery(self) -> HostRecovery | None:
        """Its own, once it has begun: not found by its time, as clocks may jump."""
        its = (each for each in self._recoveries() if each.id not in self._past)
        return next(its, None)

    def _recoveries(self) -> list[HostRecovery]:
        query = Query(host=self.host, limit=None)
        return list(self.fleet.history.recoveries(query))

    @property
    def has_ended(self) -> bool:
        """Whether its recovery is over, well or not."""
        found = self.recovery
        ends = (HostState.RECOVERED, HostState.INCOMPLETE)
        gone_on = (HostState.RETURNING, HostState.CLOSED)
        return found is not None and found.state in (*ends, *gone_on)

    def servers(self) -> list[ServerRecovery]:
        found = self.recovery
        query = Query(recovery=found.id, limit=None) if found else None
        return self.fleet.history.servers(query) if query else []

    def events(self, kind: str) -> list[Event]:
        """Those of its recovery, the oldest first."""
        found = self.recovery
        if found is None:
            return []
        query = Query(recovery=found.id, outcome=kind, limit=None)
        return [event for _, event in reversed(self.fleet.history.events(query))]

    def told(self, kind: str, words: str = "") -> Event:
        """Wait until the history of it has such an event."""

        def event() -> Event | None:
            return next((e for e in self.events(kind) if words in e.reason), None)

        return self.fleet.wait(f"{kind} of {self.host}: {words}", event)

    def progress(self, number: int) -> None:
        """Return when so many of its servers are recovered, in the middle of it.

        :raises CloudError: all are: it was no middle.
        """

        def enough() -> bool:
            states = [server.state for server in self.servers()]
            done = states.count(ServerState.RECOVERED)
            if states and done == len(states):
                raise CloudError(f"{self.host}: recovered before anything went wrong")
            return done >= number

        self.fleet.wait(f"{number} servers of {self.host} recovered", enough)
