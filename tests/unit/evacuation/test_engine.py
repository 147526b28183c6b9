# SPDX-License-Identifier: Apache-2.0
"""What the engine costs, and what a dry run says."""

import itertools
from dataclasses import replace
from typing import Any

import pytest

from nova_ha_scheduler.cluster.picture import Server
from nova_ha_scheduler.evacuation import dry_run
from nova_ha_scheduler.evacuation.interfaces import Testimony, WitnessVerdict
from nova_ha_scheduler.evacuation.options import Options
from nova_ha_scheduler.reasons import Reason
from nova_ha_scheduler.records.commands import Command, CommandKind
from nova_ha_scheduler.records.effects import Effect, Intent
from nova_ha_scheduler.records.events import EventKind
from nova_ha_scheduler.records.evidence import Evidence, Proof
from nova_ha_scheduler.records.host_recovery import HostRecovery, HostState
from nova_ha_scheduler.records.maintenance_window import Window, WindowState
from nova_ha_scheduler.records.move import Move, MoveState
from nova_ha_scheduler.records.pauses import Pause
from nova_ha_scheduler.records.server_recovery import ServerRecovery, ServerState
from nova_ha_scheduler.records.state import Change
from nova_ha_scheduler.service.openstack_world import ProductionWorld
from nova_ha_scheduler.simulation.runner import Simulation
from tests.lib.simulation import scenario


def _recovery(servers: int) -> Simulation:
    cluster: dict[str, Any] = {
        "hosts": {
            "node1": {"zone": "nfs-a", "room": servers},
            "node2..node6": {"zone": "nfs-a", "room": servers},
        },
        "servers": {f"vm1..vm{servers}": {"host": "node1"}},
    }
    simulation = scenario.build(cluster, [])
    while simulation.clock.time < 200:
        if simulation.clock.time == 30:
            simulation.world.cut("node1")
        simulation.tick()
    records = simulation.journal.state.servers.values()
    assert {r.state for r in records} == {ServerState.RECOVERED}
    return simulation


def test_pictures_do_not_grow_with_servers() -> None:
    few, many = _recovery(1), _recovery(30)
    assert many.world.observations == few.world.observations
    assert len(many.world.asks) == 30


def test_a_quiet_cloud_writes_no_journal() -> None:
    simulation = scenario.build({"hosts": {"node1..node3": {}}}, [])
    simulation.tick()
    simulation.tick()
    before = simulation.journal.state
    for _ in range(100):
        simulation.tick()
    assert simulation.journal.state is before


def test_a_paused_recovery_is_in_no_hurry() -> None:
    """It may be paused for days; as soon as something moves, it is followed."""
    cluster: dict[str, Any] = {
        "hosts": {"node1..node4": {"zone": "nfs-a"}},
        "servers": {"vm1": {"host": "node1"}},
        "nova": {"rebuild": 60},
    }
    simulation = scenario.build(cluster, [])
    simulation.world.cut("node1")

    def rests(until: float) -> bool:
        while simulation.clock.time < until:
            simulation.tick()
        assert simulation.engine is not None
        return simulation.engine.rests()

    pause = Pause("p", "Ann", "why not", 0.0)
    simulation.journal.commit(Change(pauses=(pause,)))
    assert not rests(50)  # nothing is open: other things decide
    assert rests(100)
    ended = replace(pause, ended_at=100.0)
    simulation.journal.commit(Change(pauses=(ended,)))
    assert not rests(110)
    simulation.journal.commit(Change(pauses=(replace(pause, id="p2"),)))
    assert not rests(140)
    assert not rests(200)  # it is recovered


def test_what_others_say_in_new_words_each_time_is_told_once() -> None:
    """ping ends with the time that it took; Nova's answers have a request's id."""
    cluster = {"hosts": {"node1..node4": {"zone": "nfs-a"}}}
    simulation, told, numbers = scenario.build(cluster, []), [], itertools.count()

    def testify(host: str, since: float = 0.0) -> list[Testimony]:
        return [Testimony("ping", WitnessVerdict.ALIVE, f"rtt {next(numbers)} ms")]

    simulation.world.testify = testify  # type: ignore[method-assign]
    simulation.journal.listen = told.append
    while simulation.clock.time < 600:
        if simulation.clock.time == 30:
            simulation.world.machines["node1"].agent = False
        simulation.tick()
    assert next(numbers) > 10
    held = [event for event in told if event.kind is EventKind.HOST_HELD]
    assert [event.host for event in held] == ["node1"]


