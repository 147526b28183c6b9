# SPDX-License-Identifier: Apache-2.0
"""Carries intents out: one at a time, or many in threads beside the engine."""

import time
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from oslo_log import log as logging

from nova_ha_scheduler.clock import Clock
from nova_ha_scheduler.cluster.errors import Refused
from nova_ha_scheduler.evacuation import interfaces
from nova_ha_scheduler.evacuation.interfaces import Power, World
from nova_ha_scheduler.health.troubles import plainly
from nova_ha_scheduler.printable import flat, one_line
from nova_ha_scheduler.records.effects import Effect, Intent, Outcome, Result
from nova_ha_scheduler.service.execution.evacuation_queue import EvacuationQueue

LOG = logging.getLogger(__name__)

_URGENT = (Effect.CHECK_LATE, Effect.TESTIFY)
"""What does not wait for the checks of a whole cloud's devices, though no recovery
wants it."""

_POWER_RESULTS = {
    Power.OFF: Result.OK,
    Power.ON: Result.REFUSED,
    Power.UNKNOWN: Result.UNKNOWN,
    Power.FED: Result.FED,
}


def perform(world: World, intent: Intent, clock: Clock) -> Outcome:
    """Carry one intent out and say what became of it; it never raises."""
    host, by, request_id = intent.host, "", None
    try:
        match intent.effect:
            case Effect.TESTIFY:
                result, words = _testify(world, host)
            case Effect.TESTIFY_AGAIN:
                result, words = _testify_again(world, host, float(intent.text))
            case Effect.FENCE | Effect.CHECK_POWER | Effect.CHECK_LATE:
                report = _power(world, intent)
                result = _POWER_RESULTS[report.power]
                words, by = report.detail, report.by
            case Effect.ASK_WHY:
                result = Result.OK
                words = world.explain(intent.server or "", intent.text)
            case Effect.LOOK:
                runs = world.runs(intent.server or "")
                result = Result.OK if runs else Result.REFUSED
                said = "runs" if runs else "does not run"
                words = f"its hypervisor says that it {said}"
            case Effect.ASK_ORDERS:
                result, words = Result.OK, world.ordered(intent.server or "")
            case _:
                result, words, request_id = Result.OK, "", world.carry_out(intent)
    except Refused as error:
        result, words = Result.REFUSED, str(error)
    except Exception as error:
        _warn(intent, error)
        result, words = Result.UNKNOWN, f"{type(error).__name__}: {error}"
    return Outcome(intent, result, clock.now(), flat(words), flat(by, 64), request_id)


def _power(world: World, intent: Intent) -> interfaces.PowerReport:
    if intent.effect is Effect.FENCE:
        return world.power_off(intent.host)
    if intent.effect is Effect.CHECK_POWER and not intent.recovery:
        return world.check(intent.host)
    return world.power(intent.host)


def _warn(intent: Intent, error: Exception) -> None:
    what, whom = intent.effect.value, intent.server or intent.host
    plainly(LOG.warning, "%s of %s: %s", what, whom, one_line(error))


def _testify(world: World, host: str) -> tuple[Result, str]:
    answers = world.testify(host)
    against = [a for a in answers if a.verdict is not interfaces.WitnessVerdict.DEAD]
    return Result.REFUSED if against else Result.OK, _words(against or answers)


def _testify_again(world: World, host: str, since: float) -> tuple[Result, str]:
    """One that cannot tell is no objection: what proves the death is the device."""
    answers = world.testify(host, since)
    alive = [a for a in answers if a.verdict is interfaces.WitnessVerdict.ALIVE]
    return Result.REFUSED if alive else Result.OK, _words(alive or answers)


def _words(answers: Sequence[interfaces.Testimony]) -> str:
    said = (f"{a.witness} says {a.verdict.value} ({a.detail})" for a in answers)
    return "; ".join(said)


