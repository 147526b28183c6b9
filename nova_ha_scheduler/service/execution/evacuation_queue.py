# SPDX-License-Identifier: Apache-2.0
"""Evacuations that were decided on, and that Nova is asked for one after the other: the
most urgent one first, of whatever host, and no more at a time than Nova can take."""

import threading
import time
from collections.abc import Callable, Collection

from nova_ha_scheduler.records.effects import Intent, Result
from nova_ha_scheduler.service.execution.request_window import RequestWindow, Sent

_LONG = 5.0
"""Seconds: a request that nova-api has had for longer holds up no other one."""

_UNTAKEN = (Result.REFUSED, Result.WITHHELD)
"""What Nova does not work on."""


class EvacuationQueue:
    """What waits, and what Nova is scheduling; used from several threads."""

    def __init__(
        self,
        start: Callable[[Intent], object],
        urgency: Callable[[Intent], float] = lambda intent: 0.0,
        patience: float = 120.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """
        :param start: has Nova asked, and returns at once; answered() is to follow.
        :param urgency: of a server: the highest is asked for first.
        :param patience: seconds for which Nova may be scheduling one: one that nobody
            claims holds up nobody thereafter.
        """
        self._start, self._urgency = start, urgency
        self._patience, self._clock = patience, clock
        self._lock = threading.Lock()
        self._window = RequestWindow()
        self._waiting: list[Intent] = []
        self._asking: dict[str, Sent] = {}
        """By the server's UUID: what is on its way to nova-api."""
        self._scheduling: dict[str, Sent] = {}
        """The same of what nova-api has taken."""
        self._looked_at: float | None = None

    def put(self, intent: Intent) -> None:
        with self._lock:
            self._waiting.append(intent)
            self._release()

    def answered(self, intent: Intent, result: Result) -> None:
        """nova-api has answered, or has not."""
        server = intent.server or ""
        with self._lock:
            sent = self._asking.pop(server)
            if result is Result.OK:  # else it says nothing of how quick nova-api is
                self._window.answered(sent, self._clock())
            if result not in _UNTAKEN:
                self._scheduling[server] = sent
            self._release()

    def claimed(self, servers: Collection[str]) -> None:
        """Nova says that their destinations are at work."""
        with self._lock:
            self._claimed([uuid for uuid in servers if uuid in self._scheduling])

    def only(self, servers: Collection[str]) -> None:
        """Nova shows that it is scheduling these, and no others."""
        with self._lock:
            now, looked_at = self._clock(), self._looked_at
            self._looked_at = now
            claimed = [uuid for uuid in self._scheduling if uuid not in servers]
            self._claimed(claimed, now - (looked_at or now))

    def close(self) -> None:
        """Ask for nothing more."""
        with self._lock:
            self._waiting.clear()

    def _claimed(self, servers: Collection[str], unseen: float = 0.0) -> None:
        now = self._clock()
        for uuid in servers:
            self._window.claimed(self._scheduling.pop(uuid), now, unseen)
        self._release()

    def _release(self) -> None:
        """Ask for the most urgent ones, as many as may be."""
        now = self._clock()
        for uuid, sent in [*self._scheduling.items()]:
            if now - sent.at > self._patience:
                del self._scheduling[uuid]
        while self._waiting and self._may_ask():
            intent = max(self._waiting, key=self._urgency)
            self._waiting.remove(intent)
            self._asking[intent.server or ""] = self._window.sent(now)
            self._start(intent)

    def _may_ask(self) -> bool:
        under_way = len(self._asking) + len(self._scheduling)
        latest = self._clock() - _LONG
        asking = sum(sent.at > latest for sent in self._asking.values())
        return under_way < self._window.size and asking < self._window.posts
