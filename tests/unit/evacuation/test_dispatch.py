# SPDX-License-Identifier: Apache-2.0
"""The plan that a recovery begins with stays, however many steps it takes."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from nova_ha_scheduler import codec
from nova_ha_scheduler.cli import plan_file
from nova_ha_scheduler.cluster import text
from nova_ha_scheduler.cluster.picture import Picture, Scope
from nova_ha_scheduler.evacuation import dispatch, dry_run
from nova_ha_scheduler.evacuation.options import Options
from nova_ha_scheduler.evacuation.server import server_states
from nova_ha_scheduler.evacuation.step import Step
from nova_ha_scheduler.reasons import Reason
from nova_ha_scheduler.records.evidence import Evidence, Proof
from nova_ha_scheduler.records.host_recovery import HostRecovery, HostState
from nova_ha_scheduler.records.server_recovery import ServerRecovery, ServerState
from nova_ha_scheduler.records.state import State
from nova_ha_scheduler.simulation.runner import Simulation
from tests.lib.simulation import scenario

LARGE: dict[str, Any] = {
    "hosts": {
        "node1": {"zone": "nfs-a", "room": 400},
        "node2..node6": {"zone": "nfs-a", "room": 70},
        "spare1": {"zone": "nfs-a", "room": 90, "reserved": True},
        "spare2": {"zone": "nfs-a", "room": 80, "reserved": True},
    },
    "servers": {
        "a01..a40": {"host": "node1", "vcpus": 2},
        "b01..b30": {"host": "node1", "vcpus": 4, "priority": 800},
        "c01..c30": {"host": "node1", "vcpus": 1},
        "d1..d9": {"host": "node3", "vcpus": 3},
    },
    "options": {"max_in_flight_per_zone": 32, "max_cloud_percent": 100},
    "nova": {"rebuild": 20},
}


def _begin(cloud: dict[str, Any]) -> tuple[Simulation, dict[str, str]]:
    """The simulation, and what the plan for its first host is."""
    simulation = scenario.build(cloud, [])
    picture = dry_run.look(simulation.world, ["node1"])
    plan = plan_file.make(picture, simulation.options, ["node1"])
    return simulation, plan.destinations("node1")


def _play(simulation: Simulation, until: Callable[[], bool]) -> dict[str, str]:
    """Where the servers of the first host are then."""
    for _ in range(2000):
        if until():
            break
        simulation.tick()
    assert until()
    assert simulation.world.breaches == []
    return {
        server.server: simulation.world.servers[server.server].host
        for server in simulation.journal.state.servers.values()
        if server.source == "node1"
    }


def _recovered(simulation: Simulation, hosts: int = 1) -> Callable[[], bool]:
    def over() -> bool:
        found = simulation.journal.state.hosts.values()
        done = [host for host in found if host.state is HostState.RECOVERED]
        return len(done) == hosts

    return over


def _asked(simulation: Simulation, count: int) -> Callable[[], bool]:
    return lambda: len(simulation.world.asks) >= count


def test_a_hundred_servers_go_where_the_plan_said() -> None:
    simulation, plan = _begin(LARGE)
    assert len(plan) == 100
    simulation.world.cut("node1")
    most = 0

    def over() -> bool:
        nonlocal most
        servers = simulation.journal.state.servers.values()
        now = simulation.clock.now()
        most = max(most, sum(server.is_under_way(now) for server in servers))
        return _recovered(simulation)()

    assert _play(simulation, over) == plan
    assert most == 32


def test_a_restarted_trigger_goes_on_with_the_plan() -> None:
    simulation, plan = _begin(LARGE)
    simulation.world.cut("node1")
    _play(simulation, _asked(simulation, 40))
    simulation.kill()
    simulation.start()
    assert _play(simulation, _recovered(simulation)) == plan


def test_only_what_must_goes_elsewhere_when_a_destination_dies() -> None:
    simulation, plan = _begin(LARGE)
    simulation.world.cut("node1")
    _play(simulation, _asked(simulation, 33))
    simulation.world.cut("node4")
    found = _play(simulation, _recovered(simulation, 2))
    gone = {server for server, host in plan.items() if host == "node4"}
    assert gone
    assert {server for server, host in found.items() if host != plan[server]} == gone


def test_only_what_is_refused_goes_elsewhere() -> None:
    simulation, plan = _begin(LARGE)
    simulation.world.failing["c05"] = 1
    simulation.world.cut("node1")
    found = _play(simulation, _recovered(simulation))
    changed = {server for server, host in found.items() if host != plan[server]}
    assert changed == {"uuid-c05"}


def test_only_what_finds_no_room_goes_elsewhere() -> None:
    """Somebody takes all that is left where the last one was to go."""
    simulation, plan = _begin(LARGE)
    simulation.world.cut("node1")
    _play(simulation, _asked(simulation, 33))
    full = plan["uuid-c30"]
    planned = {server for server, host in plan.items() if host == full}
    waiting = planned - {server for server, _ in simulation.world.asks}
    simulation.world.machines[full].room["VCPU"] = 0
    found = _play(simulation, _recovered(simulation))
    changed = {server for server, host in found.items() if host != plan[server]}
    assert waiting <= changed <= planned


def test_a_more_urgent_server_still_comes_first() -> None:
    """It dies later; the room was planned for another, which was not asked for."""
    cloud: dict[str, Any] = {
        "hosts": {
            "node1": {"zone": "nfs-a"},
            "node2": {"zone": "nfs-a", "room": 4},
            "node3": {"zone": "nfs-a", "room": 4},
        },
        "servers": {
            "a1": {"host": "node1", "priority": 600},
            "a2": {"host": "node1", "vcpus": 3},
            "b": {"host": "node2", "vcpus": 4, "priority": 900},
        },
        "options": {"max_in_flight": 1},
        "nova": {"rebuild": 400},
    }
    cloud["hosts"]["node4"] = {"zone": "nfs-a", "room": 4, "maintenance": True}
    simulation, plan = _begin(cloud)
    assert plan == {"uuid-a1": "node3", "uuid-a2": "node3"}
    simulation.world.cut("node1")
    _play(simulation, _asked(simulation, 1))
    simulation.world.cut("node2")
    simulation.world.machines["node3"].room["VCPU"] += 2
    states = simulation.journal.state.servers
    _play(simulation, lambda: len(simulation.world.asks) == 2)
    assert [server for server, _ in simulation.world.asks] == ["uuid-a1", "uuid-b"]
    assert {s.name for s in states.values() if s.state is ServerState.WAITING} == {"a2"}


def test_a_retry_gets_another_place() -> None:
    """What was asked for in vain is planned anew when a person orders a retry."""
    asked, waits = _record("u1", attempts=3), _record("u2")
    failed = replace(asked, state=ServerState.FAILED, tried=("node3",))
    host = replace(HOST, planned={"u1": "node2", "u2": "node3"})
    step = _turn(host, (failed, waits), Picture(100.0, Scope(), {}))
    assert server_states.try_again(step, host).planned == {"u2": "node3"}


# One step alone.

HOST = HostRecovery(
    "node1@1",
    "node1",
    HostState.EVACUATING,
    1.0,
    evidence=Evidence(Proof.CONFIRMATION, "Ann", 90.0),
)


def _record(server: str, **more: Any) -> ServerRecovery:
    state = ServerState.WAITING
    return ServerRecovery(HOST.id, server, server, "node1", state, 1.0, **more)


def _turn(
    host: HostRecovery, servers: tuple[ServerRecovery, ...], picture: Picture
) -> Step:
    state = State(
        hosts={host.id: host}, servers={server.key: server for server in servers}
    )
    return Step(state, picture, (), frozenset(), 100.0, Options())


def _picture(cloud: str) -> Picture:
    found = text.load(cloud)
    scope = Scope(hosts=frozenset({"node1"}), destinations=True)
    return replace(found, taken_at=100.0, scope=scope)


def test_what_may_be_counted_twice_does_not_change_the_plan() -> None:
    """Placement shows that the first one has come; its record was read before."""
    picture = _picture(
        """
        hosts: {node1: {zone: a, down: true}, node2: {zone: a, room: 1},
                node3: {zone: a}}
        servers: {u1: {host: node1}, u2: {host: node1}}
        """
    )
    asked = replace(
        _record("uuid-u1", attempts=1), state=ServerState.ASKED, destination="node2"
    )
    host = replace(HOST, planned={"uuid-u1": "node2", "uuid-u2": "node2"})
    step = _turn(host, (asked, _record("uuid-u2")), picture)
    dispatch.dispatch(step)
    (waits,) = (s for s in step.servers.values() if s.server == "uuid-u2")
    assert (waits.state, waits.reason) == (ServerState.WAITING, Reason.NO_ROOM)
    assert step.hosts[HOST.id].planned["uuid-u2"] == "node2"


def test_a_record_without_a_plan_gets_one() -> None:
    """As an older version has written it."""
    old = json.loads(codec.dump(HOST))
    old["state"], old["planned"] = "EVACUATING", {}
    del old["planned"]
    assert codec.load(HostRecovery, json.dumps(old)) == HOST
    picture = _picture(
        """
        hosts: {node1: {zone: a, down: true}, node2: {zone: a}}
        servers: {u1: {host: node1}}
        """
    )
    step = _turn(
        codec.load(HostRecovery, json.dumps(old)), (_record("uuid-u1"),), picture
    )
    dispatch.dispatch(step)
    (host,) = step.change().hosts
    assert host.planned == {"uuid-u1": "node2"}
