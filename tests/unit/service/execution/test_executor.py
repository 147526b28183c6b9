# SPDX-License-Identifier: Apache-2.0
"""The pool: slow things wait for nobody, and every end is told."""

import threading
from collections.abc import Callable

from nova_ha_scheduler.records.effects import Effect, Intent, Result
from nova_ha_scheduler.service.execution.executor import PoolExecutor, perform
from nova_ha_scheduler.simulation.stepped import VirtualClock
from nova_ha_scheduler.simulation.world import SimulatedWorld
from tests.lib.simulation import scenario
from tests.lib.waiting import PATIENCE, wait

CLUSTER = {
    "hosts": {"node1..node2": {"zone": "nfs-a"}},
    "servers": {"vm1": {"host": "node1"}},
}


def _world() -> SimulatedWorld:
    return scenario.build(CLUSTER, []).world


def _intent(effect: Effect, host: str = "node1") -> Intent:
    return Intent(f"{effect.value}-{host}", effect, host, 0.0, "r", "uuid-vm1", "node2")


def test_results() -> None:
    world, clock = _world(), VirtualClock()
    refused = perform(world, _intent(Effect.EVACUATE), clock)
    assert refused.result is Result.REFUSED
    assert "still in use" in refused.detail
    on = perform(world, _intent(Effect.CHECK_POWER), clock)
    assert (on.result, on.by) == (Result.REFUSED, "redfish")
    assert perform(world, _intent(Effect.FENCE), clock).result is Result.OK
    world.broken_calls["force_down"] = 1
    unknown = perform(world, _intent(Effect.FORCE_DOWN), clock)
    assert unknown.result is Result.UNKNOWN
    assert perform(world, _intent(Effect.FORCE_DOWN), clock).result is Result.OK
    done = perform(world, _intent(Effect.EVACUATE), clock)
    assert (done.result, done.request_id) == (Result.OK, "req-1")


def test_what_was_stopped_meanwhile_is_not_begun() -> None:
    world, ended = _world(), threading.Event()
    stopped = {"fence-node1": True, "fence-node2": False}
    pool = PoolExecutor(
        world,
        VirtualClock(),
        1,
        ended.set,
        withholds=lambda intent: stopped[intent.id],  # of a third, it is not known
    )
    results = {}
    for host in ("node1", "node2", "node3"):
        ended.clear()
        pool.submit(_intent(Effect.FENCE, host))
        assert ended.wait(PATIENCE)
        results |= {o.intent.host: o.result for o in pool.outcomes()}
    withheld = Result.WITHHELD
    assert results == {"node1": withheld, "node2": Result.OK, "node3": withheld}
    assert [world.machines[h].powered for h in ("node1", "node2")] == [True, False]


class _SlowWorld(SimulatedWorld):
    """A device that answers only when it is let."""

    gate: threading.Event

    def power(self, host: str):  # type: ignore[no-untyped-def]
        if host == "node1":
            self.gate.wait(PATIENCE)
        return super().power(host)


def test_a_slow_device_holds_up_nothing_else() -> None:
    world = _world()
    world.__class__ = _SlowWorld
    assert isinstance(world, _SlowWorld)
    world.gate = threading.Event()
    woken = threading.Event()
    pool = PoolExecutor(world, VirtualClock(), 2, woken.set)
    pool.submit(_intent(Effect.CHECK_POWER))
    pool.submit(_intent(Effect.CHECK_POWER, "node2"))
    assert woken.wait(PATIENCE)
    assert [o.intent.host for o in pool.outcomes()] == ["node2"]
    assert pool.running() == {"check power-node1"}
    world.gate.set()
    outcomes = wait("its outcome", pool.outcomes)
    assert [o.intent.host for o in outcomes] == ["node1"]
    assert pool.running() == frozenset()


def test_what_does_not_end_is_known() -> None:
    world, goes_on, ended = _world(), threading.Event(), threading.Event()
    pool = PoolExecutor(world, VirtualClock(), 2, ended.set, withholds=_waits(goes_on))
    pool.submit(_intent(Effect.FENCE, "node1"))
    wait("a while", lambda: (pool.longest() or (0.0,))[0] >= 0.2)
    pool.submit(_intent(Effect.FENCE, "node2"))
    longest = pool.longest()
    assert longest
    assert longest[1].host == "node1"
    goes_on.set()
    wait("their end", lambda: not pool.longest())
    assert len(pool.outcomes()) == 2


def _waits(goes_on: threading.Event) -> Callable[[Intent], bool]:
    def withholds(intent: Intent) -> bool:
        return not goes_on.wait(PATIENCE)

    return withholds
