# SPDX-License-Identifier: Apache-2.0
"""What is worked out here is what Placement says, on random clouds.

CLOUDS says on how many; make placement does it on 500.
"""

from tests.lib.cloud import config, services, sqlite  # isort: skip  (prepares the process for Nova)

import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from nova import objects
from nova.scheduler.utils import ResourceRequest

from nova_ha_scheduler.cluster.openstack import kinds, lists, trees
from nova_ha_scheduler.cluster.openstack.lists import Lists
from nova_ha_scheduler.cluster.openstack.parse import requirements
from nova_ha_scheduler.cluster.picture import Host, Server
from nova_ha_scheduler.planner.board import NO_LIMITS, Board
from nova_ha_scheduler.planner.ground import Ground
from nova_ha_scheduler.planner.preferences import Preferences
from nova_ha_scheduler.rules.terms import HostFacts, Policy, TaggedAggregate
from nova_ha_scheduler.simulation.machines import Machine
from tests.integration.placement.clouds import (
    CARD,
    FAST,
    GPU,
    OLD,
    ZONES,
    Placement,
    RandomCloud,
)

CLOUDS = int(os.environ.get("CLOUDS", "30"))
SERVERS = 6
DEAD = "dead1"

objects.register_all()


@pytest.fixture(scope="module")
def placement(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Placement]:
    root = tmp_path_factory.mktemp("placement")
    sqlite.take_turns()
    databases = sqlite.Databases(root)
    file = root / "placement.conf"
    file.write_text(config.render(config.placement(databases.url("placement"))))
    found = Placement(services.placement(Path(file)))
    for trait in (FAST, OLD):
        found.call("PUT", f"/traits/{trait}")
    for what in (GPU, CARD):
        found.call("PUT", f"/resource_classes/{what}")
    yield found
    databases.close()


def _facts(zone: str) -> HostFacts:
    return HostFacts.of([{"ha": "true", "storage_zone": zone}])


def _server(number: int, flavor: dict[str, Any]) -> Server:
    required = requirements({"flavor": flavor, "image": {"id": "i"}})
    return Server(
        f"00000000-0000-4000-8000-00000000000{number}",
        f"vm{number}",
        DEAD,
        extra_specs=flavor["extra_specs"],
        needs=required.resources,
        portions=required.portions,
        isolated=required.isolated,
        traits=required.traits,
        forbidden_traits=required.forbidden,
    )


def _nova_asks(flavor: dict[str, Any]) -> str:
    """Nova's own question for such a server."""
    spec = objects.RequestSpec(
        flavor=objects.Flavor(
            name="f",
            vcpus=flavor["vcpus"],
            memory_mb=flavor["ram"],
            root_gb=flavor["disk"],
            ephemeral_gb=0,
            swap=0,
            extra_specs=flavor["extra_specs"],
        ),
        image=objects.ImageMeta(properties=objects.ImageMetaProps()),
        is_bfv=False,
        requested_resources=[],
        request_level_params=objects.RequestLevelParams(),
    )
    return ResourceRequest.from_request_spec(spec).to_querystring()


def _offered(cloud: RandomCloud, flavor: dict[str, Any], zone: str) -> set[str]:
    """The hosts of the zone that Placement offers, asked as Nova asks."""
    asked = [*parse_qsl(_nova_asks(flavor)), ("member_of", cloud.aggregates[zone])]
    path = f"/allocation_candidates?{urlencode(asked)}"
    found = cloud.placement.call("GET", path)["allocation_requests"]
    used = {uuid for one in found for uuid in one["allocations"]}
    return {cloud.host_of[uuid] for uuid in used}


@pytest.fixture
def cloud(placement: Placement, seed: int) -> Iterator[RandomCloud]:
    made = RandomCloud(placement, random.Random(seed))
    made.build()
    yield made
    made.remove()


@pytest.mark.parametrize("seed", range(CLOUDS))
def test_one_server_at_a_time(cloud: RandomCloud, placement: Placement) -> None:
    """From the providers, as in a snapshot; by one question a kind, as the trigger;
    and by the simulated Nova: the same hosts, and those that Placement offers."""

    def together(*questions: Any) -> list[Any]:
        return [question() for question in questions]

    asked: Any = Lists(placement)  # type: ignore[arg-type]
    zone = cloud.chance.choice(ZONES)
    names = cloud.nodes.values()
    bare = {name: Host(name, _facts(cloud.zones[name])) for name in names}
    bare[DEAD] = Host(DEAD, _facts(zone), up=False)
    flavors = [cloud.flavor() for _ in range(SERVERS)]
    servers = [_server(n, flavor) for n, flavor in enumerate(flavors)]
    seen = trees.take(asked, together, cloud.nodes)
    whole = lists.with_trees(bare, cloud.nodes, seen.found, bare)
    tagged = [
        TaggedAggregate(uuid, name, _facts(name))
        for name, uuid in cloud.aggregates.items()
    ]
    asking = kinds.Asking(asked, together, cloud.nodes)
    bounds = kinds.Bounds(bare, tagged, Policy())
    live, hosts = asking.ask(servers, bounds, {DEAD})
    for server, flavor in zip(servers, flavors, strict=True):
        offered = _offered(cloud, flavor, zone)
        assert _takers(whole, server) == offered, flavor
        assert _takers(hosts, live[server.uuid]) == offered, flavor
        places = {
            host.name
            for host in whole.values()
            if host.facts.zones == {zone} and host.name != DEAD
            if not Machine(host, dict(host.free or {})).has_no_room_for(server)
        }
        assert places == offered, flavor
        _one_is_chosen(whole, server, offered)
        _one_is_chosen(hosts, live[server.uuid], offered)


def _board(hosts: dict[str, Host]) -> Board:
    return Board(Ground(hosts, Preferences()), frozenset({DEAD}), limits=NO_LIMITS)


def _takers(hosts: dict[str, Host], server: Server) -> set[str]:
    return set(_board(hosts).takers(server))


def _one_is_chosen(hosts: dict[str, Host], server: Server, offered: set[str]) -> None:
    chosen = _board(hosts).place(server)
    assert (chosen.destination in offered) if offered else chosen.reason, chosen