def test_a_dry_run_asks_nobody() -> None:
    cluster = {
        "hosts": {
            "node1": {"zone": "nfs-a"},
            "node2": {"zone": "nfs-a", "room": 1},
        },
        "servers": {
            "a": {"host": "node1", "priority": 1},
            "b": {"host": "node1"},
            "c": {"host": "node1", "vm_state": "paused"},
        },
    }
    world = scenario.build(cluster, []).world
    found = {
        s.server: (s.destination, s.reason)
        for s in dry_run.plan(dry_run.look(world, ["node1"]), Options(), ["node1"])
    }
    assert found == {
        "uuid-a": (None, Reason.NO_ROOM),
        "uuid-b": ("node2", None),
        "uuid-c": (None, Reason.VM_STATE),
    }
    assert world.asks == []


def _drain(servers: int) -> Simulation:
    cluster: dict[str, Any] = {
        "hosts": {"node1..node3": {"zone": "nfs-a", "room": servers}},
        "servers": {f"vm1..vm{servers}": {"host": "node1"}},
        "options": {"maintenance_max_in_flight": servers},
    }
    simulation = scenario.build(cluster, [])
    kind = CommandKind.START_MAINTENANCE
    order = Command("c", kind, "node1", "ann", "why", 0.0, 600.0, drain=True)
    simulation.journal.order(order)
    while simulation.clock.time < 100:
        simulation.tick()
    assert {m.state for m in simulation.journal.state.moves.values()} == {
        MoveState.MOVED
    }
    return simulation


def test_pictures_of_a_drain_do_not_grow_with_servers() -> None:
    few, many = _drain(1), _drain(30)
    assert many.world.observations == few.world.observations
    assert len(many.world.records) == 30


def test_a_pause_of_its_home_holds_up_a_server_that_waits_for_its_turn() -> None:
    simulation = scenario.build({"hosts": {"node1..node2": {"zone": "nfs-a"}}}, [])
    engine, now = simulation.engine, simulation.clock.now()
    assert engine is not None
    home = Move("node2@1", "u1", "web", "node1", MoveState.ASKED, 1.0, home="node2")
    engine.state = replace(engine.state, moves={home.key: home})
    asked = Intent("i1", Effect.LIVE_MIGRATE, "node1", now, home.job, home.server)
    assert not engine.withholds(asked)
    pause = Pause("p1", "ann", "cables", now, host="node2")
    simulation.journal.commit(Change(pauses=(pause,)))
    assert engine.withholds(asked)
    assert not engine.withholds(replace(asked, recovery="node9@1"))


def test_what_nobody_carries_out_is_no_success() -> None:
    world = object.__new__(ProductionWorld)
    for effect in (Effect.LOOK, Effect.FENCE, Effect.ASK_WHY):
        with pytest.raises(ValueError, match=f"nobody carries out {effect.value}"):
            world.carry_out(Intent("i1", effect, "node1", 1.0))


def _asked() -> tuple[Simulation, Intent]:
    """A simulation in which Nova is to be asked for a server, in its turn."""
    simulation = scenario.build({"hosts": {"node1..node3": {"zone": "nfs-a"}}}, [])
    engine, now = simulation.engine, simulation.clock.now()
    assert engine is not None
    simulation.tick()
    record = ServerRecovery("r", "u1", "web", "node1", ServerState.ASKED, now)
    proof = Evidence(Proof.POWER_OFF, "redfish", now)
    host = HostRecovery("r", "node1", HostState.EVACUATING, now, evidence=proof)
    engine.state = replace(
        engine.state, hosts={"r": host}, servers={record.key: record}
    )
    intent = Intent("i1", Effect.EVACUATE, "node1", now, "r", "u1", "node2")
    assert not engine.withholds(intent)
    return simulation, intent


def test_what_somebody_else_evacuates_is_not_asked_for() -> None:
    simulation, intent = _asked()
    engine = simulation.engine
    assert engine is not None
    assert engine._picture is not None
    rebuilds = Server(
        uuid="u1", name="web", host="node1", vm_state="active", task_state="rebuilding"
    )
    kept = engine._picture
    engine._picture = replace(kept, servers={"u1": rebuilds})
    assert engine.withholds(intent)
    engine._picture = kept
    record = engine.state.servers["r", "u1"]
    for state in set(ServerState) - {ServerState.ASKED}:
        changed = {record.key: replace(record, state=state)}
        engine.state = replace(engine.state, servers=changed)
        assert engine.withholds(intent), state


@pytest.mark.parametrize("host", ["node1", "node2"])
def test_a_maintenance_that_begins_meanwhile(host: str) -> None:
    """Of the source, and of the destination: from the order on, before it shows."""
    simulation, intent = _asked()
    engine = simulation.engine
    assert engine is not None
    window = Window(f"{host}@1", host, "ann", "memory", WindowState.STARTING, 1.0)
    engine.state = replace(engine.state, windows={window.id: window})
    assert engine.withholds(intent)
    fence = replace(intent, effect=Effect.FENCE, destination=None)
    assert engine.withholds(fence) is (host == "node1")
    move = replace(intent, effect=Effect.LIVE_MIGRATE)
    assert engine.withholds(move) is (host == "node2")
