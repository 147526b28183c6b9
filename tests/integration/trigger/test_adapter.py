# SPDX-License-Identifier: Apache-2.0
"""What the adapter shows of a real Nova, what it costs, and what Nova refuses."""

from tests.integration.trigger.conftest import HOSTS, OUTSIDE, ZONE, boot_on  # isort: skip

import time
from typing import Any

import pytest
from nova import context as nova_context
from nova import objects
from nova.compute import vm_states

from nova_ha_scheduler.clock import SystemClock
from nova_ha_scheduler.cluster.errors import CloudUnreachable, Refused
from nova_ha_scheduler.cluster.openstack import parse
from nova_ha_scheduler.cluster.openstack.api import READ, Api
from nova_ha_scheduler.cluster.picture import Picture, Scope
from nova_ha_scheduler.records.effects import RUN, STOP, Effect, Intent
from nova_ha_scheduler.service.openstack_world import OpenStackCloud
from tests.lib.cloud import Cloud
from tests.lib.cloud.stubs import IMAGES

FULL = "node7"
"""The host that these tests fill, kill and bring back."""


@pytest.fixture(scope="module")
def api(cloud: Cloud) -> Api:
    return Api(cloud.openstack())


@pytest.fixture(scope="module")
def adapter(api: Api) -> OpenStackCloud:
    return OpenStackCloud(api, SystemClock())


@pytest.fixture(scope="module")
def servers(cloud: Cloud, flavor: str) -> dict[str, str]:
    """A plain one, a bigger one, one on a volume, and a group of two."""
    big = cloud.flavor("big", vcpus=2, ram=128, disk=3)
    cinder = cloud.openstack().block_storage
    volume = cinder.create_volume(size=1, image_id=IMAGES["first"])
    group = cloud.nova(
        "POST",
        "/os-server-groups",
        {"server_group": {"name": "apart", "policy": "anti-affinity"}},
    ).json()["server_group"]["id"]
    found = dict(zip(("plain",), boot_on(cloud, FULL, flavor, "plain"), strict=True))
    disk = {
        "boot_index": 0,
        "uuid": volume.id,
        "source_type": "volume",
        "destination_type": "volume",
    }
    more: dict[str, dict[str, Any]] = {
        "big": {"flavor": big},
        "on-volume": {"block_device_mapping_v2": [disk], "imageRef": ""},
        "grouped": {"scheduler_hints": {"group": group}},
        "other": {"scheduler_hints": {"group": group}, "host": "node6"},
    }
    for name, request in more.items():
        kind = request.pop("flavor", flavor)
        request.setdefault("host", FULL)
        found[name] = cloud.boot(name, str(kind), **request)["id"]
    return found


def _look(adapter: OpenStackCloud, *landed: str) -> Picture:
    return adapter.observe(Scope(frozenset({FULL}), frozenset(landed), True))


def test_hosts(adapter: OpenStackCloud) -> None:
    picture = adapter.observe(Scope())
    assert set(picture.hosts) == {*HOSTS, OUTSIDE}
    host = picture.hosts["node1"]
    assert host.up
    assert (host.forced_down, host.disabled) == (False, False)
    assert abs(host.updated_at - time.time()) < 120
    assert host.facts.zones == {ZONE}
    assert host.facts.flags == {"ha"}
    assert picture.hosts[OUTSIDE].facts.zones == frozenset()
    assert (host.free, picture.servers) == (None, {})


@pytest.mark.parametrize("paged", [False, True])
def test_servers(
    adapter: OpenStackCloud,
    servers: dict[str, str],
    paged: bool,
    request: pytest.FixtureRequest,
) -> None:
    if paged:
        request.getfixturevalue("one_a_page")
    picture = _look(adapter)
    seen = {server.name: server for server in picture.servers_of(FULL)}
    assert set(seen) == {"plain", "big", "on-volume", "grouped"}
    assert picture.unread == ()
    plain, big = seen["plain"], seen["big"]
    assert plain.uuid == servers["plain"]
    assert (plain.vm_state, plain.task_state, plain.running) == ("active", None, True)
    assert plain.extra_specs == {"ha": "true"}
    assert plain.needs == {"VCPU": 1, "MEMORY_MB": 64, "DISK_GB": 1}
    assert big.needs == {"VCPU": 2, "MEMORY_MB": 128, "DISK_GB": 3}
    assert (big.extra_specs, big.refused_by_nova) == ({}, "")
    assert seen["on-volume"].needs == {"VCPU": 1, "MEMORY_MB": 64}
    assert (plain.local_disk, seen["on-volume"].local_disk) == (True, False)
    assert plain.group is None
    assert seen["grouped"].group_apart
    assert seen["grouped"].group_hosts == {"node6"}
    room = picture.hosts["node6"].free
    assert room is not None
    assert room["DISK_GB"] == 9999


