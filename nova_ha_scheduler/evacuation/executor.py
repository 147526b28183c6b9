# SPDX-License-Identifier: Apache-2.0
"""Carries intents out: one at a time, or many in threads beside the engine."""

import threading
from collections.abc import Callable, Sequence
from typing import Any

import futurist
from oslo_log import log as logging

from nova_ha_scheduler.evacuation.interfaces import (
    Clock,
    Power,
    Refused,
    Verdict,
    World,
)
from nova_ha_scheduler.evacuation.records import Effect, Intent, Outcome, Result

LOG = logging.getLogger(__name__)

_POWER_RESULTS = {
    Power.OFF: Result.OK,
    Power.ON: Result.REFUSED,
    Power.UNKNOWN: Result.UNKNOWN,
}


def perform(world: World, intent: Intent, clock: Clock) -> Outcome:
    """Carry one intent out and say what became of it; it never raises."""
    try:
        if intent.effect is Effect.TESTIFY:
            return _testify(world, intent, clock)
        if intent.effect in (Effect.CHECK_POWER, Effect.FENCE):
            return _power(world, intent, clock)
        request_id = _tell_nova(world, intent)
        return Outcome(intent, Result.OK, clock.now(), request_id=request_id)
    except Refused as error:
        return Outcome(intent, Result.REFUSED, clock.now(), str(error))
    except Exception as error:
        LOG.warning("%s of %s: %s", intent.effect.value, intent.host, error)
        words = f"{type(error).__name__}: {error}"
        return Outcome(intent, Result.UNKNOWN, clock.now(), words)


def _testify(world: World, intent: Intent, clock: Clock) -> Outcome:
    answers = world.testify(intent.host)
    against = [a for a in answers if a.verdict is not Verdict.DEAD]
    words = "; ".join(
        f"{a.witness} says {a.verdict.value} ({a.detail})" for a in against or answers
    )
    result = Result.REFUSED if against else Result.OK
    return Outcome(intent, result, clock.now(), words)


def _power(world: World, intent: Intent, clock: Clock) -> Outcome:
    off = intent.effect is Effect.FENCE
    report = world.power_off(intent.host) if off else world.power(intent.host)
    result = _POWER_RESULTS[report.power]
    return Outcome(intent, result, clock.now(), report.detail, by=report.by)


def _tell_nova(world: World, intent: Intent) -> str | None:
    """:returns: Nova's request id, where it is of use."""
    server = intent.server or ""
    match intent.effect:
        case Effect.EVACUATE:
            return world.evacuate(server, intent.destination)
        case Effect.START:
            return world.start(server)
        case Effect.STOP:
            return world.stop(server)
        case Effect.FORCE_DOWN:
            world.force_down(intent.host)
        case Effect.LIFT_FORCE_DOWN:
            world.lift_force_down(intent.host)
        case Effect.DISABLE:
            world.disable(intent.host, intent.text)
        case Effect.ENABLE:
            world.enable(intent.host)
    return None


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
    ) -> None:
        """
        :param wake: called after each outcome, from a thread of the pool.
        :param checkers: threads for the periodic checks of fence devices, beside the
            workers: a recovery does not wait for a whole cloud's devices.
        :param may_act: asked just before each effect, which may have been in the
            queue for a while; where it says no, nothing is done.
        """
        self._world, self._clock, self._wake = world, clock, wake
        self._may_act = may_act
        self._lock = threading.Lock()
        self._running: dict[str, Intent] = {}
        self._outcomes: list[Outcome] = []
        self._pool = futurist.ThreadPoolExecutor(max_workers=workers)
        self._checks = futurist.ThreadPoolExecutor(max_workers=checkers)

    def submit(self, intent: Intent) -> None:
        with self._lock:
            self._running[intent.id] = intent
        pool = self._pool if intent.recovery else self._checks
        pool.submit(self._run, intent)

    def close(self) -> None:
        """Take nothing more, and wait for nothing."""
        self._may_act = lambda: False
        self._pool.shutdown(wait=False)
        self._checks.shutdown(wait=False)

    def _run(self, intent: Intent) -> None:
        if self._may_act():
            outcome = perform(self._world, intent, self._clock)
        else:
            now = self._clock.now()
            outcome = Outcome(intent, Result.UNKNOWN, now, "another trigger is active")
        with self._lock:
            del self._running[intent.id]
            self._outcomes.append(outcome)
        self._wake()

    def ended(self) -> bool:
        """Whether there are outcomes to be fetched."""
        with self._lock:
            return bool(self._outcomes)

    def outcomes(self) -> Sequence[Outcome]:
        with self._lock:
            outcomes, self._outcomes = self._outcomes, []
        return outcomes

    def running(self) -> frozenset[str]:
        """With those whose outcome was not fetched yet: they are not lost."""
        with self._lock:
            waiting = {outcome.intent.id for outcome in self._outcomes}
            return frozenset(self._running) | waiting
