# SPDX-License-Identifier: Apache-2.0
"""What Nova has notified, until the next step takes it.

Whoever reaches Nova's message bus may send whatever looks like a notification. So each
is a reason to look, and no more: one of a host that the newest picture does not show,
or of a server that is not on its way, is none. What is kept is bounded, and so is what
a notification may cost.
"""

import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass

_MOST = 10_000
"""Hosts, and servers, that are kept: more than a step can want to know of. What is more
is not kept, and polling shows it."""

_AT_ONCE = 10
"""Hosts of which the next picture shows everything at once; it shows whether the others
are up, too, and then the next one shows more."""

_TOLD_SECONDS = 60.0
"""For which a host that was said to be down is not told of again."""


@dataclass(frozen=True)
class ServiceUpdate:
    """Nova says that somebody changed a compute service's record.

    :ivar sent_at: by Nova's clock, but not later than it was received.
    """

    host: str
    forced_down: bool
    sent_at: float


@dataclass(frozen=True)
class RebuildEnded:
    """Nova says that it is about to close the record of an evacuation: a rebuild or
    an evacuation of the server has ended, well or not."""

    server: str


@dataclass(frozen=True)
class RebuildBegun:
    """Nova says that a server's destination has claimed it, and works on it."""

    server: str


Update = ServiceUpdate | RebuildBegun | RebuildEnded


@dataclass(frozen=True)
class News:
    """
    :ivar changed: hosts whose service's record was changed.
    :ivar down: those of them that were forced down, of which the next picture is to
        show everything; untold: and of which that was not told yet.
    :ivar ended: servers whose rebuild or evacuation has ended; begun: those that a
        destination has claimed.
    """

    changed: frozenset[str] = frozenset()
    down: tuple[str, ...] = ()
    untold: tuple[ServiceUpdate, ...] = ()
    ended: frozenset[str] = frozenset()
    begun: frozenset[str] = frozenset()


class Updates:
    """Put in by the listener's threads, taken out by the step's."""

    def __init__(self) -> None:
        self._services: dict[str, ServiceUpdate] = {}
        self._ended: set[str] = set()
        self._begun: set[str] = set()
        self._told: dict[str, float] = {}
        self._lock = threading.Lock()

    def put(self, update: Update) -> None:
        """The newest of each host, and each server once."""
        with self._lock:
            match update:
                case ServiceUpdate(host):
                    if host in self._services or len(self._services) < _MOST:
                        self._services[host] = update
                case RebuildEnded(server):
                    if len(self._ended) < _MOST:
                        self._ended.add(server)
                case RebuildBegun(server):
                    if len(self._begun) < _MOST:
                        self._begun.add(server)

    def take(
        self,
        hosts: Collection[str],
        servers: Collection[str],
        began: Mapping[str, float],
        now: float,
    ) -> News:
        """What is news, and of whom.

        :param hosts: those of the newest picture; servers: those that are on their way.
        :param began: when the recovery of a host began, if one is open: what comes
            after that is the trigger's own doing.
        """
        with self._lock:
            services, self._services = self._services, {}
            ended, self._ended = self._ended, set()
            begun, self._begun = self._begun, set()
        known = [u for u in services.values() if u.host in hosts]
        news = [u for u in known if u.sent_at <= began.get(u.host, u.sent_at)]
        down = [update for update in news if update.forced_down]
        fresh = {h: t for h, t in self._told.items() if abs(now - t) < _TOLD_SECONDS}
        untold = [update for update in down if update.host not in fresh]
        self._told = fresh | {update.host: now for update in untold}
        return News(
            frozenset(update.host for update in news),
            tuple(update.host for update in down[:_AT_ONCE]),
            tuple(untold),
            frozenset(ended.intersection(servers)),
            frozenset(begun.intersection(servers)),
        )
