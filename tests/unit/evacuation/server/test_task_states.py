# SPDX-License-Identifier: Apache-2.0
"""The table of task states."""

from dataclasses import replace

import pytest
from nova.compute import task_states as nova_states
from nova.objects.fields import InstanceTaskState

from nova_ha_scheduler.cluster.picture import Picture, Scope, Server
from nova_ha_scheduler.evacuation.options import Options
from nova_ha_scheduler.evacuation.server import server_states
from nova_ha_scheduler.evacuation.server.task_states import TABLE, Done, TaskState, of
from nova_ha_scheduler.evacuation.step import Step
from nova_ha_scheduler.records.host_recovery import HostRecovery, HostState
from nova_ha_scheduler.records.server_recovery import ServerRecovery, ServerState
from nova_ha_scheduler.records.state import State
from tests.lib.simulation import scenario
from tests.scenarios.test_scenarios import CASES


def test_each_task_state_of_nova_has_a_row() -> None:
    theirs = {v for v in vars(nova_states).values() if isinstance(v, str)}
    known = theirs & set(InstanceTaskState.ALL)
    assert len(known) > 30
    assert set(InstanceTaskState.ALL) <= known
    assert set(TABLE) == known


def test_another_one_is_waited_for() -> None:
    assert of("of_a_newer_nova").done is Done.WAITS


@pytest.mark.parametrize("row", TABLE.values(), ids=lambda row: row.name)
def test_its_scenario_shows_what_is_done(row: TaskState) -> None:
    """A server in that state is asked for as soon as its host is known to be dead; or
    it is left, for as long as nobody gives a word."""
    (case,) = (path for path in CASES if path.name == row.scenario)
    played = scenario.Script(scenario.load((case / "cluster.yaml").read_text()))
    steps = played.read((case / "commands").read_text())
    dead = next(step.time for step in steps if step.words[:2] == ("power", "off"))
    played.play([step for step in steps if step.time < dead + 60])
    played.until(90)
    servers = played.world.servers.values()
    mine = [server.uuid for server in servers if server.task_state == row.name]
    assert mine

    def states() -> set[ServerState]:
        known = played.simulation.journal.state.servers.values()
        return {record.state for record in known if record.server in mine}

    played.until(97)
    at_once = row.done is Done.AT_ONCE
    assert states() == {ServerState.ASKED if at_once else ServerState.WAITING}
    if not at_once:
        played.until(200)
        assert states() == {ServerState.LEFT}


def test_a_word_on_the_queues_ends_with_the_death() -> None:
    host = HostRecovery("c1@1", "c1", HostState.EVACUATING, 1.0, queues_emptied=True)
    assert host.entered(HostState.INCOMPLETE, 2.0).queues_emptied
    assert not host.entered(HostState.RETURNING, 2.0).queues_emptied
    assert not host.entered(HostState.FENCED, 2.0).queues_emptied


@pytest.mark.parametrize(
    ("written", "believed"), [(990.0, True), (None, True), (999.5, False)]
)
def test_what_was_ordered_after_the_word_is_not_believed(
    written: float | None, believed: bool
) -> None:
    """The word was given at 1000, and is taken later, when a trigger is there again."""
    host = HostRecovery("r", "node1", HostState.EVACUATING, 1.0)
    record = ServerRecovery("r", "u1", "web", "node1", ServerState.WAITING, 1.0)
    state = State(hosts={"r": host}, servers={record.key: record})
    server = Server(uuid="u1", name="web", host="node1", vm_state="stopped")
    server = replace(server, task_state="powering-on", changed_at=written)
    shown = Picture(1100.0, Scope(), {}, {"u1": server})
    step = Step(state, shown, (), frozenset(), 1100.0, Options(clock_skew=2.0))
    server_states.believe_emptied(step, host, 1000.0)
    assert step.servers[record.key].queues_emptied is believed
