# SPDX-License-Identifier: Apache-2.0
"""A plan for many servers, whatever the cloud and they look like."""

import random
from collections import Counter
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from nova_ha_scheduler.cluster.picture import Host, Server
from nova_ha_scheduler.planner import triage
from nova_ha_scheduler.planner.board import NO_LIMITS, Board, Choice, Claim, Limits
from nova_ha_scheduler.planner.ground import Ground, fits, refusal, request_for
from nova_ha_scheduler.planner.packing import place_all
from nova_ha_scheduler.planner.preferences import Preferences
from nova_ha_scheduler.planner.room import Room
from nova_ha_scheduler.reasons import Reason
from nova_ha_scheduler.rules import vocabulary
from nova_ha_scheduler.rules.terms import HostFacts

DEAD = ("dead1", "dead2")
_TRAITS = ["HW_CPU_X86_VMX", "STORAGE_DISK_SSD"]


@st.composite
def _hosts(draw: st.DrawFn) -> dict[str, Host]:
    names = [*DEAD, *(f"node{i}" for i in range(draw(st.integers(1, 5))))]
    flag = st.sampled_from(["false", "false", "true"])
    return {
        name: Host(
            name,
            HostFacts.of(
                [
                    {"ha": "true", "storage_zone": draw(st.sampled_from("aab"))},
                    {"ha:reserved": draw(flag), "ha:maintenance": draw(flag)},
                ]
            ),
            free={
                "VCPU": draw(st.integers(0, 9)),
                "MEMORY_MB": draw(st.integers(0, 9)),
            },
            traits=frozenset(draw(st.sets(st.sampled_from(_TRAITS)))),
        )
        for name in names
    }


@st.composite
def _servers(draw: st.DrawFn) -> list[Server]:
    return [
        Server(
            f"uuid-{number}",
            f"vm{number}",
            draw(st.sampled_from(DEAD)),
            extra_specs={
                "ha": "true",
                "ha:priority": draw(st.sampled_from(["1", "500", "1000"])),
                "ha:recovery": draw(st.sampled_from(["evacuate", "recreate"])),
            },
            needs={
                "VCPU": draw(st.integers(1, 4)),
                "MEMORY_MB": draw(st.integers(1, 4)),
            },
            group=draw(st.sampled_from([None, None, "g", "h"])),
            traits=frozenset(draw(st.sets(st.sampled_from(_TRAITS), max_size=1))),
            forbidden_traits=frozenset(
                draw(st.sets(st.sampled_from(_TRAITS), max_size=1))
            ),
        )
        for number in range(draw(st.integers(0, 9)))
    ]


_preferences = st.builds(Preferences, prefer_reserve=st.booleans())


def _plan(
    hosts: dict[str, Host], servers: list[Server], preferences: Preferences
) -> list[tuple[Server, Choice]]:
    board = Board(Ground(hosts, preferences), frozenset(DEAD), limits=NO_LIMITS)
    return place_all(board, servers)


@settings(max_examples=150, deadline=None)
@given(_hosts(), _servers(), _preferences)
def test_every_destination_is_permitted_and_has_room(
    hosts: dict[str, Host], servers: list[Server], preferences: Preferences
) -> None:
    plan = _plan(hosts, servers, preferences)
    assert sorted(s.uuid for s, _ in plan) == sorted(s.uuid for s in servers)
    taken: dict[str, Counter[str]] = {name: Counter() for name in hosts}
    for server, decision in plan:
        if decision.destination is None:
            assert decision.reason is Reason.NO_ROOM
            assert decision.detail
            continue
        host = hosts[decision.destination]
        assert host.name not in DEAD
        assert vocabulary.MAINTENANCE not in host.facts.flags
        if server.extra_specs["ha:recovery"] == "evacuate":
            assert host.facts.zones == hosts[server.host].facts.zones
        request = request_for(server, hosts[server.host], preferences)
        assert refusal(request, host, preferences) is None
        assert server.traits <= host.traits
        assert not server.forbidden_traits & host.traits
        taken[host.name].update(server.needs)
    for name, amounts in taken.items():
        assert all(hosts[name].free[what] >= n for what, n in amounts.items())
    groups = Counter((s.group, d.destination) for s, d in plan if s.group)
    assert all(n == 1 for (_, where), n in groups.items() if where)


