# SPDX-License-Identifier: Apache-2.0
"""What the watchers remember, when what they told could not be written down."""

import pytest

from nova_ha_scheduler.journal import JournalError
from nova_ha_scheduler.records.effects import Effect
from nova_ha_scheduler.records.events import EventKind
from nova_ha_scheduler.records.state import Change
from nova_ha_scheduler.simulation.runner import Simulation
from tests.lib.simulation import scenario

CLUSTER = {
    "hosts": {"node1..node3": {"zone": "nfs-a"}},
    "options": {"device_check_interval": 60, "off_time": 5},
}


def run(simulation: Simulation, seconds: int = 120) -> None:
    for _ in range(seconds):
        simulation.tick()


def full(change: Change) -> None:
    """Instead of the journal's commit."""
    raise JournalError("the disk is full")


def test_what_was_not_written_down_was_neither_told_nor_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    simulation = scenario.build(CLUSTER, [])
    assert simulation.engine is not None
    devices, machines = simulation.engine.devices, simulation.world.machines
    machines["node1"].device = "unreachable"
    machines["node2"].device = "none"
    with monkeypatch.context() as patch:
        patch.setattr(simulation.journal, "commit", full)
        for _ in range(3):
            with pytest.raises(JournalError):
                run(simulation)
    assert (devices.protected, devices.unfenceable) == (None, {})
    run(simulation, 30)
    told = [(event.kind, event.host) for event in simulation.journal.events]
    assert set(told) == {
        (EventKind.METHOD_MISSING, "node2"),
        (EventKind.DEVICE_BROKEN, "node1"),
    }
    assert devices.works == {"node3"}


def test_a_late_host_is_asked_about_again(monkeypatch: pytest.MonkeyPatch) -> None:
    simulation = scenario.build(CLUSTER, [])
    run(simulation)
    simulation.world.cut("node1")
    before = simulation.journal.commit

    def refuses(change: Change) -> None:
        if any(intent.effect is Effect.CHECK_LATE for intent in change.opened):
            raise JournalError("the disk is full")
        before(change)

    with monkeypatch.context() as patch:
        patch.setattr(simulation.journal, "commit", refuses)
        with pytest.raises(JournalError):
            run(simulation)
    run(simulation, 30)
    kinds = [event.kind for event in simulation.journal.events]
    assert EventKind.HOST_LATE in kinds
