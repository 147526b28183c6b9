# SPDX-License-Identifier: Apache-2.0
"""What several servers take of one host, provider by provider.

One server at a time is held against Placement (tests/integration/placement).
"""

from dataclasses import replace

from nova_ha_scheduler.cluster.picture import Host, Server
from nova_ha_scheduler.cluster.providers import Inventory, Portion, Provider
from nova_ha_scheduler.planner import capacity, explain
from nova_ha_scheduler.planner.board import NO_LIMITS, Board
from nova_ha_scheduler.planner.ground import Ground
from nova_ha_scheduler.planner.packing import place_all
from nova_ha_scheduler.planner.preferences import Preferences
from nova_ha_scheduler.planner.room import Room, Wish
from nova_ha_scheduler.rules.terms import HostFacts, Operation

FACTS = HostFacts.of([{"ha": "true", "storage_zone": "nfs-a"}])
GPU = "CUSTOM_GPU"
ONE = Portion({GPU: 1})


def _host(name: str, *gpus: int, cores: int = 8, most: int | None = None) -> Host:
    node = Provider({"VCPU": Inventory(cores, 0, most)})
    devices = [Provider({GPU: Inventory(n)}) for n in gpus]
    return Host(name, FACTS).with_providers((node, *devices))


def _server(name: str, *portions: Portion, cores: int = 1, gpus: int = 0) -> Server:
    inside = sum(one.needs[GPU] for one in portions)
    needs = {"VCPU": cores} | ({GPU: inside + gpus} if inside + gpus else {})
    specs = {"ha": "true"}
    return Server(name, name, "dead", extra_specs=specs, needs=needs, portions=portions)


def _hosts(*hosts: Host) -> dict[str, Host]:
    dead = Host("dead", FACTS, up=False)
    return {host.name: host for host in (dead, *hosts)}


def _board(*hosts: Host) -> Board:
    ground = Ground(_hosts(*hosts), Preferences())
    return Board(ground, frozenset({"dead"}), limits=NO_LIMITS)


def test_one_after_the_other_takes_a_device() -> None:
    """Three are free on each of two, so three servers of two have no place."""
    board = _board(_host("a", 3, 3))
    placed = [board.place(_server(f"vm{n}", gpus=2)) for n in range(3)]
    assert [one.destination for one in placed] == ["a", "a", None]
    assert placed[2].detail == "1 that give no server so many CUSTOM_GPU"


def test_the_small_ones_leave_a_whole_device() -> None:
    board = _board(_host("a", 1, 2))
    assert board.place(_server("small", gpus=1)).destination == "a"
    assert board.place(_server("large", gpus=2)).destination == "a"


def test_isolated_portions() -> None:
    pair = _server("pair", ONE, ONE)
    apart = replace(pair, isolated=True)
    plain = Host("a", FACTS, free={"VCPU": 8, GPU: 2})
    assert _board(plain).takers(pair) == ["a"]
    assert _board(plain).takers(apart) == []
    assert _board(_host("a", 2)).takers(pair) == ["a"]
    assert _board(_host("a", 2)).takers(apart) == []
    assert _board(_host("a", 2, 1)).takers(apart) == ["a"]


def test_the_traits_of_a_portion() -> None:
    fast, old = frozenset({"FAST"}), frozenset({"OLD"})
    server = _server("choosy", Portion({GPU: 1}, fast, old))
    plain = Host("a", FACTS, free={"VCPU": 8, GPU: 2}, traits=fast)
    assert _board(plain).takers(server) == ["a"]
    assert _board(replace(plain, traits=fast | old)).takers(server) == []
    node = Provider({"VCPU": Inventory(8)}, old)
    both = Provider({GPU: Inventory(1)}, fast | old)
    assert _board(Host("a", FACTS).with_providers((node, both))).takers(server) == []
    good = Provider({GPU: Inventory(1)}, fast)
    found = Host("a", FACTS).with_providers((node, both, good))
    assert _board(found).takers(server) == ["a"]


def test_portions_of_one_provider_add_up() -> None:
    four = _server("four", *[ONE] * 4)
    assert _board(_host("a", 2, 1)).takers(four) == []
    assert _board(_host("a", 2, 1, 1)).takers(four) == ["a"]


def test_many_alike_are_not_tried_in_every_order() -> None:
    wish = Wish({GPU: 9}, (ONE,) * 9, isolated=True)
    assert Room(_host("a", *[1] * 64)).place(wish) is not None
    assert Room(_host("a", *[4] * 8)).place(wish) is None


def test_what_is_counted_twice_harms_nobody_else() -> None:
    """The picture shows it there already, and its record does not."""
    room = Room(_host("a", 1, 1))
    for _ in range(2):
        room.take(Wish({GPU: 1}))
    room.take(Wish({GPU: 1}))
    assert room.free is not None
    assert room.free[GPU] == -1


def test_a_packed_plan_is_a_plan() -> None:
    """It is searched for with the sums, and none of it is beyond a device."""
    hosts = [_host("a", 3, 3), _host("b", 2)]
    servers = [_server(f"vm{n}", gpus=2) for n in range(4)]
    found = place_all(_board(*hosts), servers)
    assert sum(decision.destination is not None for _, decision in found) == 3
    again = _board(*hosts)
    for server, decision in found:
        if decision.destination:
            assert again.place(server, only=decision.destination).destination


def test_max_unit_is_no_room() -> None:
    hosts = [_host(name, cores=32, most=8) for name in "bcd"]
    large = Host("a", FACTS).with_providers((Provider({"VCPU": Inventory(16)}),))
    ground = Ground({host.name: host for host in (large, *hosts)}, Preferences())
    servers = {
        "wide": replace(_server("wide", cores=10), host="a"),
        "small": replace(_server("small", cores=8), host="b"),
    }
    (zone,) = capacity.zones(ground, servers)
    assert (zone.survivable, zone.exact) == (0, True)
    (loss,) = zone.hosts["a"].left
    assert "that give no server so many VCPU" in loss.why
    del servers["wide"]
    (zone,) = capacity.zones(ground, servers)
    assert (zone.survivable, zone.exact) == (3, True)


def test_what_explain_says() -> None:
    server = _server("wide", cores=10)
    host = _host("a", cores=32, most=8)
    hosts = _hosts(host)
    asked = explain.request(server, hosts, Preferences(), Operation.EVACUATE)
    no = explain.first_no(explain.checks(server, asked, host, Preferences()))
    assert no is not None
    assert (no.name, no.no) == ("VCPU", "10 needed, 32 free, not for one")


def test_the_word_of_placement() -> None:
    """It offers what the sums would refuse, and refuses what they would give."""
    server = replace(_server("vm1", cores=2), kind=3, traits=frozenset({"T"}))
    small, large = _host("small", cores=1), _host("large", cores=32)
    large = replace(large, traits=frozenset({"T"}))
    offered = replace(small, offers=frozenset({3}))
    refused = replace(large, offers=frozenset({1, 2}))
    board = _board(offered, refused)
    assert board.takers(server) == ["small"]
    assert board.place(server).destination == "small"
    assert board.takers(server) == [], "the next one is counted here"
    found = _board(refused).place(server)
    assert found.detail.startswith("1 where Placement has no place for it, though")
    nothing = replace(refused, free=None, traits=frozenset())
    assert _board(nothing).place(server).detail == (
        "1 where Placement has no place for it"
    )
    unasked = replace(refused, offers=None)
    assert _board(unasked).takers(server) == ["large"]
