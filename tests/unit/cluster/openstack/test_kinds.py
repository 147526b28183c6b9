# SPDX-License-Identifier: Apache-2.0
"""What Placement is asked for servers that have to move, and how often.

That its answers are those which Nova gets: tests/integration/placement.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from nova_ha_scheduler.cluster.errors import AnswerTooLarge, CloudUnreachable
from nova_ha_scheduler.cluster.openstack import attached, kinds
from nova_ha_scheduler.cluster.openstack.kinds import Asking, Bounds, ServerKind
from nova_ha_scheduler.cluster.openstack.lists import Lists
from nova_ha_scheduler.cluster.picture import Host, Server
from nova_ha_scheduler.cluster.providers import Portion
from nova_ha_scheduler.rules.terms import (
    AggregateQuery,
    HostFacts,
    Policy,
    TaggedAggregate,
)

GPU, EGRESS = "CUSTOM_GPU", "NET_BW_EGR_KILOBIT_PER_SEC"
UUID = "aaaaaaaa-0000-4000-8000-00000000000"
NODES = {f"node-{name}": name for name in ("a", "b", "c")}
ZONES = {"a": "nfs-a", "b": "nfs-a", "c": "nfs-b"}


def _facts(zone: str) -> HostFacts:
    return HostFacts.of([{"ha": "true", "storage_zone": zone}])


HOSTS = {name: Host(name, _facts(zone), up=name != "a") for name, zone in ZONES.items()}
TAGGED = [TaggedAggregate(f"of-{z}", z, _facts(z)) for z in ("nfs-a", "nfs-b")]
ONE = {"VCPU": 1, "MEMORY_MB": 64}


def _server(number: int, **values: Any) -> Server:
    return Server(f"{UUID}{number}", f"vm{number}", "a", **{"needs": ONE, **values})


class Placement:
    """:ivar asked: the questions for candidates; paths: everything that was asked."""

    def __init__(self, offers: Callable[[dict[str, Any]], list[str]]) -> None:
        self._offers = offers
        self.asked: list[dict[str, Any]] = []
        self.paths: list[str] = []
        self.allocations: dict[str, Any] = {}
        self.trees = {node: {node} for node in NODES}

    def get(
        self, service: str, path: str, version: str | None = None, params: Any = None
    ) -> Any:
        assert service == "placement"
        self.paths.append(path)
        if path == "/allocation_candidates":
            self.asked.append(params)
            found = self._offers(params)
            rooms = {"VCPU": {"capacity": 8, "used": 0}}
            summary = {"traits": [], "resources": rooms}
            return {
                "provider_summaries": {
                    node: {**summary, "root_provider_uuid": node} for node in found
                }
            }
        if path == "/resource_providers":
            tree, node = self.trees[params["in_tree"]], params["in_tree"]
            listed = [{"uuid": one, "root_provider_uuid": node} for one in tree]
            return {"resource_providers": listed}
        return {"allocations": self.allocations.get(path.rpartition("/")[2], {})}


def _ask(
    placement: Placement,
    *servers: Server,
    thorough: bool = False,
    policy: Policy | None = None,
) -> tuple[dict[str, Server], dict[str, Host]]:
    def together(*questions: Any) -> list[Any]:
        return [question() for question in questions]

    api: Any = placement
    asking = Asking(Lists(api), together, NODES)
    bounds = Bounds(HOSTS, TAGGED, policy or Policy())
    return asking.ask(servers, bounds, {"a"}, thorough)


def test_one_question_for_each_kind() -> None:
    placement = Placement(lambda _: ["node-b"])
    alike = [_server(n, metadata={"n": str(n)}) for n in range(5)]
    large = _server(7, needs={"VCPU": 4}, traits=frozenset({"CUSTOM_T"}))
    servers, hosts = _ask(placement, *alike, large)
    assert len(placement.paths) == 4, "two for each kind"
    member_of = {"member_of": "in:of-nfs-a"}
    first = {"resources": "MEMORY_MB:64,VCPU:1", **member_of}
    second = {"resources": "VCPU:4", "required": "CUSTOM_T", **member_of}
    assert placement.asked == [first, second]
    assert {server.kind for server in servers.values()} == {1, 2}
    assert hosts["b"].offers == {1, 2}
    assert hosts["c"].offers == frozenset()
    assert hosts["b"].free == {"VCPU": 8}
    assert hosts["c"].free is None, "nothing was said of it"


def test_who_may_leave_the_zone_is_asked_for_everywhere() -> None:
    placement = Placement(lambda _: ["node-b"])
    disposable = _server(1, extra_specs={"ha:recovery": "recreate"})
    on_volume = _server(2, needs={"VCPU": 3}, local_disk=False)
    _ask(placement, disposable, on_volume)
    _ask(placement, on_volume, policy=Policy(exempt_volume_backed=True))
    found = [asked.get("member_of") for asked in placement.asked]
    assert found == [None, "in:of-nfs-a", None]


def test_where_none_is_offered_each_amount_is_asked_for() -> None:
    """And the zone's hosts without its aggregates: they may have no mirror."""
    placement = Placement(lambda asked: ["node-b"] * (asked["resources"] == "VCPU:1"))
    _, hosts = _ask(placement, _server(1))
    assert [asked["resources"] for asked in placement.asked] == [
        "MEMORY_MB:64,VCPU:1",
        "MEMORY_MB:64,VCPU:1",
        "MEMORY_MB:64",
        "VCPU:1",
    ]
    assert [asked.get("member_of") for asked in placement.asked][:2] == [
        "in:of-nfs-a",
        None,
    ]
    assert hosts["b"].offers == frozenset()
    assert hosts["b"].free == {"VCPU": 8}


