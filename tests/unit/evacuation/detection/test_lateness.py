# SPDX-License-Identifier: Apache-2.0
"""Late hosts: what tests/scenarios/detection/late-* do not show."""

from typing import Any

from nova_ha_scheduler.evacuation.interfaces import PowerReport
from nova_ha_scheduler.records.effects import Effect, Intent
from nova_ha_scheduler.records.events import EventKind
from nova_ha_scheduler.records.host_recovery import HostState
from nova_ha_scheduler.records.state import Change
from nova_ha_scheduler.simulation.runner import Simulation
from tests.lib.simulation import scenario


class Site:
    """So many hosts, of whose devices is noted who is asked, and when."""

    def __init__(self, hosts: int, **options: Any) -> None:
        cluster = {
            "hosts": {f"node1..node{hosts}": {"zone": "nfs-a"}},
            "servers": {"web1": {"host": "node1"}},
            "options": {"off_time": 5, **options},
        }
        self.simulation: Simulation = scenario.build(cluster, [])
        self.world = self.simulation.world
        self.asked: list[tuple[float, str]] = []
        power = self.world.power

        def noted(host: str) -> PowerReport:
            self.asked.append((self.simulation.clock.time, host))
            return power(host)

        self.world.power = noted  # type: ignore[method-assign]

    def run(self, until: float) -> None:
        while self.simulation.clock.time < until:
            self.simulation.tick()

    def told(self, kind: EventKind) -> list[str]:
        events = self.simulation.journal.events
        return [event.host for event in events if event.kind is kind]


def test_nobody_is_asked_in_quiet_times() -> None:
    site = Site(6)
    site.run(600)
    assert site.asked == []


def test_a_storm_of_lateness_asks_at_a_bounded_rate() -> None:
    """40 hosts are late at once; nine others are heard of."""
    site = Site(49)
    site.run(100)
    for number in range(1, 41):
        site.world.machines[f"node{number}"].connected = False
    site.run(150)
    assert site.asked, "they are asked"
    for at, _ in site.asked:
        near = [other for other, _ in site.asked if at <= other < at + 5]
        assert len(near) <= 8
    each = [host for _, host in site.asked]
    assert len(set(each)) > 30, "one after the other has its turn"


def test_one_host_is_asked_at_an_interval() -> None:
    site = Site(4)
    site.run(100)
    site.world.machines["node1"].connected = False
    site.run(160)
    times = [at for at, host in site.asked if host == "node1"]
    assert {host for _, host in site.asked} == {"node1"}
    assert all(b - a >= 15 for a, b in zip(times, times[1:], strict=False))
    assert len(times) <= 4


def test_a_restart_loses_no_answer() -> None:
    """Killed while the device is asked: it is asked again."""
    site = Site(4)
    site.run(100)
    site.world.cut("node1")
    site.simulation.delays[Effect.CHECK_LATE.value, "node1"] = 4
    site.run(113)
    site.simulation.kill()
    site.simulation.start()
    site.run(200)
    assert site.told(EventKind.HOST_RECOVERED) == ["node1"]


def test_killed_between_the_two_answers() -> None:
    site = Site(4)
    site.run(100)
    site.world.cut("node1")
    while site.told(EventKind.HOST_LATE) == []:
        site.simulation.tick()
    site.simulation.kill()
    site.simulation.start()
    site.run(150)
    assert site.told(EventKind.HOST_RECOVERED) == ["node1"]


def test_an_answer_that_came_too_late() -> None:
    """The host was heard of while its device was asked."""
    site = Site(4)
    site.run(100)
    site.world.machines["node1"].device = "lies"
    site.world.machines["node1"].connected = False
    site.simulation.delays[Effect.CHECK_LATE.value, "node1"] = 12
    site.run(118)
    site.world.machines["node1"].connected = True
    site.run(250)
    assert site.told(EventKind.HOST_LATE) == []


def test_without_the_option_nobody_goes_by_an_answer() -> None:
    """It was asked before the options were read anew."""
    site = Site(4, off_time=0)
    site.run(100)
    site.world.cut("node1")
    asked = Intent("late-1", Effect.CHECK_LATE, "node1", 100.0, text="100.0 110.0")
    site.simulation.journal.commit(Change(opened=(asked,)))
    site.simulation.executor.submit(asked)
    site.run(140)
    assert site.told(EventKind.HOST_LATE) == []
    assert site.asked == [(101.0, "node1")]


def test_the_second_answer_is_so_much_later() -> None:
    site = Site(4, off_time=30)
    site.run(100)
    site.world.cut("node1")
    site.run(200)
    (recovery,) = site.simulation.journal.state.hosts.values()
    stages = recovery.stages
    assert recovery.off_at is not None
    assert stages[HostState.CONFIRMED.value] - recovery.off_at >= 30