@pytest.mark.parametrize("where", ["flavor", "image"])
def test_a_tpm_is_refused_beforehand(
    cloud: Cloud, servers: dict[str, str], where: str
) -> None:
    path = f"/servers/{servers['plain']}"
    answer = cloud.nova("GET", path, microversion=READ).json()["server"]
    if where == "flavor":
        answer["flavor"]["extra_specs"]["hw:tpm_version"] = "2.0"
    else:
        answer["image"]["properties"]["hw_tpm_version"] = "2.0"
    refused = parse.server(answer).refused_by_nova
    assert refused.startswith("it has a vTPM (2.0): only its own host")


def test_costs(
    adapter: OpenStackCloud, api: Api, cloud: Cloud, servers: dict[str, str]
) -> None:
    """Requests grow with the hosts in the scope and with the kinds of their servers,
    not with the servers."""
    _look(adapter)  # learns the hypervisors
    before = api.sent
    adapter.observe(Scope())
    assert api.sent - before == 2
    before = api.sent
    adapter.observe(Scope(frozenset({FULL})))
    assert api.sent - before == 5
    before = api.sent
    _look(adapter)
    assert api.sent - before == 12, "6, 1 for each of 3 kinds, and 3 for the group"


def _do(
    adapter: OpenStackCloud, effect: Effect, host: str = FULL, **more: str
) -> str | None:
    return adapter.carry_out(Intent("id", effect, host, 0.0, "recovery", **more))


def test_refused(
    adapter: OpenStackCloud, cloud: Cloud, servers: dict[str, str]
) -> None:
    with pytest.raises(Refused, match="still in use"):
        _do(adapter, Effect.EVACUATE, server=servers["plain"], destination="node1")
    with pytest.raises(Refused, match="while it is in vm_state active"):
        _do(adapter, Effect.START, server=servers["plain"])
    with pytest.raises(Refused, match="no mapping to a cell"):
        _do(adapter, Effect.STOP, server="11111111-0000-0000-0000-000000000000")
    with pytest.raises(Refused, match="no nova-compute service on node"):
        _do(adapter, Effect.FORCE_DOWN, "node")


def test_why_a_move_failed(
    adapter: OpenStackCloud, cloud: Cloud, servers: dict[str, str]
) -> None:
    """Nova's migration record says "error" and no more."""
    server = servers["plain"]
    _do(adapter, Effect.DISABLE, "node1", text="repair")
    asked = _do(adapter, Effect.LIVE_MIGRATE, server=server, destination="node1")
    words = cloud.wait("reason", lambda: adapter.explain(server, str(asked)))
    assert words.startswith("No valid host was found")
    _do(adapter, Effect.ENABLE, "node1")
    cloud.wait("rest", lambda: not cloud.server(server)["OS-EXT-STS:task_state"])
    with pytest.raises(CloudUnreachable, match="404"):
        adapter.explain(server, "req-of-nobody")
    # It is not completed by force; one that can be, tests/fullstack/real has.
    records = cloud.nova("GET", f"/os-migrations?instance_uuid={server}").json()
    record = str(records["migrations"][0]["id"])
    with pytest.raises(Refused, match="invalid state for 'force_complete'"):
        _do(adapter, Effect.FORCE_COMPLETE, server=server, text=record)


def test_a_server_in_error_is_rebooted(
    adapter: OpenStackCloud, cloud: Cloud, servers: dict[str, str]
) -> None:
    """Nova starts no such server."""
    server = servers["plain"]
    _do(adapter, Effect.RESET_STATE, server=server)
    with pytest.raises(Refused, match="while it is in vm_state error"):
        _do(adapter, Effect.START, server=server)
    _do(adapter, Effect.REBOOT, server=server)
    cloud.wait("well", lambda: cloud.server(server)["status"] == "ACTIVE")


