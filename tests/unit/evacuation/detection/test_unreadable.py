# SPDX-License-Identifier: Apache-2.0
"""What cannot be read of the cloud costs what it is of, and is told."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from nova_ha_scheduler.cluster.picture import UNNAMED, Host, Picture, Scope, Unread
from nova_ha_scheduler.reasons import Reason
from nova_ha_scheduler.records.events import EventKind
from nova_ha_scheduler.records.host_recovery import HostRecovery, HostState
from nova_ha_scheduler.records.server_recovery import ServerState
from nova_ha_scheduler.simulation.people import PeopleVerbs
from nova_ha_scheduler.simulation.runner import Simulation
from tests.lib.simulation import scenario

CLUSTER: dict[str, Any] = {
    "hosts": {"node1..node6": {"zone": "nfs-a"}},
    "servers": {
        "vm1": {"host": "node1"},
        "vm2": {"host": "node1"},
        "vm3": {"host": "node2"},
    },
}
Spoil = Callable[[Picture, float], Picture]

WHY = "state is a list"


def _simulation(monkeypatch: pytest.MonkeyPatch, spoil: Spoil) -> Simulation:
    """Two hosts die at 30 s, and each picture is spoilt by the time."""
    simulation = scenario.build(CLUSTER, [])
    observe = simulation.world.observe

    def spoilt(scope: Scope) -> Picture:
        return spoil(observe(scope), simulation.clock.time)

    monkeypatch.setattr(simulation.world, "observe", spoilt)
    return simulation


def _run(simulation: Simulation, until: float) -> dict[str, HostRecovery]:
    while simulation.clock.time < until:
        if simulation.clock.time == 30:
            simulation.world.cut("node1")
            simulation.world.cut("node2")
        simulation.tick()
    return {host.host: host for host in simulation.journal.state.hosts.values()}


def _servers(simulation: Simulation) -> dict[str, tuple[ServerState, Reason | None]]:
    servers = simulation.journal.state.servers.values()
    return {server.name: (server.state, server.reason) for server in servers}


def _told(simulation: Simulation, kind: EventKind) -> list[str]:
    return [e.reason for e in simulation.journal.events if e.kind is kind]


def _asked(simulation: Simulation, name: str) -> int:
    events = simulation.journal.events
    asked = (e for e in events if e.kind is EventKind.SERVER_ASKED)
    return sum(event.server_name == name for event in asked)


def _without(name: str, stand_in: str, picture: Picture) -> Picture:
    """The service of a host cannot be read."""
    if not picture.hosts:
        return picture
    facts = picture.hosts[name].facts
    hosts = {n: h for n, h in picture.hosts.items() if n != name}
    hosts[stand_in] = Host(stand_in, facts, unreadable="its service cannot be read")
    unread = (*picture.unread, Unread("compute service", stand_in, WHY))
    return replace(picture, hosts=hosts, unread=unread)


@pytest.mark.parametrize("stand_in", ["node1", UNNAMED])
@pytest.mark.parametrize("begin", [0, 45, 75, 105, 150, 250])
def test_an_unreadable_service_holds_its_host_alone(
    stand_in: str, begin: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At whatever moment of its recovery: it looks neither dead, nor back, nor gone."""

    def spoil(picture: Picture, now: float) -> Picture:
        return _without("node1", stand_in, picture) if begin <= now < 600 else picture

    simulation = _simulation(monkeypatch, spoil)
    before = _run(simulation, begin)
    meanwhile = _run(simulation, 590)
    assert meanwhile["node2"].state is HostState.RECOVERED
    if "node1" in before:
        assert meanwhile["node1"].state is before["node1"].state
        assert meanwhile["node1"].reason is Reason.SERVICE_UNREADABLE
    else:
        assert "node1" not in meanwhile
    assert len(_told(simulation, EventKind.UNREADABLE)) == 1
    assert not _told(simulation, EventKind.READABLE)
    after = _run(simulation, 900)
    assert after["node1"].state is HostState.RECOVERED
    assert set(_servers(simulation).values()) == {(ServerState.RECOVERED, None)}
    assert len(_told(simulation, EventKind.READABLE)) == 1


