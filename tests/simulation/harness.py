# SPDX-License-Identifier: Apache-2.0
"""A virtual clock, a journal in memory, an executor without threads, and the loop
that ties them to the engine: one tick a second."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from nova_ha_scheduler.cluster.errors import CloudUnreachable
from nova_ha_scheduler.evacuation.engine import Engine
from nova_ha_scheduler.evacuation.executor import perform
from nova_ha_scheduler.evacuation.options import Options
from nova_ha_scheduler.evacuation.pauses import Pause
from nova_ha_scheduler.evacuation.records import (
    Change,
    Command,
    Effect,
    Event,
    EventKind,
    Intent,
    Outcome,
    Result,
    State,
)
from tests.simulation.world import SimulatedWorld


class VirtualClock:
    def __init__(self) -> None:
        self.time = 0.0
        self.ahead = 0.0
        """By how much the trigger's clock was set forward."""

    def now(self) -> float:
        return self.time + self.ahead

    def steady(self) -> float:
        return self.time


class Killed(BaseException):
    """The trigger dies here; what it had in memory is gone."""


class MemoryJournal:
    """Survives the trigger, as the real one does."""

    def __init__(self) -> None:
        self.state = State()
        self.events: list[Event] = []
        self.listen: Callable[[Event], None] = self.events.append

    def load(self, admitted_since: float) -> State:
        hosts = {
            key: host
            for key, host in self.state.hosts.items()
            if host.ended_at is None or (host.admitted_at or 0) >= admitted_since
        }
        servers = {
            key: server
            for key, server in self.state.servers.items()
            if key[0] in hosts and hosts[key[0]].ended_at is None
        }
        windows = {k: w for k, w in self.state.windows.items() if w.ended_at is None}
        unfinished = {m.job for m in self.state.moves.values() if not m.state.final}
        moves = {
            key: move
            for key, move in self.state.moves.items()
            if move.job in unfinished or move.job in windows
        }
        return replace(
            self.state, hosts=hosts, servers=servers, windows=windows, moves=moves
        )

    def pauses(self) -> Sequence[Pause]:
        return tuple(self.state.pauses.values())

    def commit(self, change: Change) -> None:
        assert not {i.id for i in change.opened} & set(self.state.intents)
        self.state = self.state.after(change)
        for event in change.events:
            self.listen(event)

    def order(self, command: Command) -> None:
        commands = {**self.state.commands, command.id: command}
        self.state = replace(self.state, commands=commands)


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


class Simulation:
    """The world, and a trigger that can be killed and started in it."""

    POLL = 5

    def __init__(
        self,
        world: SimulatedWorld,
        options: Options,
        moment: Callable[[str], None] = lambda name: None,
    ) -> None:
        self.world, self.options, self.moment = world, options, moment
        self.clock, self.journal = VirtualClock(), MemoryJournal()
        self.delays: dict[tuple[str, str], float] = {}
        self.waits: dict[tuple[str, str], float] = {}
        self.start()

    def start(self) -> None:
        self.executor = SteppedExecutor(
            self.world, self.clock, self.moment, self._withholds
        )
        self.executor.delays, self.executor.waits = self.delays, self.waits
        self.engine: Engine | None = Engine(
            self.world, self.clock, self, self.executor, self.options
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
        quiet = all(i.effect is Effect.CHECK_POWER for i in change.opened)
        told = not quiet or change.hosts or change.servers
        told = told or change.windows or change.moves
        if told:
            self.moment("before commit")
        self.journal.commit(change)
        if told:
            self.moment("after commit")

    def tick(self) -> None:
        """One second of virtual time."""
        self.clock.time += 1
        self.world.advance(self.clock.time)
        if self.engine is None:
            return
        look = self.clock.time % self.POLL == 0
        for _ in range(50):
            busy = self.executor.pump()
            if not (look or busy or self.engine.wants_look()):
                return
            try:
                self.engine.step(look=look or self.engine.wants_look())
            except CloudUnreachable:
                return
            look = False
        raise AssertionError("the engine does not come to rest")


def line(event: Event, names: dict[str, str]) -> str:
    """An event as a line of a scenario's log."""
    words = [event.kind.value]
    if event.server:
        words += [event.server_name, f"({event.source}"]
        words[-1] += f" -> {event.destination})" if event.destination else ")"
        if event.request_id:
            words.append(event.request_id)
    elif event.host:
        words.append(event.host)
    if event.servers:
        listed = ", ".join(sorted(names.get(s, s) for s in event.servers))
        words.append(f"[{listed}]")
    text = " ".join(words)
    for part in (event.how, event.reason):
        text += f": {part}" if part else ""
    return text


QUIET = (EventKind.SERVER_LANDED,)
