# SPDX-License-Identifier: Apache-2.0
"""The planner, whatever the cloud looks like."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from nova_ha_scheduler.cluster.picture import Host, Server
from nova_ha_scheduler.evacuation.options import Options
from nova_ha_scheduler.planner.board import Board, Choice, Claim, Limits
from nova_ha_scheduler.planner.ground import CLOSED, Ground, refusal, request_for
from nova_ha_scheduler.planner.room import Wish
from nova_ha_scheduler.reasons import Reason
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


@st.composite
def _hosts(draw: st.DrawFn) -> dict[str, Host]:
    names = [f"node{i}" for i in range(draw(st.integers(1, 6)))]
    return {
        name: Host(
            name,
            facts=HostFacts.of([draw(_metadata)]),
            up=draw(st.booleans()),
            disabled=draw(st.booleans()),
            free=draw(st.none() | st.fixed_dictionaries({"VCPU": st.integers(0, 5)})),
        )
        for name in ["dead", *names]
    }


@st.composite
def _server(draw: st.DrawFn, number: int) -> Server:
    return Server(
        f"uuid-{number}",
        f"vm{number}",
        "dead",
        extra_specs={"ha": draw(st.sampled_from(["true", "false"]))},
        local_disk=draw(st.booleans()),
        needs={"VCPU": draw(st.integers(1, 3))},
        group=draw(st.sampled_from([None, "g"])),
    )


_servers = st.integers(0, 8).flatmap(lambda n: st.tuples(*map(_server, range(n))))
_options = st.builds(
    Options,
    max_in_flight=st.integers(1, 9),
    max_in_flight_per_zone=st.integers(1, 9),
    max_in_flight_per_destination=st.integers(1, 9),
    prefer_reserve=st.booleans(),
)


@settings(max_examples=300, deadline=None)
@given(_hosts(), _servers, _options, st.lists(st.sampled_from(["node0", "node1"])))
def test_every_destination_is_permitted_and_has_room(
    hosts: dict[str, Host],
    servers: tuple[Server, ...],
    options: Options,
    moving: list[str],
) -> None:
    claims = [Claim(name, Wish({"VCPU": 1})) for name in moving]
    board = Board(Ground(hosts, options), frozenset({"dead"}), claims)
    decisions = [board.place(server) for server in servers]
    again = Board(Ground(hosts, options), frozenset({"dead"}), claims)
    assert decisions == [again.place(server) for server in servers]
    taken = Counter(moving)
    for server, decision in zip(servers, decisions, strict=True):
        if decision.destination is None:
            assert decision.reason in (Reason.NO_ROOM, Reason.IN_FLIGHT_LIMIT)
            continue
        host = hosts[decision.destination]
        assert host.name != "dead"
        assert host.up
        assert not host.disabled
        assert (
            refusal(request_for(server, hosts["dead"], options), host, options) is None
        )
        taken[host.name] += server.needs["VCPU"]
        assert host.free is not None
        assert taken[host.name] <= host.free["VCPU"]
    _check_bounds(decisions, servers, options, moving)


def _check_bounds(
    decisions: list[Choice],
    servers: tuple[Server, ...],
    options: Options,
    moving: list[str],
) -> None:
    sent = [(s, d) for s, d in zip(servers, decisions, strict=True) if d.destination]
    assert not sent or len(sent) + len(moving) <= options.max_in_flight
    most = options.max_in_flight_per_destination
    here = Counter(moving)
    before = dict(here)
    here.update(d.destination for _, d in sent if d.destination)
    assert all(n <= max(most, before.get(name, 0)) for name, n in here.items())
    together = Counter(d.destination for s, d in sent if s.group)
    assert all(number == 1 for number in together.values())


def test_a_destination_that_failed_is_the_last_choice() -> None:
    facts = HostFacts.of([{"ha": "true", "storage_zone": "nfs-a"}])
    free = {"VCPU": 8}
    hosts = {n: Host(n, facts, free=free, up=n != "dead") for n in ("dead", "n1", "n2")}
    server = Server("u", "vm", "dead", extra_specs={"ha": "true"}, needs={"VCPU": 1})

    def destination(*tried: str) -> str | None:
        board = Board(Ground(hosts, Options()), frozenset({"dead"}))
        return board.place(server, tried).destination

    assert destination() == "n1"
    assert destination("n1") == "n2"
    assert destination("n1", "n2") == "n1"


def _place(hosts: dict[str, Host], operation: Operation, **more: object) -> Choice:
    server = Server("u", "vm", "old", extra_specs={"ha": "true"}, needs={"VCPU": 1})
    policy = Policy(live_migrate_to_reserve=bool(more.pop("open_reserve", False)))
    ground = Ground(hosts, Options(policy=policy))
    board = Board(ground, frozenset(), limits=Limits(4, 4, 4))
    return board.place(server, operation=operation, **more)  # type: ignore[arg-type]


def _zone(**tags: str) -> HostFacts:
    return HostFacts.of([{"ha": "true", "storage_zone": "nfs-a"}, tags])


def test_a_move_that_is_no_evacuation_finds_the_reserve_closed() -> None:
    reserved = _zone(**{"ha:reserved": "true"})
    free = {"VCPU": 8}
    hosts = {"old": Host("old", _zone(), free=free)}
    hosts["spare"] = Host("spare", reserved, free=free)
    live, cold = Operation.LIVE_MIGRATE, Operation.COLD_MIGRATE
    assert _place(hosts, live).destination is None
    assert _place(hosts, live, open_reserve=True).destination == "spare"
    assert _place(hosts, cold, open_reserve=True).destination is None
    assert _place(hosts, Operation.EVACUATE).destination == "spare"
    hosts["n1"] = Host("n1", _zone(), free=free)
    assert _place(hosts, live, open_reserve=True).destination == "n1"


def test_why_the_one_destination_that_is_wanted_cannot_take_it() -> None:
    free = {"VCPU": 8}
    hosts = {
        "old": Host("old", _zone(), free=free),
        "down": Host("down", _zone(), up=False, free=free),
        "off": Host("off", _zone(), disabled=True, free=free),
        "full": Host("full", _zone(), free={"VCPU": 0}),
        "flagged": Host("flagged", _zone(**{"ha:maintenance": "true"}), free=free),
    }
    found = {n: _place(hosts, Operation.LIVE_MIGRATE, only=n).detail for n in hosts}
    del found["old"]
    assert found == {
        "down": "down",
        "off": "disabled",
        "full": "without enough VCPU",
        "flagged": "under maintenance",
    }
    lost = _place(hosts, Operation.LIVE_MIGRATE, only="nobody")
    assert lost.detail == "down"


def test_a_host_that_placement_holds_for_disabled_is_no_destination() -> None:
    """Nova asks Placement for hosts without that trait: it would find none."""
    hosts = {
        "dead": Host("dead", up=False),
        "shut": Host("shut", free={"VCPU": 9}, traits=frozenset({CLOSED})),
    }
    server = Server("u", "vm", "dead", needs={"VCPU": 1}, extra_specs={"ha": "false"})
    decision = Board(Ground(hosts, Options()), frozenset({"dead"})).place(server)
    assert decision.destination is None
    assert decision.detail == f"1 closed in Placement ({CLOSED})"
