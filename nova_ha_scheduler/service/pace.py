# SPDX-License-Identifier: Apache-2.0
"""When the engine steps, and when it looks at the cloud."""

import time
from collections.abc import Collection

from oslo_config import cfg

from nova_ha_scheduler.evacuation.engine import Engine
from nova_ha_scheduler.records.host_recovery import HostState
from nova_ha_scheduler.records.server_recovery import ServerState
from nova_ha_scheduler.records.state import Change
from nova_ha_scheduler.service.execution.executor import PoolExecutor

_LOOKS_AT_ONCE = 5
"""How often in a row a step may ask to see more before it has to wait."""

_BREATH = 2.0
"""How many times a look's own duration passes before the next one: a cloud that is
slow because it rebuilds servers is not asked as often as an idle one. Never longer
than in quiet times."""

_SOON = 0.25
"""Seconds until the next look once Nova has notified that all that is followed has
ended: it closes their records a moment later. Twice as long after each look in vain."""

_TOLD = 3.0
"""How many times the interval passes while Nova notifies how it goes and nobody waits
for another's end: the looks that matter are then those at the end."""

_NEWS_SECONDS = 1.0
"""Between two looks for what Nova has notified: anybody may send that."""

_HEARD_SECONDS = 10.0
"""For which such a notification is a reason to look so often."""


class Pace:
    """When to step, and when to look."""

    def __init__(
        self, engine: Engine, executor: PoolExecutor, conf: cfg.ConfigOpts
    ) -> None:
        self._engine, self._executor, self._conf = engine, executor, conf
        self._looked_at = float("-inf")
        self._failed_at = 0.0
        self._took = 0.0
        self._in_a_row = 0
        self._commands: frozenset[str] = frozenset()
        self._heard_of: dict[str, float] = {}
        self._told_at = float("-inf")
        self._soon = _SOON
        self._look, self._news = True, False

    @property
    def looked(self) -> bool:
        """Whether the newest step has looked at the cloud."""
        return self._look

    def hurry(self) -> None:
        """Look at the cloud as soon as may be."""
        self._looked_at = float("-inf")

    def hear_of(self, begun: Collection[str], ended: Collection[str]) -> None:
        """Nova has notified that destinations work on some servers, and that a rebuild
        or an evacuation of others has ended."""
        now = time.monotonic()
        if begun or ended:
            self._told_at = now
        fresh = {s: at for s, at in self._heard_of.items() if now - at < _HEARD_SECONDS}
        self._heard_of = {**fresh, **dict.fromkeys(ended, now)}

    def rest(self) -> float:
        """Seconds until the next look at the cloud, if nothing happens."""
        if self._wants_more():
            return 0.0
        rest = self._looked_at + self._interval() - time.monotonic()
        return max(0.0, min(rest, self._until_asked_again()))

    def _until_asked_again(self) -> float:
        """Seconds until the device of a host that is late is to be asked once more:
        each counts there."""
        seen_at, now = max(self._engine.seen_at or 0.0, self._failed_at), time.time()
        hosts = self._engine.state.hosts.values()
        late = (h.next_try_at for h in hosts if h.state is HostState.LATE)
        return min((at - now for at in late if at > seen_at), default=float("inf"))

    def _wants_more(self) -> bool:
        return self._in_a_row < _LOOKS_AT_ONCE and self._engine.wants_look()

    def _interval(self) -> float:
        quiet = float(self._conf.detection.poll_interval)
        scope = self._engine.scope()
        breath = min(self._took * _BREATH, quiet)
        follow = float(self._conf.evacuation.follow_interval)
        if self._engine.rests() or not (scope.hosts | scope.followed | scope.leaving):
            return max(follow, breath) if self._engine.hurries else quiet
        if self._all_ended():
            return max(min(follow, self._soon), breath)
        return max(follow * _TOLD if self._is_told() else follow, breath)

    def _is_told(self) -> bool:
        """Whether notifications show how it goes, and the looks need not do so soon."""
        servers = self._engine.state.servers.values()
        waiting = any(s.state is ServerState.WAITING for s in servers)
        return not waiting and time.monotonic() - self._told_at < _HEARD_SECONDS

    def _all_ended(self) -> bool:
        """Whether Nova has notified the end of all that is under way."""
        limit, now = time.monotonic() - _HEARD_SECONDS, time.time()
        servers = self._engine.state.servers.values()
        under_way = [s.server for s in servers if s.is_under_way(now)]
        heard = (self._heard_of.get(server, limit) for server in under_way)
        return bool(under_way) and all(at > limit for at in heard)

    def due(self, news: bool, ordered: bool, commands: frozenset[str]) -> bool:
        """Whether there is anything to step for.

        :param news: from Nova's notifications; ordered: a pause began or ended.
        """
        ordered = ordered or not commands <= self._commands
        self._commands = commands
        self._news = self._news or news
        rested = time.monotonic() - self._looked_at >= _NEWS_SECONDS
        at_once = ordered or (self._news and rested)
        self._look = at_once or self.rest() == 0.0
        return self._look or self._executor.ended()

    def step(self, outage: float) -> Change:
        """One step of the engine, with a look or without."""
        if not self._look:
            return self._engine.step(False, outage)
        began = time.monotonic()
        early = began < self._looked_at + self._interval()
        self._in_a_row = self._in_a_row + 1 if early else 0
        self._looked_at, self._news = began, False
        self._soon = 2 * self._soon if self._all_ended() else _SOON
        try:
            change = self._engine.step(True, outage)
            self._executor.scheduling(self._engine.scheduling())
            return change
        except Exception:  # who does not answer is not asked without a pause
            self._failed_at = time.time()
            raise
        finally:
            self._took = time.monotonic() - began
