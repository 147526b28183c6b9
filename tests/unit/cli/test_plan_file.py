# SPDX-License-Identifier: Apache-2.0
"""A plan says what the recovery does; and one that is kept holds, or says why not."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nova_ha_scheduler.cli import plan_file
from nova_ha_scheduler.cluster.picture import Migration, Picture, Scope
from nova_ha_scheduler.cluster.snapshot import BadFile
from nova_ha_scheduler.evacuation import dry_run
from nova_ha_scheduler.evacuation.options import Options
from nova_ha_scheduler.planner.plan import prospects
from nova_ha_scheduler.records.commands import Command, CommandKind
from nova_ha_scheduler.records.host_recovery import HostState
from nova_ha_scheduler.simulation.runner import Simulation
from tests.lib.simulation import scenario

_ENDS = (HostState.RECOVERED, HostState.INCOMPLETE)

_hosts = st.fixed_dictionaries(
    {"zone": st.sampled_from(["nfs-a", "nfs-a", "nfs-b"]), "room": st.integers(2, 9)},
    optional={"reserved": st.just(True), "maintenance": st.just(True)},
)


@st.composite
def _clouds(draw: st.DrawFn) -> dict[str, Any]:
    hosts = {f"node{n}": draw(_hosts) for n in range(1, draw(st.integers(3, 7)))}
    hosts["node1"] = {"zone": "nfs-a", "room": 12}
    server = st.fixed_dictionaries(
        {
            "host": st.sampled_from(["node1", "node1", *hosts]),
            "vcpus": st.integers(1, 4),
            "priority": st.sampled_from([100, 500]),
        },
        optional={
            "group": st.sampled_from(["g"]),
            "ha": st.sampled_from([True, False]),
            "recovery": st.sampled_from(["none", "recreate"]),
            "vm_state": st.sampled_from(["stopped", "error", "paused"]),
            "refused": st.just("it has a vTPM (2.0)"),
        },
    )
    servers = {f"vm{n}": draw(server) for n in range(draw(st.integers(1, 9)))}
    free = {name: host["room"] for name, host in hosts.items()}
    kept = {}
    for name, said in servers.items():
        if free[said["host"]] >= said["vcpus"]:
            free[said["host"]] -= said["vcpus"]
            kept[name] = said
    return {"hosts": hosts, "servers": kept}


def _look(simulation: Simulation, *hosts: str) -> Picture:
    return dry_run.look(simulation.world, hosts)


def _order(simulation: Simulation, plan: plan_file.Plan, planned: bool) -> None:
    now = simulation.clock.now()
    for host in plan.hosts:
        simulation.world.cut(host)
        simulation.world.force_down(host)
        where = plan.destinations(host) if planned else {}
        kind, until = CommandKind.EVACUATE, now + 600
        simulation.journal.order(
            Command(host, kind, host, "ann", "why", now, until, destinations=where)
        )


def _play(simulation: Simulation, hosts: int) -> dict[str, tuple[str, str]]:
    """Until all is accounted for: each server's state and host."""
    for _ in range(400):
        simulation.tick()
        states = [h.state for h in simulation.journal.state.hosts.values()]
        if len(states) == hosts and all(state in _ENDS for state in states):
            break
    servers = simulation.journal.state.servers.values()
    assert simulation.world.breaches == []
    return {
        s.server: (s.state.value, simulation.world.servers[s.server].host)
        for s in servers
    }