def test_whether_a_server_runs(
    adapter: OpenStackCloud, cloud: Cloud, servers: dict[str, str]
) -> None:
    """By its hypervisor, whatever Nova's record says; and what was ordered last."""
    server = servers["plain"]

    def shows(status: str) -> bool:
        return bool(cloud.server(server)["status"] == status)

    assert adapter.runs(server)
    assert adapter.ordered(server) == RUN
    _do(adapter, Effect.STOP, server=server)
    cloud.wait("off", lambda: shows("SHUTOFF"))
    assert not adapter.runs(server)
    assert adapter.ordered(server) == STOP
    _do(adapter, Effect.START, server=server)
    cloud.wait("on", lambda: shows("ACTIVE"))
    assert adapter.runs(server)
    assert adapter.ordered(server) == RUN
    with pytest.raises(CloudUnreachable, match="404"):
        adapter.runs("11111111-0000-0000-0000-000000000000")
    with pytest.raises(CloudUnreachable, match="404"):
        adapter.ordered("11111111-0000-0000-0000-000000000000")


def test_a_server_that_is_just_being_deleted_is_gone(
    adapter: OpenStackCloud, cloud: Cloud, servers: dict[str, str]
) -> None:
    """Nova saves its state first, and lists it so until its record is deleted, too."""
    _save(servers["plain"], vm_states.DELETED)
    assert cloud.server(servers["plain"])["status"] == "DELETED"
    assert "plain" not in {server.name for server in _look(adapter).servers_of(FULL)}
    _save(servers["plain"], vm_states.ACTIVE)
    assert "plain" in {server.name for server in _look(adapter).servers_of(FULL)}


def _save(uuid: str, vm_state: str) -> None:
    context = nova_context.get_admin_context()
    mapping = objects.InstanceMapping.get_by_instance_uuid(context, uuid)
    with nova_context.target_cell(context, mapping.cell_mapping) as cell:
        instance = objects.Instance.get_by_uuid(cell, uuid)
        instance.vm_state = vm_state
        instance.save()


def test_an_evacuation_and_the_way_back(
    adapter: OpenStackCloud, cloud: Cloud, servers: dict[str, str]
) -> None:
    cloud.crash(FULL)
    _do(adapter, Effect.FORCE_DOWN)
    _do(adapter, Effect.DISABLE, text="nova-ha: it is dead")
    host = _look(adapter).hosts[FULL]
    assert (host.up, host.forced_down, host.disabled) == (False, True, True)
    assert host.disabled_reason == "nova-ha: it is dead"
    moving = [servers["plain"], servers["on-volume"]]
    for server in moving:
        asked = _do(adapter, Effect.EVACUATE, server=server, destination="node5")
        assert str(asked).startswith("req-")

    def landed() -> Picture | None:
        picture = _look(adapter, *moving)
        records = [picture.newest_record(server, FULL) for server in moving]
        done = all(r and r.landed and r.destination for r in records)
        return picture if done else None

    picture = cloud.wait("evacuations", landed)
    assert picture.unread == ()
    for server in moving:
        seen = picture.servers[server]
        assert (seen.host, seen.running, seen.missing) == ("node5", True, ())
    volume = cloud.server(servers["on-volume"])["os-extended-volumes:volumes_attached"]
    attachments = cloud.openstack().block_storage.get(
        f"/attachments?volume_id={volume[0]['id']}", microversion="3.27"
    )
    for attachment in attachments.json()["attachments"]:
        cloud.openstack().block_storage.delete(
            f"/attachments/{attachment['id']}", microversion="3.27"
        )
    (problem,) = _look(adapter, *moving).servers[servers["on-volume"]].missing or ()
    assert problem == f"volume {volume[0]['id']} is not attached to it"
    with pytest.raises(Refused):
        _do(adapter, Effect.LIFT_FORCE_DOWN)
    cloud.revive(FULL)
    cloud.wait("clean-up", lambda: _lifted(adapter))
    _do(adapter, Effect.ENABLE)
    host = adapter.observe(Scope()).hosts[FULL]
    assert (host.forced_down, host.disabled) == (False, False)


def _lifted(adapter: OpenStackCloud) -> bool:
    try:
        _do(adapter, Effect.LIFT_FORCE_DOWN)
    except Refused:
        return False
    return True


def test_no_picture_without_an_answer(cloud: Cloud) -> None:
    api = Api(cloud.openstack(), timeout=0.000001)
    with pytest.raises(CloudUnreachable, match="compute GET /os-"):
        OpenStackCloud(api, SystemClock()).observe(Scope())
