# SPDX-License-Identifier: Apache-2.0
"""The loop that ties the production engine to the simulated world: a tick a second."""

from collections.abc import Callable, Sequence

from nova_ha_scheduler.cluster.errors import CloudUnreachable
from nova_ha_scheduler.evacuation.decisions import Decision
from nova_ha_scheduler.evacuation.engine import Engine
from nova_ha_scheduler.evacuation.options import Options
from nova_ha_scheduler.records.effects import Effect, Intent
from nova_ha_scheduler.records.pauses import Pause
from nova_ha_scheduler.records.state import Change, State
from nova_ha_scheduler.simulation.journal import MemoryJournal
from nova_ha_scheduler.simulation.stepped import SteppedExecutor, VirtualClock
from nova_ha_scheduler.simulation.world import SimulatedWorld

_LOOKS = (Effect.CHECK_POWER, Effect.CHECK_LATE)


class Simulation:
    """The world, and a trigger that can be killed and started in it.

    :ivar poll: seconds between two looks in quiet times.
    :ivar follow: the same while a recovery is open.
    """

    poll = 5
    follow = 5

    def __init__(
        self,
        world: SimulatedWorld,
        options: Options,
        moment: Callable[[str], None] = lambda name: None,
        journal: MemoryJournal | None = None,
        keep: Callable[[Decision], None] | None = None,
    ) -> None:
        """
        :param moment: called before and after each commit and each effect; what it
            raises ends the trigger there.
        :param keep: see Engine.
        """
        self.world, self.options, self.moment = world, options, moment
        self.began = world.time
        self.clock = VirtualClock(world.time)
        self.journal = journal or MemoryJournal()
        self._keep = keep
        self.delays: dict[tuple[str, str], float] = {}
        self.waits: dict[tuple[str, str], float] = {}
        self.start()

    def start(self) -> None:
        self._lost_at: float | None = None
        self.executor = SteppedExecutor(
            self.world, self.clock, self.moment, self._withholds
        )
        self.executor.delays, self.executor.waits = self.delays, self.waits
        self.engine: Engine | None = Engine(
            self.world, self.clock, self, self.executor, self.options, self._keep
        )

    def kill(self) -> None:
        self.engine = None

    def _withholds(self, intent: Intent) -> bool:
        assert self.engine is not None
        return self.engine.withholds(intent)

    # The journal as the engine sees it: with the moments at which it can be killed.

    def load(self, admitted_since: float) -> State:
        return self.journal.load(admitted_since)

    def pauses(self) -> Sequence[Pause]:
        return self.journal.pauses()

    def commit(self, change: Change) -> None:
        quiet = all(i.effect in _LOOKS for i in change.opened)
        changed = (change.hosts, change.servers, change.windows, change.moves)
        told = not quiet or any(changed)
        if told:
            self.moment("before commit")
        self.journal.commit(change)
        if told:
            self.moment("after commit")

    def _interval(self) -> int:
        state = self.journal.state
        open_ = any(host.ended_at is None for host in state.hosts.values())
        return self.follow if open_ else self.poll

    @property
    def passed(self) -> float:
        """Virtual seconds since the beginning."""
        return self.clock.time - self.began

    def tick(self) -> None:
        """One second of virtual time."""
        self.clock.time += 1
        self.world.advance(self.clock.time)
        if self.engine is None:
            return
        look = self.passed % self._interval() == 0
        for _ in range(50):
            busy = self.executor.pump()
            if not (look or busy or self.engine.wants_look()):
                return
            try:
                look = look or self.engine.wants_look()
                outage = self.clock.time - self._lost_at if self._lost_at else 0.0
                self.engine.step(look, outage)
                self._lost_at = None if look else self._lost_at
            except CloudUnreachable:
                self._lost_at = self._lost_at or self.clock.time
                return
            look = False
        raise AssertionError("the engine does not come to rest")
