# SPDX-License-Identifier: Apache-2.0
"""The whole cloud, from a real Nova and Placement: what it shows, and what it costs."""

from tests.integration.trigger.conftest import HOSTS, OUTSIDE, ZONE, boot_on  # isort: skip

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from nova import context as nova_context
from nova import objects

from nova_ha_scheduler import exchange
from nova_ha_scheduler.clock import SystemClock
from nova_ha_scheduler.cluster import snapshot
from nova_ha_scheduler.cluster.errors import AnswerTooLarge, CloudUnreachable
from nova_ha_scheduler.cluster.openstack import whole
from nova_ha_scheduler.cluster.openstack.api import READ, Api
from nova_ha_scheduler.cluster.openstack.lists import Lists
from nova_ha_scheduler.cluster.openstack.observer import Observer
from nova_ha_scheduler.cluster.picture import Picture, Scope, Server
from tests.integration.trigger.conftest import MakeTrigger
from tests.lib.cloud import Cloud
from tests.lib.cloud.stubs import IMAGES, Glance, StubError

GOLD, FAST = "CUSTOM_GOLD", "CUSTOM_FAST"
SPECIAL = "node3"
"""The host that has both traits, and a resource class of its own."""

MICROVERSION = "1.39"


@pytest.fixture(scope="module")
def api(cloud: Cloud) -> Api:
    return Api(cloud.openstack())


@pytest.fixture(scope="module")
def servers(cloud: Cloud, flavor: str) -> dict[str, str]:
    """Some that need more of a host than room: traits, a resource class, a group."""
    _equip(cloud)
    specs = {f"trait:{FAST}": "required", "trait:CUSTOM_SLOW": "forbidden"}
    fast = cloud.flavor("fast", {"ha": "true", **specs, "resources:CUSTOM_FPGA": "2"})
    override = cloud.flavor("tiny", {"resources:VCPU": "0", "resources:DISK_GB": "0"})
    image = cloud.openstack().image
    image.update_image(IMAGES["second"], **{f"trait:{GOLD}": "required"})
    group = cloud.nova(
        "POST",
        "/os-server-groups",
        {"server_group": {"name": "pair", "policy": "anti-affinity"}},
    ).json()["server_group"]["id"]
    hint = {"scheduler_hints": {"group": group}}
    gold = {"imageRef": IMAGES["second"], "host": SPECIAL}
    found = dict(zip(("one",), boot_on(cloud, "node1", flavor, "one"), strict=True))
    found["fast"] = cloud.boot("fast", fast, host=SPECIAL)["id"]
    found["gold"] = cloud.boot("gold", flavor, **gold)["id"]
    found["tiny"] = cloud.boot("tiny", override, host=OUTSIDE)["id"]
    found["left"] = cloud.boot("left", flavor, host="node1", **hint)["id"]
    found["right"] = cloud.boot("right", flavor, host="node2", **hint)["id"]
    return found


def _equip(cloud: Cloud) -> None:
    """Give a host what only Placement knows, as its operator would."""
    place = {"microversion": MICROVERSION}
    for trait in (GOLD, FAST, "CUSTOM_SLOW"):
        assert cloud.placement("PUT", f"/traits/{trait}", **place).ok
    assert cloud.placement("PUT", "/resource_classes/CUSTOM_FPGA", **place).ok
    listed = cloud.openstack().compute.hypervisors(details=True)
    nodes = {node.name: node.id for node in listed}
    path = f"/resource_providers/{nodes[SPECIAL]}"
    traits = cloud.placement("GET", f"{path}/traits", **place).json()
    traits["traits"] += [GOLD, FAST]
    assert cloud.placement("PUT", f"{path}/traits", traits, **place).ok
    inventories = cloud.placement("GET", f"{path}/inventories", **place).json()
    inventories["inventories"]["CUSTOM_FPGA"] = {"total": 4}
    assert cloud.placement("PUT", f"{path}/inventories", inventories, **place).ok


def _named(picture: Picture) -> dict[str, Server]:
    return {server.name: server for server in picture.servers.values()}


@pytest.mark.parametrize("paged", [False, True])
def test_what_it_shows(
    api: Api, servers: dict[str, str], paged: bool, request: pytest.FixtureRequest
) -> None:
    if paged:
        request.getfixturevalue("one_a_page")
    picture = whole.take(api, SystemClock())
    assert set(picture.hosts) == {*HOSTS, OUTSIDE}
    assert picture.unread == ()
    special, plain = picture.hosts[SPECIAL], picture.hosts["node4"]
    assert special.facts.zones == {ZONE}
    assert {GOLD, FAST} <= special.traits
    assert not {GOLD, FAST} & plain.traits
    assert (plain.free, special.capacity) != (None, None)
    assert (special.capacity or {})["CUSTOM_FPGA"] == 4
    assert (special.free or {})["CUSTOM_FPGA"] == 2
    named = _named(picture)
    assert set(servers) <= set(named)
    assert named["one"].needs == {"VCPU": 1, "MEMORY_MB": 64, "DISK_GB": 1}
    assert named["tiny"].needs == {"MEMORY_MB": 64}
    assert named["fast"].needs["CUSTOM_FPGA"] == 2
    assert (named["fast"].traits, named["gold"].traits) == ({FAST}, {GOLD})
    assert named["fast"].forbidden_traits == {"CUSTOM_SLOW"}
    assert named["left"].group_hosts == {"node2"}
    assert named["right"].group_apart
    assert named["one"].group is None


