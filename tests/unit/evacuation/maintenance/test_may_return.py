# SPDX-License-Identifier: Apache-2.0
"""Whether a host is empty is not known while who has left it cannot be read.

Who may come back: tests/scenarios and tests/integration/maintenance."""

from dataclasses import replace

import pytest

from nova_ha_scheduler.cluster.picture import Picture, Scope, Unread
from nova_ha_scheduler.reasons import Reason
from nova_ha_scheduler.records.events import EventKind
from nova_ha_scheduler.simulation.people import PeopleVerbs
from tests.lib.simulation import scenario


def test_an_unreadable_record_holds_the_drain(monkeypatch: pytest.MonkeyPatch) -> None:
    simulation = scenario.build({"hosts": {"node1..node2": {"zone": "nfs-a"}}}, [])
    observe, unread = simulation.world.observe, Unread("migration record", "7", "junk")

    def spoilt(scope: Scope) -> Picture:
        shown = replace(unread, source="node1")
        now = simulation.clock.time
        return replace(observe(scope), unread=(shown, shown) if now < 100 else ())

    monkeypatch.setattr(simulation.world, "observe", spoilt)
    PeopleVerbs(simulation).do_maintenance_start("node1", "ann", "memory", "drain")
    while simulation.clock.time < 90:
        simulation.tick()
    (window,) = simulation.journal.state.windows.values()
    assert window.drained_at is None
    assert window.sentence == Reason.MAY_RETURN_UNKNOWN.sentence(
        "migration record 7 (junk)"
    )
    while simulation.clock.time < 200:
        simulation.tick()
    (window,) = simulation.journal.state.windows.values()
    assert window.drained_at is not None
    assert window.reason is None
    told = [e for e in simulation.journal.events if e.host == "node1"]
    assert [e.kind for e in told if e.reason.startswith("nobody knows")] == [
        EventKind.HOST_HELD
    ]
    assert told[-1].kind is EventKind.MAINTENANCE_DRAINED