def _unread_server(name: str, picture: Picture) -> Picture:
    servers = {
        uuid: replace(s, unreadable=WHY, vm_state="unreadable", task_state=None)
        if s.name == name
        else s
        for uuid, s in picture.servers.items()
    }
    return replace(picture, servers=servers)


def test_an_unreadable_server_is_left_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    simulation = _simulation(monkeypatch, lambda p, _: _unread_server("vm1", p))
    hosts = _run(simulation, 900)
    assert hosts["node1"].state is HostState.INCOMPLETE
    found = _servers(simulation)
    assert found["vm1"] == (ServerState.LEFT, Reason.CANNOT_BE_READ)
    assert found["vm2"] == found["vm3"] == (ServerState.RECOVERED, None)
    assert any(WHY in words for words in _told(simulation, EventKind.SERVER_LEFT))
    assert not _asked(simulation, "vm1")


def test_one_that_can_be_read_in_time_is_recovered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    simulation = _simulation(
        monkeypatch, lambda p, now: _unread_server("vm1", p) if now < 110 else p
    )
    assert _run(simulation, 600)["node1"].state is HostState.RECOVERED
    assert _asked(simulation, "vm1") == 1


def test_one_that_lands_and_cannot_be_read_is_no_success(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def spoil(picture: Picture, now: float) -> Picture:
        landed = any(record.landed for record in picture.migrations)
        return _unread_server("vm1", picture) if landed else picture

    simulation = _simulation(monkeypatch, spoil)
    _run(simulation, 900)
    assert _servers(simulation)["vm1"] == (ServerState.FAILED, Reason.CANNOT_BE_READ)
    assert _asked(simulation, "vm1") == 1


@pytest.mark.parametrize("named", [True, False])
def test_an_unreadable_record_has_nothing_asked_twice(
    named: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The record of its evacuation is there, and nobody knows what it says."""

    def spoil(picture: Picture, now: float) -> Picture:
        wanted = [m for m in picture.migrations if m.server.endswith("vm1")]
        unread = tuple(
            Unread("record", str(m.id), WHY, "node1", m.server if named else "", None)
            for m in wanted
        )
        rest = tuple(m for m in picture.migrations if m not in wanted)
        return replace(picture, migrations=rest, unread=unread)

    simulation = _simulation(monkeypatch, spoil)
    _run(simulation, 1500)
    assert _asked(simulation, "vm1") == 1
    assert _asked(simulation, "vm2") == 1
    assert _servers(simulation)["vm3"] == (ServerState.RECOVERED, None)


def test_a_record_of_an_earlier_death_holds_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def spoil(picture: Picture, now: float) -> Picture:
        old = Unread("record", "1", WHY, "node1", "", at=-10_000.0)
        return replace(picture, unread=(old,))

    simulation = _simulation(monkeypatch, spoil)
    assert _run(simulation, 600)["node1"].state is HostState.RECOVERED


def test_an_unreadable_host_is_not_heard_of_for_the_guard(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two die at once, and the guard trips; then the records of both of them break."""

    def spoil(picture: Picture, now: float) -> Picture:
        if now >= 150:
            for name in ("node1", "node2"):
                picture = _without(name, name, picture)
        return picture

    monkeypatch.setitem(CLUSTER, "options", {"max_hosts": 1})
    simulation = _simulation(monkeypatch, spoil)
    _run(simulation, 145)
    assert simulation.journal.state.guard.tripped_until is not None
    _run(simulation, 400)
    assert simulation.journal.state.guard.tripped_until is not None


def test_a_maintenance_of_an_unreadable_host_stays_as_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    spoil_from = [1e9]

    def spoil(picture: Picture, now: float) -> Picture:
        broken = now >= spoil_from[0]
        return _without("node4", UNNAMED, picture) if broken else picture

    simulation = _simulation(monkeypatch, spoil)
    PeopleVerbs(simulation).do_maintenance_start("node4", "me", "disks")
    _run(simulation, 28)
    (before,) = simulation.journal.state.windows.values()
    spoil_from[0] = 28
    _run(simulation, 300)
    (after,) = simulation.journal.state.windows.values()
    assert (after.state, after.ended_at) == (before.state, None)