class PoolExecutor:
    """Threads. The slowness of one device or request holds up nothing else."""

    def __init__(
        self,
        world: World,
        clock: Clock,
        workers: int,
        wake: Callable[[], Any],
        checkers: int = 8,
        may_act: Callable[[], bool] = lambda: True,
        withholds: Callable[[Intent], bool] = lambda _: False,
        urgency: Callable[[Intent], float] = lambda _: 0.0,
    ) -> None:
        """
        :param wake: called after each outcome, from a thread of the pool.
        :param checkers: threads for the periodic checks of fence devices, beside the
            workers: a recovery does not wait for a whole cloud's devices.
        :param may_act: asked just before each effect, which may have been in the
            queue for a while; where it says no, nothing is done.
        :param withholds: the same for one effect: whether a person has stopped it.
        :param urgency: of evacuations: the highest is asked for first.
        """
        self._world, self._clock, self._wake = world, clock, wake
        self._may_act, self._withholds = may_act, withholds
        self._pool = ThreadPoolExecutor(max_workers=workers)
        self._checks = ThreadPoolExecutor(max_workers=checkers)
        self._evacuations = EvacuationQueue(self._ask, urgency)
        self._futures: dict[str, Future[Outcome]] = {}
        self._begun: dict[str, tuple[float, Intent]] = {}

    def submit(self, intent: Intent) -> None:
        if intent.effect is Effect.EVACUATE:
            self._futures[intent.id] = Future()
            self._evacuations.put(intent)
            return
        urgent = intent.recovery or intent.effect in _URGENT
        pool = self._pool if urgent else self._checks
        future = self._futures[intent.id] = pool.submit(self._run, intent)
        future.add_done_callback(lambda _: self._wake())

    def claimed(self, servers: Collection[str]) -> None:
        """Nova says of these servers, by UUID, that a destination works on them."""
        self._evacuations.claimed(servers)

    def scheduling(self, servers: Collection[str]) -> None:
        """Nova shows of these that none does yet, and of no others."""
        self._evacuations.only(servers)

    def _ask(self, intent: Intent) -> None:
        self._pool.submit(self._evacuate, intent)

    def _evacuate(self, intent: Intent) -> None:
        future, result = self._futures[intent.id], Result.UNKNOWN
        try:
            outcome = self._run(intent)
            result = outcome.result
            future.set_result(outcome)
        except Exception as error:  # as a pool's future has it
            future.set_exception(error)
        finally:
            self._evacuations.answered(intent, result)
            self._wake()

    def close(self) -> None:
        """Take nothing more, and wait for nothing."""
        self._may_act = lambda: False
        self._evacuations.close()
        self._pool.shutdown(wait=False)
        self._checks.shutdown(wait=False)

    def longest(self) -> tuple[float, Intent] | None:
        """The effect that has been under way for longest, and for how many seconds."""
        now = time.monotonic()
        spans = [(now - begun, intent) for begun, intent in [*self._begun.values()]]
        return max(spans, key=lambda span: span[0], default=None)

    def _run(self, intent: Intent) -> Outcome:
        self._begun[intent.id] = time.monotonic(), intent
        try:
            return self._do(intent)
        finally:
            del self._begun[intent.id]

    def _do(self, intent: Intent) -> Outcome:
        if not self._may_act():
            words = "not begun: another trigger may be the active one"
            return Outcome(intent, Result.UNKNOWN, self._clock.now(), words)
        if self._is_withheld(intent):
            return Outcome(intent, Result.WITHHELD, self._clock.now())
        return perform(self._world, intent, self._clock)

    def _is_withheld(self, intent: Intent) -> bool:
        """Also if that cannot be known: the engine decides anew when it can be."""
        try:
            return self._withholds(intent)
        except Exception as error:
            _warn(intent, error)
            return True

    def ended(self) -> bool:
        """Whether there are outcomes to be fetched."""
        return any(future.done() for future in self._futures.values())

    def outcomes(self) -> Sequence[Outcome]:
        done = [id for id, future in self._futures.items() if future.done()]
        return [self._futures.pop(id).result() for id in done]

    def running(self) -> frozenset[str]:
        """With those whose outcome was not fetched yet: they are not lost."""
        return frozenset(self._futures)
