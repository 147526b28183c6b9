# SPDX-License-Identifier: Apache-2.0
"""A Nova that schedules so many evacuations at a time, in time of its own.

It stands for what cannot be had here: Novas of all sizes, whose size changes meanwhile.
What is being scheduled shares what Nova can do; who shares it with few is quick.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from nova_ha_scheduler.records.effects import Effect, Intent, Result

Capacity = Callable[[int, float], float]
"""How many of so many that are being scheduled get on as if each was alone, at a
second."""

ALONE_SECONDS = 0.5
"""What it takes to schedule one that is alone."""

API_SECONDS = 0.05
REBUILD_SECONDS = 10.0
_TICK = 0.01


def at_a_time(number: int) -> Capacity:
    """It schedules so many without their slowing each other, and no more."""
    return lambda asked, second: min(asked, number)


def slowing(number: int, by: float) -> Capacity:
    """Each one that is asked for slows all, so many run at the same moment."""
    return lambda asked, second: min(asked, number) / (1 + by * asked)


def changing(before: Capacity, second: float, after: Capacity) -> Capacity:
    return lambda asked, now: (before if now < second else after)(asked, now)


@dataclass
class _Scheduled:
    left: float
    intent: Intent


@dataclass
class SchedulingNova:
    """
    :ivar time: its clock's, in seconds.
    :ivar ups: when each server was up.
    """

    capacity: Capacity
    time: float = 0.0
    ups: list[float] = field(default_factory=list)
    _asked: list[tuple[float, Intent]] = field(default_factory=list)
    _scheduling: list[_Scheduled] = field(default_factory=list)
    _dice: random.Random = field(default_factory=lambda: random.Random(1))

    def ask(self, intent: Intent) -> None:
        self._asked.append((self.time + API_SECONDS, intent))

    def run(
        self,
        servers: int,
        answered: Callable[[Intent, Result], None],
        claimed: Callable[[list[str]], None],
        looked: Callable[[list[str]], None],
        seen_every: float = 0.0,
    ) -> list[float]:
        """Go on until all are up.

        :param claimed: is told who was claimed; looked: who is still to be.
        :param seen_every: seconds between two looks; 0: each claim is notified.
        :returns: when each was, in order.
        """
        next_look = seen_every
        while len(self.ups) < servers:
            self.time += _TICK
            for due, intent in [a for a in self._asked if a[0] <= self.time]:
                self._asked.remove((due, intent))
                work = ALONE_SECONDS * self._dice.uniform(0.7, 1.3)
                self._scheduling.append(_Scheduled(work, intent))
                answered(intent, Result.OK)
            ended = self._schedule()
            if ended and not seen_every:
                claimed(ended)
            if seen_every and self.time >= next_look:
                next_look = self.time + seen_every
                asked = [intent for _, intent in self._asked]
                asked += [each.intent for each in self._scheduling]
                looked([intent.server or "" for intent in asked])
        return sorted(self.ups)

    def _schedule(self) -> list[str]:
        """:returns: the servers that were claimed in this moment."""
        if not self._scheduling:
            return []
        asked = len(self._scheduling)
        share = _TICK * self.capacity(asked, self.time) / asked
        for each in self._scheduling:
            each.left -= share
        ended = [each for each in self._scheduling if each.left <= 0]
        self._scheduling = [each for each in self._scheduling if each.left > 0]
        self.ups += [self.time + REBUILD_SECONDS] * len(ended)
        return [each.intent.server or "" for each in ended]


def evacuations(number: int) -> list[Intent]:
    whose = (f"server-{n}" for n in range(number))
    return [Intent(s, Effect.EVACUATE, "host", 0.0, "r", s, "there") for s in whose]
