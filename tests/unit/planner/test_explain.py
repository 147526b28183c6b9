# SPDX-License-Identifier: Apache-2.0
"""What is explained is what is decided, and what stands behind a plan."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nova_ha_scheduler.cli import plan_file
from nova_ha_scheduler.cluster import text
from nova_ha_scheduler.cluster.picture import Host, Server
from nova_ha_scheduler.evacuation.options import Options
from nova_ha_scheduler.planner import explain
from nova_ha_scheduler.planner.board import Board, Limits
from nova_ha_scheduler.planner.ground import CLOSED, Ground
from nova_ha_scheduler.planner.plan import Prospect, prospects
from nova_ha_scheduler.rules.terms import HostFacts, Operation, Policy

_metadata = st.fixed_dictionaries(
    {},
    optional={
        "ha": st.sampled_from(["true", "false", "maybe"]),
        "storage_zone": st.sampled_from(["nfs-a", "nfs-b", ""]),
        "ha:reserved": st.sampled_from(["true", "false"]),
        "ha:maintenance": st.sampled_from(["true", "false", "?"]),
    },
)
_amounts = st.fixed_dictionaries({"VCPU": st.integers(0, 3)})
_hosts = st.builds(
    Host,
    st.just("there"),
    facts=_metadata.map(lambda said: HostFacts.of([said])),
    up=st.booleans(),
    disabled=st.booleans(),
    availability_zone=st.sampled_from(["nova", "az2"]),
    free=st.none() | _amounts,
    traits=st.frozensets(st.sampled_from(["A", "B", CLOSED])),
)
_traits = st.frozensets(st.sampled_from(["A", "B"]))
_servers = st.builds(
    Server,
    st.just("uuid"),
    st.just("vm"),
    st.just("source"),
    extra_specs=st.fixed_dictionaries({"ha": st.sampled_from(["true", "false", "?"])}),
    local_disk=st.booleans(),
    needs=st.fixed_dictionaries({"VCPU": st.integers(1, 2)}),
    availability_zone=st.sampled_from([None, "nova"]),
    traits=_traits,
    forbidden_traits=_traits,
    group=st.sampled_from([None, "g"]),
    group_apart=st.booleans(),
    group_hosts=st.sampled_from([frozenset(), frozenset({"there"}), frozenset({"x"})]),
)
_options = st.builds(
    Options,
    policy=st.builds(
        Policy,
        live_migrate_to_reserve=st.booleans(),
        reserve_for_ha_only=st.booleans(),
        isolate_ha_hosts=st.booleans(),
        exempt_volume_backed=st.booleans(),
    ),
)
_operations = st.sampled_from(
    [Operation.EVACUATE, Operation.LIVE_MIGRATE, Operation.COLD_MIGRATE]
)


@settings(max_examples=600, deadline=None)
@given(_hosts, _hosts, _servers, _options, _operations)
def test_a_host_without_a_no_is_where_the_board_may_send_it(
    source: Host, host: Host, server: Server, options: Options, operation: Operation
) -> None:
    if server.group is None:
        server = replace(server, group_hosts=frozenset(), group_apart=True)
    hosts = {"source": replace(source, name="source"), "there": host}
    ground = Ground(hosts, options)
    board = Board(ground, frozenset({"source"}), (), Limits(9, 9, 9))
    decision = board.place(server, operation=operation, only="there")
    asked = explain.request(server, hosts, options, operation)
    no = explain.first_no(explain.checks(server, asked, host, options))
    assert (decision.destination is None) == (no is not None)


CLOUD = """
hosts:
  node1: {zone: nfs-a, room: "8 vCPU, 64 GiB"}
  node2..node3: {zone: nfs-a, room: "8 vCPU, 64 GiB", traits: [CUSTOM_GOLD]}
  away: {zone: nfs-b, room: "64 vCPU, 64 GiB"}
servers:
  big: {host: node1, needs: "6 vCPU, 8 GiB"}
  small: {host: node1, needs: "2 vCPU, 8 GiB"}
  two: {host: node2, needs: "3 vCPU, 1 GiB"}
  three: {host: node3, needs: "4 vCPU, 1 GiB"}
"""


def _prospects(cloud: str) -> dict[str, Prospect]:
    picture = text.load(cloud)
    plan = plan_file.make(picture, Options(), ["node1"])
    decided = [(picture.servers[s.server], s.destination) for s in plan.steps]
    found = prospects(picture, plan.hosts, decided, Options())
    assert [s.name for s in plan.steps] == sorted(s.name for s in plan.steps)
    for step, prospect in zip(plan.steps, found, strict=True):
        assert step.destination is None or step.destination in prospect.candidates
    return {s.name: p for s, p in zip(plan.steps, found, strict=True)}


def test_room_in_pieces() -> None:
    found = _prospects(CLOUD)
    assert found["big"] == Prospect(
        (),
        "the free room of all permitted hosts together would be enough: 9 VCPU of 6 "
        "needed, but no host has more than 5",
    )
    assert found["small"] == Prospect(("node2", "node3"))


def test_room_that_is_nowhere_at_once() -> None:
    cloud = CLOUD.replace("3 vCPU, 1 GiB", "2 vCPU, 60 GiB")
    assert _prospects(cloud)["big"].scattered.endswith("no host has all of it at once")


def test_no_room_at_all() -> None:
    cloud = CLOUD.replace("3 vCPU", "6 vCPU").replace("4 vCPU", "8 vCPU")
    found = _prospects(cloud)
    assert found["big"] == Prospect(())


def test_what_is_taken_before_counts() -> None:
    cloud = CLOUD.replace("6 vCPU, 8 GiB", "4 vCPU, 8 GiB").replace(
        'small: {host: node1, needs: "2 vCPU', 'small: {host: node1, needs: "5 vCPU'
    )
    found = _prospects(cloud)
    assert found["big"].candidates == ("node2", "node3")
    assert found["small"].candidates == ("node2",)


@pytest.mark.parametrize(
    ("server", "no"),
    [
        ({"traits": frozenset({"CUSTOM_GOLD"})}, "without CUSTOM_GOLD"),
        (
            {"forbidden_traits": frozenset({"HW_X"})},
            "with HW_X, which is forbidden",
        ),
        ({"availability_zone": "az2"}, "it is pinned to az2"),
        ({"needs": {"PCPU": 2}}, "2 needed, 0 free"),
        ({"group": "g", "group_hosts": frozenset({"h"})}, "with a server of its anti"),
        (
            {"group": "g", "group_apart": False, "group_hosts": frozenset({"x"})},
            "without the others of its affinity group",
        ),
    ],
)
def test_words(server: dict[str, object], no: str) -> None:
    host = Host("h", free={"VCPU": 1}, traits=frozenset({"HW_X"}))
    vm = replace(Server("u", "vm", "s"), **server)  # type: ignore[arg-type]
    found = explain.first_no(explain.fitting(vm, host))
    assert found is not None
    assert found.no.startswith(no)


def test_a_boot_has_no_source() -> None:
    picture = text.load(CLOUD)
    server = picture.servers["uuid-small"]
    asked = explain.request(server, picture.hosts, Options(), Operation.BOOT)
    assert asked.source is None
    names = [
        c.name for c in explain.checks(server, asked, picture.hosts["away"], Options())
    ]
    assert "other host" not in names
    no = explain.first_no(
        explain.checks(server, asked, picture.hosts["away"], Options())
    )
    assert no is None