def test_a_zone_without_a_mirror() -> None:
    placement = Placement(lambda asked: ["node-b"] * ("member_of" not in asked))
    _, hosts = _ask(placement, _server(1))
    assert hosts["b"].offers == {1}
    assert len(placement.asked) == 2


def test_explain_learns_of_every_host() -> None:
    """Of one that gives nothing at all, too."""
    hosts = {**HOSTS, "d": replace(HOSTS["b"], name="d")}
    placement = Placement(lambda _: ["node-b"])
    nodes = {**NODES, "node-d": "d"}
    api: Any = placement
    asking = Asking(Lists(api), lambda *all_: [one() for one in all_], nodes)
    bounds = Bounds(hosts, TAGGED, Policy())
    _, found = asking.ask([_server(1)], bounds, {"a"}, True)
    assert len(placement.asked) == 3
    assert (found["d"].free, found["c"].free) == ({}, None)


def test_a_name_that_placement_cannot_know_costs_its_server_alone() -> None:
    """An image's traits are its owner's to choose."""

    def offers(asked: dict[str, Any]) -> list[str]:
        if "CUSTOM_UNKNOWN" in asked.get("required", ""):
            raise CloudUnreachable("400 No such trait(s)", 400)
        return ["node-b"]

    placement = Placement(offers)
    strange = _server(1, traits=frozenset({"CUSTOM_\ud800"}))
    unknown = _server(2, traits=frozenset({"CUSTOM_UNKNOWN"}))
    servers, hosts = _ask(placement, strange, unknown, _server(3))
    assert hosts["b"].offers == {servers[f"{UUID}3"].kind}
    assert servers[f"{UUID}1"].kind
    assert not any("\ud800" in str(asked) for asked in placement.asked)


def test_an_answer_that_is_too_large() -> None:
    """All ways to put many devices together: the host alone is asked for, and the
    planner counts the devices."""

    def offers(asked: dict[str, Any]) -> list[str]:
        if "resources_1" in asked:
            raise AnswerTooLarge("more than 100000000 bytes")
        return ["node-b"]

    placement = Placement(offers)
    pair = (Portion({GPU: 1}),) * 2
    server = _server(1, needs={"VCPU": 1, GPU: 2}, portions=pair)
    servers, hosts = _ask(placement, server)
    assert placement.asked[1] == {"resources": "VCPU:1", "member_of": "in:of-nfs-a"}
    assert servers[server.uuid] == server
    assert hosts["b"].free == {"VCPU": 8}


def test_what_is_allocated_is_asked_for() -> None:
    """PCI devices stand in no flavor; what it has on a host that it has left counts
    for nothing."""
    placement = Placement(lambda _: ["node-b"])
    placement.trees["node-a"] |= {"card-1", "card-2"}
    server = _server(1)
    amounts = {
        "node-a": ONE,
        "card-1": {"CUSTOM_PCI_X": 2},
        "card-2": {"CUSTOM_PCI_Y": 1},
        "node-c": {"VCPU": 9},
    }
    placement.allocations[server.uuid] = {
        provider: {"resources": found} for provider, found in amounts.items()
    }
    servers, _ = _ask(placement, server)
    assert placement.asked == [
        {
            "resources": "MEMORY_MB:64,VCPU:1",
            "resources_1": "CUSTOM_PCI_X:1",
            "resources_2": "CUSTOM_PCI_X:1",
            "resources_3": "CUSTOM_PCI_Y:1",
            "group_policy": "none",
            "member_of": "in:of-nfs-a",
        }
    ]
    found = servers[server.uuid]
    assert found.needs == {**ONE, "CUSTOM_PCI_X": 2, "CUSTOM_PCI_Y": 1}
    assert len(found.portions) == 3


