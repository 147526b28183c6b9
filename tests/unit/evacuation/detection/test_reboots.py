# SPDX-License-Identifier: Apache-2.0
"""Hosts that reboot by themselves: what tests/scenarios/detection does not show."""

from typing import Any

import pytest

from nova_ha_scheduler.cluster.picture import Picture, Scope
from nova_ha_scheduler.records.effects import Effect
from nova_ha_scheduler.records.events import EventKind
from nova_ha_scheduler.simulation.runner import Simulation
from tests.lib.simulation import scenario

WEB = "uuid-web1"


class Site:
    """Six hosts; node1 reboots in its 30th second, and is back 30 s later."""

    def __init__(self, **options: Any) -> None:
        cluster = {
            "hosts": {"node1..node6": {"zone": "nfs-a"}},
            "servers": {"web1..web2": {"host": "node1"}, "db": {"host": "node2"}},
            "options": {"retry_interval": 10, **options},
        }
        self.simulation: Simulation = scenario.build(cluster, [])
        self.world = self.simulation.world

    def run(self, until: float, reboots: bool = True) -> None:
        while self.simulation.clock.time < until:
            if reboots and self.simulation.clock.time == 30:
                self.world.cut("node1")
                machine = self.world.machines["node1"]
                machine.powered, machine.agent_at = True, self.world.time + 30
            self.simulation.tick()

    def told_at(self, kind: EventKind) -> list[float]:
        return [e.at for e in self.simulation.journal.events if e.kind is kind]

    def told(self, kind: EventKind) -> list[str]:
        events = self.simulation.journal.events
        return [e.server_name or e.host for e in events if e.kind is kind]


def test_it_is_told_once_however_often_its_turn_comes() -> None:
    site = Site(reboot_looks=1)
    site.world.nova.sync = 0
    site.run(900)
    assert site.told(EventKind.HOST_REBOOTED) == ["node1"]
    site.world.set(WEB, running=True)  # somebody starts one, and it goes off once more
    site.world.machines["node1"].phase += 4  # nova-compute is started anew
    site.run(1100)
    site.world.guests.off.add(WEB)
    site.world.machines["node1"].phase += 4
    site.run(1200)
    assert site.told(EventKind.HOST_REBOOTED) == ["node1", "node1"]


def test_a_hypervisor_that_cannot_be_asked_at_first() -> None:
    site = Site()
    site.world.broken_calls["look"] = 2
    site.run(200)
    assert site.told(EventKind.HOST_REBOOTED) == ["node1"]


def test_a_hypervisor_that_cannot_be_asked_at_all() -> None:
    """Nobody knows, so nothing is said; and it is not asked for ever."""
    site = Site()
    site.world.broken_calls["look"] = 1000
    site.run(400)
    assert site.told(EventKind.HOST_REBOOTED) == []
    assert site.world.broken_calls["look"] >= 1000 - 4


def test_one_guest_that_runs_is_proof() -> None:
    site = Site(reboot_looks=1, return_restart=True)
    site.run(20, reboots=False)
    site.world.guests.off.add(WEB)
    site.run(300, reboots=False)
    assert site.told(EventKind.HOST_REBOOTED) == []
    assert site.told(EventKind.SERVER_RESTARTED) == []


def test_one_that_does_not_start() -> None:
    site = Site(return_restart=True, attempts=2)
    site.world.broken_calls["reboot"] = 1000
    site.run(400)
    assert sorted(site.told(EventKind.SERVER_FAILED)) == ["web1", "web2"]
    assert site.world.broken_calls["reboot"] == 1000 - 4


def test_killed_while_they_are_started() -> None:
    site = Site(return_restart=True)
    site.simulation.delays[Effect.REBOOT.value, "node1"] = 60
    site.run(90)
    assert site.told(EventKind.HOST_REBOOTED) == ["node1"]
    site.simulation.kill()
    site.simulation.delays.clear()
    site.run(100)
    site.simulation.start()
    site.run(200)
    assert len(site.told(EventKind.SERVER_RESTARTED)) == 2
    assert site.world.guests.off == set()


@pytest.mark.parametrize(("every", "most"), [(0, 0), (3, 6), (10, 6)])
def test_what_it_costs_in_quiet_times(every: int, most: int) -> None:
    """A look each five seconds, for ten minutes: a turn a host, and then nothing."""
    site, servers_only, looks = Site(reboot_looks=every), [], []
    observe, runs = site.world.observe, site.world.runs

    def counted(scope: Scope) -> Picture:
        servers_only.extend(scope.servers_only)
        return observe(scope)

    def looked(server: str) -> bool:
        looks.append(server)
        return runs(server)

    site.world.observe, site.world.runs = counted, looked  # type: ignore[method-assign]
    site.run(600, reboots=False)
    assert len(servers_only) == len(set(servers_only)) == most
    assert len(looks) <= len(servers_only)


def test_hosts_whose_heartbeats_have_no_rhythm_have_their_turns() -> None:
    """One out of step would not be noticed."""
    site, servers_only = Site(reboot_looks=3), []
    observe = site.world.observe

    def counted(scope: Scope) -> Picture:
        servers_only.extend(scope.servers_only)
        return observe(scope)

    site.world.observe = counted  # type: ignore[method-assign]
    for moment in range(20, 620, 20):
        site.run(moment, reboots=False)
        site.world.machines["node1"].phase += 3
    assert servers_only.count("node1") > 3
    assert servers_only.count("node2") == 1


@pytest.mark.parametrize(("rebuild", "waits"), [(20, 20), (600, 30)])
def test_a_turn_waits_while_a_host_is_evacuated_but_not_for_long(
    rebuild: float, waits: float
) -> None:
    """Pauses of heartbeats are common then, and Nova has enough to do."""
    site, listed = Site(reboot_looks=0), []
    observe = site.world.observe

    def counted(scope: Scope) -> Picture:
        listed.extend((site.world.time, host) for host in scope.servers_only)
        return observe(scope)

    site.world.observe = counted  # type: ignore[method-assign]
    site.world.rebuild_times["db"] = rebuild
    site.world.cut("node2")
    asked = None
    while asked is None:
        site.run(site.world.time + 1, reboots=False)
        asked = next(iter(site.told_at(EventKind.SERVER_ASKED)), None)
    site.world.machines["node1"].phase += 4  # nova-compute is started anew
    site.run(asked + 100, reboots=False)
    (found,) = (at for at, host in listed if host == "node1" and at > asked)
    assert waits <= found - asked < waits + 25


def test_no_turn_begins_while_another_host_is_recovered() -> None:
    """Nor for ever none: one that has stalled keeps nobody's turn."""
    site, turns = Site(reboot_looks=5), []
    observe = site.world.observe

    def counted(scope: Scope) -> Picture:
        turns.extend([site.world.time] if scope.servers_only else [])
        return observe(scope)

    site.world.observe = counted  # type: ignore[method-assign]
    site.world.rebuild_times["db"] = 900
    site.world.cut("node2")
    site.run(600, reboots=False)
    asked = next(
        event.at
        for event in site.simulation.journal.events
        if event.kind is EventKind.SERVER_ASKED
    )
    stalled = asked + site.simulation.options.stalled_after
    assert [at for at in turns if at < asked]
    assert [at for at in turns if asked <= at < stalled] == []
    assert [at for at in turns if at > stalled]