@settings(max_examples=120, deadline=None)
@given(_clouds(), st.booleans(), st.booleans(), st.integers(1, 3))
def test_the_recovery_is_the_plan(
    cloud: dict[str, Any], both: bool, planned: bool, at_once: int
) -> None:
    cloud["options"] = {"max_in_flight_per_zone": at_once}
    simulation = scenario.build(cloud, [])
    hosts = ["node1", "node2"] if both else ["node1"]
    hosts = [h for h in hosts if not cloud["hosts"][h].get("maintenance")]
    picture = _look(simulation, *hosts)
    plan = plan_file.make(picture, simulation.options, hosts)
    decided = [(picture.servers[s.server], s.destination) for s in plan.steps]
    behind = prospects(picture, hosts, decided, simulation.options)
    for step, prospect in zip(plan.steps, behind, strict=True):
        assert step.destination is None or step.destination in prospect.candidates
        assert step.outcome != "wait" or not prospect.candidates
    _order(simulation, plan, planned)
    found = _play(simulation, len(hosts))
    assert set(found) == {step.server for step in plan.steps}
    for step in plan.steps:
        state, host = found[step.server]
        if step.outcome == "evacuate":
            assert (state, host) == ("recovered", step.destination)
        else:
            assert host == step.source
            assert state != "recovered"
    placed = {s.server for s in plan.steps if s.outcome == "evacuate"}
    assert {server for server, _ in simulation.world.asks} == placed
    assert not any(r.failed for r in simulation.world.records)


CLOUD: dict[str, Any] = {
    "hosts": {
        "node1": {"zone": "nfs-a"},
        "node2..node3": {"zone": "nfs-a", "room": 3},
    },
    "servers": {"a": {"host": "node1", "vcpus": 2}, "b": {"host": "node1"}},
}


_CHANGED = {
    "node2": {"zone": "nfs-a", "room": 3, "maintenance": True},
    "node3": {"zone": "nfs-a", "room": 3},
}


def _plan(cloud: dict[str, Any]) -> plan_file.Plan:
    simulation = scenario.build(cloud, [])
    return plan_file.make(_look(simulation, "node1"), Options(), ["node1", "node1"])


def test_a_plan_comes_back_from_its_file() -> None:
    plan = _plan(CLOUD)
    assert plan.hosts == ("node1",)
    assert plan.destinations("node1") == {"uuid-a": "node2", "uuid-b": "node3"}
    assert plan_file.load(plan_file.dump(plan)) == plan
    assert plan_file.differences(plan, _plan(CLOUD)) == []


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            {"hosts": {"node1": {"zone": "nfs-a"}, **_CHANGED}},
            "then: a evacuate to node2; now: a evacuate to node3",
        ),
        ({"servers": {"a": CLOUD["servers"]["a"]}}, "b is not on its host any more"),
        ({"servers": {**CLOUD["servers"], "c": {"host": "node1"}}}, "c is new"),
        (
            {"servers": {**CLOUD["servers"], "b": {"host": "node1", "vcpus": 3}}},
            "then: b evacuate to node3; now: b evacuate to node3 (needs changed)",
        ),
        (
            {"servers": {**CLOUD["servers"], "b": {"host": "node1", "ha": False}}},
            "then: b evacuate to node3; now: b leave: its flavor does not say ha=true",
        ),
    ],
)
def test_what_has_changed_is_said(change: dict[str, Any], sentence: str) -> None:
    assert plan_file.differences(_plan(CLOUD), _plan({**CLOUD, **change})) == [sentence]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"schema": "nova-ha-snapshot"}, "it has no schema nova-ha-plan"),
        ({"version": 9}, "its version is 9; this program reads 1"),
        ({"steps": [{}]}, r"steps\[0\]: server is missing"),
        ({"hosts": "node1"}, 'hosts: "node1" is no list'),
    ],
)
def test_what_is_no_plan_is_said(change: dict[str, Any], problem: str) -> None:
    found = json.loads(plan_file.dump(_plan(CLOUD)))
    with pytest.raises(BadFile, match=problem):
        plan_file.load(json.dumps(found | change))
    with pytest.raises(BadFile, match="it is no JSON, or only a part of it"):
        plan_file.load(plan_file.dump(_plan(CLOUD))[:-9])


def test_a_kept_place_that_is_gone_is_replaced() -> None:
    """Somebody boots there after the order: the server goes elsewhere."""
    simulation = scenario.build(CLOUD, [])
    plan = plan_file.make(_look(simulation, "node1"), Options(), ["node1"])
    _order(simulation, plan, planned=True)
    simulation.world.machines["node2"].room["VCPU"] = 0
    found = _play(simulation, 1)
    assert found["uuid-a"] == ("recovered", "node3")


