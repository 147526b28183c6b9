# SPDX-License-Identifier: Apache-2.0
"""An evacuation to another storage zone endangers the server's disk, and is told."""

from dataclasses import replace
from typing import Any

import pytest

from nova_ha_scheduler.cluster.picture import Migration, Picture, Scope
from nova_ha_scheduler.records.events import TROUBLES, Event, EventKind
from nova_ha_scheduler.simulation.runner import Simulation
from tests.lib.simulation import scenario

CLUSTER: dict[str, Any] = {
    "hosts": {
        "node1..node3": {"zone": "nfs-a"},
        "node7": {"zone": "nfs-b"},
        "node9": {},
    },
    "servers": {
        "vm1": {"host": "node1"},
        "vm2": {"host": "node1", "recovery": "recreate"},
    },
}


@pytest.fixture
def simulation() -> Simulation:
    return scenario.build(CLUSTER, [])


def _told(
    simulation: Simulation, monkeypatch: pytest.MonkeyPatch, *records: Migration
) -> list[Event]:
    """node1 dies at 30 s, and Nova shows these records as well from 60 s on."""
    observe = simulation.world.observe

    def more(scope: Scope) -> Picture:
        picture = observe(scope)
        if simulation.clock.time < 60 or "node1" not in scope.hosts:
            return picture
        return replace(picture, migrations=(*picture.migrations, *records))

    monkeypatch.setattr(simulation.world, "observe", more)
    while simulation.clock.time < 300:
        if simulation.clock.time == 30:
            simulation.world.cut("node1")
        simulation.tick()
    return [e for e in simulation.journal.events if e.kind is EventKind.OTHER_ZONE]


def _record(simulation: Simulation, destination: str | None, status: str) -> Migration:
    (uuid,) = (s.uuid for s in simulation.world.servers.values() if s.name == "vm1")
    return Migration(900, uuid, "node1", destination, status)


@pytest.mark.parametrize("status", ["accepted", "pre-migrating", "done"])
@pytest.mark.parametrize(("host", "zone"), [("node7", "nfs-b"), ("node9", "no zone")])
def test_it_is_told_once(
    simulation: Simulation,
    monkeypatch: pytest.MonkeyPatch,
    status: str,
    host: str,
    zone: str,
) -> None:
    record = _record(simulation, host, status)
    (event,) = _told(simulation, monkeypatch, record)
    assert (event.host, event.server, event.destination) == (
        "node1",
        record.server,
        host,
    )
    assert f"from node1 (nfs-a) to {host} ({zone})" in event.reason
    assert "keep node1 off until the disk is saved" in event.reason
    assert event.kind in TROUBLES


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("node2", "done"),
        (None, "accepted"),
        ("node7", "completed"),
        ("node7", "failed"),
    ],
)
def test_nobody_loses_by_it(
    simulation: Simulation,
    monkeypatch: pytest.MonkeyPatch,
    host: str | None,
    status: str,
) -> None:
    """It stays in its zone, nobody knows yet where it goes, or it is over."""
    assert _told(simulation, monkeypatch, _record(simulation, host, status)) == []


def test_what_may_lose_its_disk_is_no_trouble(
    simulation: Simulation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The trigger itself has asked for it to leave its zone."""
    for name in ("node2", "node3"):
        simulation.world.machines[name].room["VCPU"] = 0
    assert _told(simulation, monkeypatch) == []
    landed = {s.name: s.host for s in simulation.world.servers.values()}
    assert landed["vm2"] in ("node7", "node9")
