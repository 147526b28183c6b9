# SPDX-License-Identifier: Apache-2.0
"""A bug that one host brings to light does not hold up the others."""

import logging
from dataclasses import replace
from typing import Any

import pytest

from nova_ha_scheduler.evacuation.host import host_states
from nova_ha_scheduler.evacuation.maintenance import drain, window_states
from nova_ha_scheduler.evacuation.step import Step
from nova_ha_scheduler.reasons import Reason
from nova_ha_scheduler.records.commands import Command, CommandKind
from nova_ha_scheduler.records.events import EventKind
from nova_ha_scheduler.records.host_recovery import HostRecovery, HostState
from nova_ha_scheduler.records.maintenance_window import Window, WindowState
from nova_ha_scheduler.records.move import MoveState
from nova_ha_scheduler.records.server_recovery import ServerState
from nova_ha_scheduler.records.state import Change
from nova_ha_scheduler.simulation.runner import Simulation
from tests.lib.simulation import scenario

CLUSTER: dict[str, Any] = {
    "hosts": {"node1..node6": {"zone": "nfs-a"}},
    "servers": {"vm1": {"host": "node1"}, "vm2": {"host": "node2"}},
}


def _run(until: float, simulation: Simulation) -> dict[str, HostRecovery]:
    while simulation.clock.time < until:
        if simulation.clock.time == 30:
            simulation.world.cut("node1")
            simulation.world.cut("node2")
        simulation.tick()
    return {host.host: host for host in simulation.journal.state.hosts.values()}


def _states(simulation: Simulation) -> dict[str, ServerState]:
    servers = simulation.journal.state.servers.values()
    return {server.name: server.state for server in servers}


@pytest.mark.parametrize(
    "state", [HostState.CONFIRMED, HostState.FENCING, HostState.FENCED]
)
def test_the_others_go_on(
    state: HostState, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    function = host_states.FUNCTIONS[state]

    def broken(step: Step, host: HostRecovery) -> HostRecovery:
        new = function(step, host)
        if host.host == "node1":
            raise KeyError("what nobody foresaw")
        return new

    simulation = scenario.build(CLUSTER, [])
    with monkeypatch.context() as patch, caplog.at_level(logging.ERROR):
        patch.setitem(host_states.FUNCTIONS, state, broken)
        hosts = _run(300, simulation)
    assert hosts["node2"].state is HostState.RECOVERED
    assert _states(simulation) == {"vm2": ServerState.RECOVERED}
    assert (hosts["node1"].state, hosts["node1"].reason) == (state, Reason.BROKEN)
    told = [
        event.reason
        for event in simulation.journal.events
        if event.kind is EventKind.HOST_HELD
    ]
    (reason,) = told
    assert "KeyError: 'what nobody foresaw'" in reason
    (record,) = [r for r in caplog.records if "host node1 failed" in r.message]
    assert record.exc_info

    hosts = _run(600, simulation)  # the bug is gone
    assert hosts["node1"].state is HostState.RECOVERED
    assert hosts["node1"].reason is None
    assert set(_states(simulation).values()) == {ServerState.RECOVERED}


def test_nobody_is_asked_for_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether the proof still holds, nobody has found out."""
    function = host_states.FUNCTIONS[HostState.EVACUATING]

    def broken(step: Step, host: HostRecovery) -> HostRecovery:
        if any(server.landed_at for server in step.servers_of(host)):
            raise KeyError(host.host)
        return function(step, host)

    simulation = scenario.build(
        {
            "hosts": {"node1..node4": {"zone": "nfs-a"}},
            "servers": {"vm1..vm3": {"host": "node1"}},
            "options": {"max_in_flight_per_zone": 1},
        },
        [],
    )
    with monkeypatch.context() as patch:
        patch.setitem(host_states.FUNCTIONS, HostState.EVACUATING, broken)
        _run(400, simulation)
    assert _states(simulation)["vm3"] is ServerState.WAITING
    assert len(simulation.world.asks) == 2
    _run(700, simulation)
    assert set(_states(simulation).values()) == {ServerState.RECOVERED}
    assert len(simulation.world.asks) == 3


def test_it_takes_nobodys_place_in_the_guard(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is done for it as long as it breaks, perhaps for days."""
    function = host_states.FUNCTIONS[HostState.CONFIRMED]

    def broken(step: Step, host: HostRecovery) -> HostRecovery:
        if host.host == "node1":
            raise KeyError(host.host)
        return function(step, host)

    simulation = scenario.build({**CLUSTER, "options": {"max_hosts": 1}}, [])
    simulation.world.cut("node1")
    with monkeypatch.context() as patch:
        patch.setitem(host_states.FUNCTIONS, HostState.CONFIRMED, broken)
        while simulation.clock.time < 400:
            if simulation.clock.time == 200:
                simulation.world.cut("node2")
            simulation.tick()
    assert _states(simulation) == {"vm2": ServerState.RECOVERED}
    assert simulation.journal.state.guard.tripped_until is None


def test_a_maintenance_that_breaks_holds_up_no_recovery(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(step: Step, window: Window) -> Window:
        step.put(replace(window, why="half done"))
        raise KeyError("what nobody foresaw")

    window = Window("node3@1/m", "node3", "ann", "memory", WindowState.OPEN, 1.0)
    simulation = scenario.build(CLUSTER, [])
    simulation.journal.commit(Change(windows=(window,)))
    with monkeypatch.context() as patch, caplog.at_level(logging.ERROR):
        patch.setitem(window_states.FUNCTIONS, WindowState.OPEN, broken)
        hosts = _run(300, simulation)
    assert hosts["node1"].state is HostState.RECOVERED
    (kept,) = simulation.journal.state.windows.values()
    assert kept.why == "memory"
    assert len([r for r in caplog.records if "host node3 failed" in r.message]) == 1


def test_moves_that_break_hold_up_no_recovery(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What was learned for them meanwhile is not lost: the drain goes on afterwards."""

    def broken(step: Step) -> None:
        step.moves.clear()
        raise KeyError("what nobody foresaw")

    servers = {**CLUSTER["servers"], "vm3": {"host": "node3"}}
    simulation = scenario.build({**CLUSTER, "servers": servers}, [])
    now, kind = simulation.clock.now(), CommandKind.START_MAINTENANCE
    order = Command("c1", kind, "node3", "ann", "memory", now, now + 600, drain=True)
    simulation.journal.order(order)
    while not simulation.journal.state.moves:
        simulation.tick()
    assert simulation.clock.time < 30
    assert simulation.engine is not None
    with monkeypatch.context() as patch, caplog.at_level(logging.ERROR):
        patch.setattr(drain, "conclude", broken)
        hosts = _run(300, simulation)
        assert simulation.engine.left_out.keys() == {"the moves"}
    assert {host.state for host in hosts.values()} == {HostState.RECOVERED}
    assert len([r for r in caplog.records if "the moves failed" in r.message]) == 1
    assert len(simulation.journal.state.moves) == 1
    _run(600, simulation)
    assert simulation.engine.left_out == {}
    (move,) = simulation.journal.state.moves.values()
    assert move.state is MoveState.MOVED