def test_the_needs_are_the_allocations(
    api: Api, cloud: Cloud, servers: dict[str, str]
) -> None:
    """What is read from flavors is what Nova has asked Placement for."""
    named = _named(whole.take(api, SystemClock()))
    for name, uuid in servers.items():
        found = cloud.placement("GET", f"/allocations/{uuid}").json()["allocations"]
        (allocation,) = found.values()
        assert named[name].needs == allocation["resources"], name


def test_costs(api: Api, cloud: Cloud, flavor: str, servers: dict[str, str]) -> None:
    """As many requests for one server more, and for a host that is full of them."""
    sent = [api.sent]
    for number in range(2):
        whole.take(api, SystemClock())
        sent.append(api.sent)
        boot_on(cloud, f"node{4 + number}", flavor, f"more{number}", f"most{number}")
    whole.take(api, SystemClock())
    costs = [
        after - before
        for before, after in zip(sent, [*sent[1:], api.sent], strict=True)
    ]
    assert costs[0] == costs[1] == costs[2]


def test_snapshot(
    trigger: MakeTrigger, api: Api, servers: dict[str, str], tmp_path: Path
) -> None:
    file = tmp_path / "cloud.json"
    trigger().nova_ha("snapshot", str(file))
    kept = snapshot.load(file.read_text())
    now = whole.take(api, SystemClock())
    assert kept.servers == now.servers
    assert set(kept.hosts) == set(now.hosts)
    assert {n: h.free for n, h in kept.hosts.items()} == {
        n: h.free for n, h in now.hosts.items()
    }
    trigger().nova_ha("snapshot", str(file), "--from-file", str(file), "--anonymise")
    for name in (*servers, *servers.values(), *HOSTS, GOLD, "CUSTOM_FPGA", ZONE):
        assert json.dumps(name) not in file.read_text()


def test_no_smaller_picture(cloud: Cloud) -> None:
    with pytest.raises(CloudUnreachable, match="GET /os-"):
        whole.take(Api(cloud.openstack(), timeout=0.000001), SystemClock())


@pytest.fixture
def dead_cell(cloud: Cloud) -> Iterator[None]:
    """Its database cannot be reached."""
    context = nova_context.get_admin_context()
    (cell,) = (c for c in objects.CellMappingList.get_all(context) if not c.is_cell0())
    working = cell.database_connection

    def point(url: str, answers: bool) -> None:
        cell.database_connection = url
        cell.save()

        def seen() -> bool:
            # Threads of Nova that were at work may put back what they had read before.
            nova_context.CELL_CACHE.clear()
            nova_context.CELLS = []
            listed = cloud.nova("GET", "/servers/detail?all_tenants=1").json()[
                "servers"
            ]
            return answers == all(one["status"] != "UNKNOWN" for one in listed)

        cloud.wait(f"the cell's database is {url}", seen)

    point("sqlite:////nonexistent/nova.sqlite", answers=False)
    yield
    point(working, answers=True)


def test_a_cell_that_does_not_answer(
    api: Api, servers: dict[str, str], dead_cell: None
) -> None:
    with pytest.raises(CloudUnreachable, match="the cell of .* does not answer"):
        list(Lists(api).servers())
    with pytest.raises(CloudUnreachable):
        whole.take(api, SystemClock())


def test_a_cell_that_falls_silent_between_two_lists(
    api: Api,
    servers: dict[str, str],
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nova's list of a host's servers is empty then, and nothing says so. Placement
    still names them; Nova fails at each, with 500, where the database is not there."""
    observer, scope = Observer(api, SystemClock()), Scope(hosts=frozenset({SPECIAL}))
    well = observer.observe(scope)
    assert well.servers_of(SPECIAL)
    services = Lists(api).services()
    request.getfixturevalue("dead_cell")
    assert list(Lists(api).servers(host=SPECIAL)) == []
    monkeypatch.setattr(Lists, "services", lambda _: services)
    found = observer.observe(scope).servers_of(SPECIAL)
    assert {s.uuid for s in found} == {s.uuid for s in well.servers_of(SPECIAL)}
    assert all(server.unreadable for server in found)


def test_without_an_image_service(
    cloud: Cloud, api: Api, servers: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A recovery goes on without it; a snapshot would be a smaller one."""

    def broken(*_: object) -> None:
        raise StubError("503 Service Unavailable", "no images today")

    with monkeypatch.context() as patch:
        patch.setattr(Glance, "_route", broken)
        observer = Observer(api, SystemClock())
        scope = Scope(hosts=frozenset({SPECIAL}), destinations=True)
        blind = _named(observer.observe(scope))
        with pytest.raises(CloudUnreachable, match="image GET /images: 503"):
            whole.take(api, SystemClock())
    assert (blind["fast"].traits, blind["gold"].traits) == ({FAST}, frozenset())
    assert _named(observer.observe(scope))["gold"].traits == {GOLD}


def test_a_page_that_tenants_have_filled_is_read_in_parts(
    cloud: Cloud, flavor: str
) -> None:
    """Nova shows an administrator the user data of every server: 64 KiB of each."""
    more = {"host": "node1", "user_data": base64.b64encode(b"x" * 45_000).decode()}
    full = [cloud.boot(name, flavor, **more)["id"] for name in ("full1", "full2")]
    connection = cloud.openstack()
    adapter = exchange.BoundedAdapter(seconds=60, limit=100_000)
    exchange.bound(connection.session.session, adapter)
    api = Api(connection)
    try:
        with pytest.raises(AnswerTooLarge, match="more than 100000 bytes"):
            api.get("compute", "/servers/detail", READ, {"all_tenants": "1"})
        seen = [server["id"] for server in Lists(api).servers()]
    finally:
        for server in full:
            cloud.delete(server)
    assert set(full) <= set(seen)
    assert len(seen) == len(set(seen))
