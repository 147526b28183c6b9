# SPDX-License-Identifier: Apache-2.0
"""A clock that stands still until it is set, and an executor without threads."""

from collections.abc import Callable, Sequence

from nova_ha_scheduler.records.effects import Intent, Outcome, Result
from nova_ha_scheduler.service.execution.executor import perform
from nova_ha_scheduler.simulation.world import SimulatedWorld


class VirtualClock:
    """:ivar time: seconds since the epoch, as they pass."""

    def __init__(self, start: float = 0.0) -> None:
        self.time = start
        self.ahead = 0.0
        """By how much the trigger's clock was set forward."""

    def now(self) -> float:
        return self.time + self.ahead

    def steady(self) -> float:
        return self.time


class SteppedExecutor:
    """Carries out what is due, when told to; slow devices take virtual time."""

    def __init__(
        self,
        world: SimulatedWorld,
        clock: VirtualClock,
        moment: Callable[[str], None],
        withholds: Callable[[Intent], bool],
    ) -> None:
        self._world, self._clock, self._moment = world, clock, moment
        self._withholds = withholds
        self._queue: list[tuple[float, bool, Intent]] = []
        self._done: list[Outcome] = []
        self.delays: dict[tuple[str, str], float] = {}
        """How long an effect takes, by its name and its host."""
        self.waits: dict[tuple[str, str], float] = {}
        """How long it waits before it begins, because all threads are busy."""

    def submit(self, intent: Intent) -> None:
        what = intent.effect.value, intent.host
        wait, delay = self.waits.get(what, 0.0), self.delays.get(what, 0.0)
        begun = delay > 0 and not self._withholds(intent)
        self._queue.append((self._clock.time + wait + delay, begun, intent))

    def pump(self) -> bool:
        """Carry out what is due; whether there are outcomes."""
        due = [item for item in self._queue if item[0] <= self._clock.time]
        for item in due:
            _, begun, intent = item
            effect = intent.effect.value
            self._moment(f"before {effect}")
            self._queue.remove(item)
            if not begun and self._withholds(intent):
                outcome = Outcome(intent, Result.WITHHELD, self._clock.now())
            else:
                outcome = perform(self._world, intent, self._clock)
            self._moment(f"after {effect}")
            self._done.append(outcome)
        return bool(self._done)

    def outcomes(self) -> Sequence[Outcome]:
        done, self._done = self._done, []
        return done

    def running(self) -> frozenset[str]:
        return frozenset(
            [i.id for *_, i in self._queue] + [o.intent.id for o in self._done]
        )