def test_the_allocation_counts_and_not_the_flavor() -> None:
    """A pinned server on hosts without PCPU has VCPU."""
    bare = ServerKind.of(_server(1, needs={"PCPU": 2, "MEMORY_MB": 64}), NOWHERE)
    found = bare.refined({"node-a": {"VCPU": 2, "MEMORY_MB": 64}}, "node-a")
    assert dict(found.needs) == {"VCPU": 2, "MEMORY_MB": 64}
    assert bare.refined({}, "node-a") == bare


NOWHERE = AggregateQuery()


def test_a_policy_is_named_for_one_portion_too() -> None:
    """Without it, Placement says by accident whether one class, inside and outside of
    the portion, fits."""
    server = _server(1, portions=(Portion({GPU: 1}),), needs={**ONE, GPU: 2})
    assert ServerKind.of(server, NOWHERE).question() == {
        "resources": f"{GPU}:1,MEMORY_MB:64,VCPU:1",
        "resources_1": f"{GPU}:1",
        "group_policy": "none",
    }


def test_guaranteed_bandwidth() -> None:
    """As Neutron asks for it; another tenant's port is nobody's."""
    asked = {
        "request_groups": [
            {"id": "g1", "required": ["CUSTOM_NET"], "resources": {EGRESS: 1000}},
            {"id": "g2", "required": [], "resources": {"NET_PACKET_RATE": 5}},
        ],
        "same_subtree": ["g1", "g2"],
    }
    server = _server(1)
    port = {"id": "port-1", "device_id": server.uuid, "project_id": "p"}
    port |= {"binding:host_id": "a", "resource_request": asked}
    theirs = {**port, "project_id": "q"}
    projects = {server.uuid: "p"}
    (found,) = attached.with_ports([server], [theirs], projects)
    assert found == server
    (found,) = attached.with_ports([server], [port, theirs], projects)
    assert found.needs == {**ONE, EGRESS: 1000, "NET_PACKET_RATE": 5}
    question = ServerKind.of(found, NOWHERE).question()
    assert question == {
        "resources": "MEMORY_MB:64,VCPU:1",
        "resources_1": f"{EGRESS}:1000",
        "required_1": "CUSTOM_NET",
        "resources_2": "NET_PACKET_RATE:5",
        "group_policy": "none",
        "same_subtree": ["_1,_2"],
    }
    allocated = {"node-a": ONE, "nic": {EGRESS: 1000}, "agent": {"NET_PACKET_RATE": 5}}
    kind = ServerKind.of(found, NOWHERE)
    assert kind.refined(allocated, "node-a") == kind


def test_an_aggregate_that_cannot_be_read_narrows_nothing() -> None:
    raw = {"id": 1, "uuid": "u", "name": "n", "metadata": {}, "hosts": []}
    assert kinds.tagged([raw])
    assert kinds.tagged([raw, {**raw, "metadata": None}]) is None
    assert kinds.tagged([raw, {**raw, "uuid": None}]) is None
    assert Bounds(HOSTS, None, Policy()).of(_server(1)) == NOWHERE


def test_what_is_allocated_is_learned_once() -> None:
    """Whoever looks again and again asks for the candidates alone."""
    placement = Placement(lambda _: ["node-b"])
    server = _server(1)
    placement.allocations[server.uuid] = {"node-a": {"resources": {"VCPU": 2}}}
    api: Any = placement
    known: dict[ServerKind, ServerKind] = {}
    for _ in range(3):
        asking = Asking(Lists(api), lambda *all_: [o() for o in all_], NODES, known)
        found, _ = asking.ask([server], Bounds(HOSTS, TAGGED, Policy()), {"a"})
        assert found[server.uuid].needs == {"VCPU": 2}
    assert placement.paths.count(f"/allocations/{server.uuid}") == 1
    assert len(placement.asked) == 3