@settings(max_examples=150, deadline=None)
@given(_hosts(), _servers(), _preferences)
def test_nobody_has_room_that_a_more_urgent_one_could_use(
    hosts: dict[str, Host], servers: list[Server], preferences: Preferences
) -> None:
    plan = _plan(hosts, servers, preferences)
    ground = Ground(hosts, preferences)
    for waiting, decision in plan:
        if decision.destination is not None:
            continue
        urgency = triage.urgency(waiting, preferences)[:2]
        claims = [
            Claim.of(d.destination, s)
            for s, d in plan
            if d.destination and triage.urgency(s, preferences)[:2] <= urgency
        ]
        board = Board(ground, frozenset(DEAD), claims, limits=NO_LIMITS)
        assert board.place(waiting).destination is None


@settings(max_examples=80, deadline=None)
@given(_hosts(), _servers(), _preferences, st.randoms(use_true_random=False))
def test_the_answer_does_not_depend_on_the_order_of_the_input(
    hosts: dict[str, Host],
    servers: list[Server],
    preferences: Preferences,
    order: random.Random,
) -> None:
    plan = _plan(hosts, servers, preferences)
    shuffled = dict(order.sample(sorted(hosts.items()), len(hosts)))
    again = order.sample(servers, len(servers))
    assert _plan(shuffled, again, preferences) == plan


@settings(max_examples=80, deadline=None)
@given(_hosts(), _servers(), _preferences)
def test_it_is_never_worse_than_one_after_the_other(
    hosts: dict[str, Host], servers: list[Server], preferences: Preferences
) -> None:
    plan = _plan(hosts, servers, preferences)
    board = Board(Ground(hosts, preferences), frozenset(DEAD), limits=NO_LIMITS)
    spread = [(server, board.place(server)) for server, _ in plan]
    if all(decision.destination for _, decision in spread):
        assert plan == spread
    classes = sorted({triage.urgency(s, preferences)[:2] for s in servers})

    def placed(found: list[tuple[Server, Choice]]) -> list[int]:
        urgencies = [
            triage.urgency(s, preferences)[:2] for s, d in found if d.destination
        ]
        return [urgencies.count(urgency) for urgency in classes]

    assert placed(plan) >= placed(spread)


def _zone(free: dict[str, int], count: int) -> dict[str, Host]:
    facts = HostFacts.of([{"ha": "true", "storage_zone": "a"}])
    hosts = {"dead1": Host("dead1", facts, up=False)}
    hosts |= {f"node{i}": Host(f"node{i}", facts, free=free) for i in range(count)}
    return hosts


def _server(number: int, vcpus: int, priority: int = 500) -> Server:
    specs = {"ha": "true", "ha:priority": str(priority)}
    name = f"vm{number}"
    return Server(name, name, "dead1", extra_specs=specs, needs={"VCPU": vcpus})


def test_servers_that_fit_when_packed_are_packed() -> None:
    hosts = _zone({"VCPU": 4}, 2)
    servers = [_server(n, vcpus) for n, vcpus in enumerate([1, 1, 3, 3])]
    plan = _plan(hosts, servers, Preferences())
    assert all(decision.destination for _, decision in plan)


def test_a_packed_plan_keeps_the_limits() -> None:
    hosts = _zone({"VCPU": 4}, 2)
    servers = [_server(n, vcpus) for n, vcpus in enumerate([1, 1, 3, 3])]
    ground = Ground(hosts, Preferences())
    board = Board(ground, frozenset(DEAD), limits=Limits(3, 9, 9))
    reasons = [d.reason for _, d in place_all(board, servers)]
    assert reasons == [None, None, None, Reason.IN_FLIGHT_LIMIT]


def test_a_large_server_with_priority_goes_before_many_small_ones() -> None:
    hosts = _zone({"VCPU": 4}, 1)
    servers = [_server(0, 4, priority=501), *(_server(n, 1) for n in range(1, 5))]
    plan = _plan(hosts, servers, Preferences())
    assert [s.name for s, d in plan if d.destination] == ["vm0"]
    alike = [replace(s, extra_specs={"ha": "true"}) for s in servers]
    plan = _plan(hosts, alike, Preferences())
    assert [s.name for s, d in plan if d.destination] == ["vm1", "vm2", "vm3", "vm4"]


def test_a_trait_that_no_host_has_is_named() -> None:
    hosts = _zone({"VCPU": 4}, 2)
    fast = replace(_server(1, 1), traits=frozenset(_TRAITS[1:]))
    ((_, decision),) = _plan(hosts, [fast], Preferences())
    assert decision.detail == "2 without trait STORAGE_DISK_SSD"
    equipped = replace(hosts["node0"], traits=fast.traits)
    assert fits(fast, equipped, Room(equipped))