def test_a_kept_place_is_taken_though_another_is_better() -> None:
    simulation = scenario.build(CLOUD, [])
    plan = plan_file.make(_look(simulation, "node1"), Options(), ["node1"])
    _order(simulation, plan, planned=True)
    simulation.world.machines["node3"].room["VCPU"] = 30
    found = _play(simulation, 1)
    assert {host for _, host in found.values()} == {"node2", "node3"}
    assert found["uuid-a"] == ("recovered", "node2")


def test_a_recovery_that_waits_for_proof_takes_the_plan() -> None:
    """The trigger has suspected the host itself, and cannot fence it."""
    hosts = {**CLOUD["hosts"], "node1": {"zone": "nfs-a", "device": "unreachable"}}
    simulation = scenario.build({**CLOUD, "hosts": hosts}, [])
    plan = plan_file.make(_look(simulation, "node1"), Options(), ["node1"])
    simulation.world.cut("node1")
    for _ in range(200):
        simulation.tick()
    (known,) = simulation.journal.state.hosts.values()
    assert known.state is HostState.FENCING
    # By itself, it would prefer the reserve now.
    simulation.world.machines["node3"].aggregates.append({"ha:reserved": "true"})
    now, where = simulation.clock.now(), plan.destinations("node1")
    assert where == {"uuid-a": "node2", "uuid-b": "node3"}
    kind = CommandKind.EVACUATE
    order = Command(
        "c", kind, "node1", "ann", "why", now, now + 600, destinations=where
    )
    simulation.journal.order(order)
    found = _play(simulation, 1)
    assert {server: host for server, (_, host) in found.items()} == where


LEFT_TO_NOVA = {"planned_destinations": False, "unnamed_requests": True}


def test_the_choice_is_left_to_the_scheduler() -> None:
    """Nova is asked without a host, once there is room for each."""
    cloud = {**CLOUD, "options": LEFT_TO_NOVA}
    cloud["servers"] = {**CLOUD["servers"], "huge": {"host": "node1", "vcpus": 5}}
    simulation = scenario.build(cloud, [])
    asked: list[str | None] = []
    evacuate = simulation.world.evacuate
    simulation.world.evacuate = lambda server, destination: (  # type: ignore[method-assign]
        asked.append(destination) or evacuate(server, destination)
    )
    plan = plan_file.make(_look(simulation, "node1"), simulation.options, ["node1"])
    _order(simulation, plan, planned=False)
    simulation.world.machines["node3"].room["VCPU"] = 4
    found = _play(simulation, 1)
    assert asked == [None, None]
    assert found["uuid-a"][0] == found["uuid-b"][0] == "recovered"
    assert simulation.world.servers["uuid-huge"].vm_state == "active"
    records = simulation.journal.state.servers.values()
    assert {r.server: r.destination for r in records if r.destination} == {
        server: simulation.world.servers[server].host for server in ("uuid-a", "uuid-b")
    }


def test_the_order_of_the_hosts_does_not_matter() -> None:
    cloud = {
        **CLOUD,
        "servers": {**CLOUD["servers"], "c": {"host": "node2", "priority": 900}},
    }
    simulation = scenario.build(cloud, [])
    picture = simulation.world.observe(
        Scope(hosts=frozenset({"node1", "node2"}), destinations=True)
    )
    one = plan_file.make(picture, Options(), ["node1", "node2"])
    other = plan_file.make(picture, Options(), ["node2", "node1"])
    assert replace(other, hosts=one.hosts) == one
    assert [step.name for step in one.steps] == ["c", "a", "b"]


@pytest.mark.parametrize("status", ["accepted", "pre-migrating", "done"])
def test_what_somebody_has_asked_for_is_moving(status: str) -> None:
    """Also where Nova is done with it, and still shows it on the dead host."""
    cluster = {
        "hosts": {"node1..node3": {"zone": "nfs-a"}},
        "servers": {"web1": {"host": "node1"}},
    }
    picture = _look(scenario.build(cluster, []), "node1")
    record = Migration(7, "uuid-web1", "node1", "node2", status)
    plan = plan_file.make(replace(picture, migrations=(record,)), Options(), ["node1"])
    assert [(step.outcome, step.destination) for step in plan.steps] == [
        ("moving", "node2")
    ]
