# SPDX-License-Identifier: Apache-2.0
"""No wait is cut short that the options ask for."""

from nova_ha_scheduler.records import ages
from nova_ha_scheduler.records.events import EventKind
from nova_ha_scheduler.records.host_recovery import HostRecovery, HostState
from nova_ha_scheduler.records.old_request import OldRequest
from tests.lib.simulation import scenario

OFF_TIME = 200


def test_a_long_off_time_is_waited_for() -> None:
    cluster = {
        "hosts": {"node1..node3": {"zone": "nfs-a"}},
        "options": {"off_time": OFF_TIME, "down_time": 600},
    }
    simulation = scenario.build(cluster, [])
    for second in range(600):
        if second == 120:
            simulation.world.cut("node1")
        simulation.tick()
    at = {event.kind: event.at for event in simulation.journal.events}
    assert at[EventKind.HOST_CONFIRMED] - at[EventKind.HOST_LATE] >= OFF_TIME


def test_what_waits_within_a_record_is_bounded_too() -> None:
    old = OldRequest("a@1", "b@1", "uuid", "web", "b", look_at=5000.0)
    host = HostRecovery("a@1", "a", HostState.RECOVERED, 1.0, old_requests=(old,))
    (found,) = ages.bounded(host, 60.0).old_requests
    assert found.look_at == 60.0
    assert ages.bounded(host, 6000.0) is host
