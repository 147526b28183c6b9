# SPDX-License-Identifier: Apache-2.0
"""A fence device that says off of a host that is on.

Nothing but the host itself can tell: by its heartbeats. What was asked for before the
second of them cannot be helped; so these tests count what the world calls breaches.
"""

from typing import Any

from nova_ha_scheduler.reasons import Reason
from nova_ha_scheduler.records.commands import CommandKind
from nova_ha_scheduler.records.host_recovery import HostState
from nova_ha_scheduler.simulation.runner import Simulation
from tests.lib.simulation import scenario

CLUSTER: dict[str, Any] = {
    "hosts": {
        "node1": {"zone": "nfs-a", "device": "lies"},
        "node2..node4": {"zone": "nfs-a", "room": 16},
    },
    "servers": {"web1..web9": {"host": "node1"}},
    "options": {"max_in_flight": 1},
    "nova": {"rebuild": 15},
}
SECONDS = 600


def _play(script: scenario.Script, commands: str) -> Simulation:
    script.run(commands + f"\nat {SECONDS} end")
    return script.simulation


def test_heartbeats_are_believed_more_than_the_device() -> None:
    simulation = _play(scenario.Script(CLUSTER), "at 30 force-down node1")
    asked = len(simulation.world.asks)
    assert asked == len(simulation.world.breaches)
    assert 0 < asked < 4, "the second heartbeat comes within 20 s"
    (recovery,) = simulation.journal.state.hosts.values()
    assert recovery.reason is Reason.CONTRADICTED
    assert recovery.evidence is None
    waiting = [s for s in simulation.journal.state.servers.values() if not s.settled]
    assert len(waiting) == 9 - asked


def test_a_witness_keeps_it_from_being_fenced_at_all() -> None:
    commands = "at 20 witness ping node1 alive\nat 30 force-down node1"
    simulation = _play(scenario.Script(CLUSTER), commands)
    assert simulation.world.breaches == []
    (recovery,) = simulation.journal.state.hosts.values()
    assert recovery.state is HostState.SUSPECTED


def test_it_goes_on_when_the_power_was_cut_by_hand() -> None:
    commands = """
        at 30 force-down node1
        at 200 power off node1
        at 215 confirm-fenced node1 Ann 'cable pulled'
    """
    simulation = _play(scenario.Script(CLUSTER), commands)
    breaches, asked = simulation.world.breaches, simulation.world.asks
    assert len(breaches) < 4
    assert len(asked) == 9
    servers = simulation.world.servers.values()
    assert all(server.host != "node1" for server in servers)
    orders = simulation.journal.state.commands.values()
    assert not [o for o in orders if o.kind is CommandKind.CONFIRM_FENCED]


def test_it_goes_on_when_it_has_been_silent_for_long_enough() -> None:
    """Somebody else wrote its record, twice, while it was off."""
    commands = """
        at 30 power off node1
        at 40 device node1 works
        at 120 disable node1 one
        at 140 disable node1 two
    """
    simulation = _play(scenario.Script(CLUSTER), commands)
    assert simulation.world.breaches == []
    assert all(s.host != "node1" for s in simulation.world.servers.values())
