# SPDX-License-Identifier: Apache-2.0
"""The launcher itself: what is done to servers, each operation end to end."""

import pytest

from tests.integration.cloud.actions import Boot, Crash, act, evacuate
from tests.lib.cloud import Cloud, CloudError
from tests.lib.cloud.stubs import IMAGES


def test_boot_makes_a_disk_and_delete_removes_it(cloud: Cloud, flavor: str) -> None:
    server = cloud.boot("test", flavor, host="host1")["id"]
    disk = cloud.disk(server)
    assert disk == cloud.state_dir / "zones" / "nfs-a" / f"{server}.disk"
    assert disk.exists()
    cloud.delete(server)
    assert not disk.exists()


def test_host_outside_of_zones_has_storage_of_its_own(cloud: Cloud, boot: Boot) -> None:
    server = boot(host="host6")
    assert cloud.disk(server).parent == cloud.state_dir / "local" / "host6"
    assert cloud.disk(server).exists()


def test_boot_with_min_count(cloud: Cloud, flavor: str) -> None:
    request = {"min_count": 3, "return_reservation_id": True}
    body = {
        "name": "many",
        "flavorRef": flavor,
        "imageRef": IMAGES["first"],
        "networks": "none",
        **request,
    }
    answer = cloud.nova("POST", "/servers", {"server": body})
    query = f"/servers?reservation_id={answer.json()['reservation_id']}"
    servers = [s["id"] for s in cloud.nova("GET", query).json()["servers"]]
    assert len(servers) == 3
    disks = {
        cloud.disk(cloud.wait_status(server, "ACTIVE")["id"]).read_bytes()
        for server in servers
    }
    assert len(disks) == 3
    for server in servers:
        cloud.delete(server)


@pytest.mark.parametrize("target", ["host2", "host4"])
def test_live_migration_keeps_the_disk(cloud: Cloud, boot: Boot, target: str) -> None:
    server = boot(host="host1")
    old = cloud.disk(server)
    before = old.read_bytes()
    act(
        cloud,
        server,
        "os-migrateLive",
        {"host": target, "block_migration": "auto"},
    )
    cloud.wait("live migration", lambda: cloud.host(server) == target)
    cloud.wait_status(server, "ACTIVE")
    new = cloud.disk(server)
    assert new.read_bytes() == before
    cloud.wait("one disk", lambda: old == new or not old.exists())


@pytest.mark.parametrize("target", ["host2", "host4"])
@pytest.mark.parametrize("end", ["confirmResize", "revertResize"])
def test_cold_migration_keeps_the_disk(
    cloud: Cloud, boot: Boot, target: str, end: str
) -> None:
    server = boot(host="host1")
    before = cloud.disk(server).read_bytes()
    act(cloud, server, "migrate", {"host": target})
    cloud.wait_status(server, "VERIFY_RESIZE")
    assert cloud.host(server) == target
    assert cloud.disk(server).read_bytes() == before
    act(cloud, server, end)
    cloud.wait_status(server, "ACTIVE")
    assert cloud.host(server) == (target if end == "confirmResize" else "host1")
    assert cloud.disk(server).read_bytes() == before
    cloud.wait("one disk", lambda: len(cloud.hardware.disks(server)) == 1)


def test_resize(cloud: Cloud, boot: Boot) -> None:
    larger = cloud.flavor("larger", vcpus=2)
    server = boot(host="host1")
    before = cloud.disk(server).read_bytes()
    act(cloud, server, "resize", {"flavorRef": larger})
    cloud.wait_status(server, "VERIFY_RESIZE")
    assert cloud.host(server) != "host1"
    act(cloud, server, "confirmResize")
    cloud.wait_status(server, "ACTIVE")
    assert cloud.server(server)["flavor"]["vcpus"] == 2
    assert cloud.disk(server).read_bytes() == before


def test_rebuild_with_another_image_makes_a_new_disk(cloud: Cloud, boot: Boot) -> None:
    server = boot(host="host1")
    before = cloud.disk(server).read_bytes()
    act(cloud, server, "rebuild", {"imageRef": IMAGES["second"]})
    rebuilt = cloud.wait_status(server, "ACTIVE")
    assert rebuilt["image"]["id"] == IMAGES["second"]
    assert cloud.host(server) == "host1"
    assert cloud.disk(server).read_bytes() != before


def test_shelve_and_unshelve_keep_the_bytes(cloud: Cloud, boot: Boot) -> None:
    server = boot(host="host1")
    before = cloud.disk(server).read_bytes()
    act(cloud, server, "shelve")
    cloud.wait_status(server, "SHELVED_OFFLOADED")
    assert cloud.hardware.disks(server) == []
    act(cloud, server, "unshelve", {"host": "host4"})
    cloud.wait_status(server, "ACTIVE")
    assert cloud.host(server) == "host4"
    assert cloud.disk(server).read_bytes() == before


def test_evacuation_within_a_zone_keeps_the_disk(
    cloud: Cloud, boot: Boot, crash: Crash
) -> None:
    server = boot(host="host1")
    before = cloud.disk(server).read_bytes()
    crash("host1")
    evacuate(cloud, server, "host2")
    assert cloud.host(server) == "host2"
    assert cloud.disk(server).read_bytes() == before


def test_evacuation_out_of_the_zone_loses_the_disk(
    cloud: Cloud, boot: Boot, crash: Crash
) -> None:
    server = boot(host="host1")
    before = cloud.disk(server).read_bytes()
    crash("host1")
    evacuate(cloud, server, "host4")
    assert cloud.disk(server).read_bytes() != before


def test_force_down_cannot_be_lifted_before_the_host_is_back(
    cloud: Cloud, boot: Boot, crash: Crash
) -> None:
    server = boot(host="host1")
    stays = boot(host="host1")
    crash("host1")
    evacuate(cloud, server, "host2")
    with pytest.raises(CloudError, match="evacuat"):
        cloud.force_down("host1", False)
    before = cloud.disk(server).read_bytes()
    cloud.revive("host1")
    cloud.force_down("host1", False)
    assert cloud.disk(server).read_bytes() == before
    assert set(cloud.hardware.guests("host1")) == {stays}


def test_server_group_policy_holds(cloud: Cloud, boot: Boot) -> None:
    group = cloud.openstack().compute.create_server_group(
        name="apart", policy="anti-affinity"
    )
    hosts = {cloud.host(boot(scheduler_hints={"group": group.id})) for _ in range(3)}
    assert len(hosts) == 3


def test_volume_backed_server_survives_any_evacuation(
    cloud: Cloud, boot: Boot, crash: Crash
) -> None:
    storage = cloud.openstack().block_storage
    volume = storage.create_volume(size=1, image=IMAGES["first"])
    mapping = {
        "boot_index": 0,
        "uuid": volume.id,
        "source_type": "volume",
        "destination_type": "volume",
    }
    server = boot(imageRef="", host="host1", block_device_mapping_v2=[mapping])
    assert storage.get_volume(volume.id).status == "in-use"
    assert cloud.hardware.disks(server) == []
    crash("host1")
    evacuate(cloud, server, "host4")
    assert cloud.server(server)["os-extended-volumes:volumes_attached"] == [
        {"id": volume.id, "delete_on_termination": False}
    ]
    (attachment,) = storage.get_volume(volume.id).attachments
    assert attachment["server_id"] == server


def test_volume_is_made_from_an_image(cloud: Cloud, boot: Boot) -> None:
    mapping = {
        "boot_index": 0,
        "uuid": IMAGES["first"],
        "source_type": "image",
        "destination_type": "volume",
        "volume_size": 1,
        "delete_on_termination": True,
    }
    server = boot(imageRef="", block_device_mapping_v2=[mapping])
    (attached,) = cloud.server(server)["os-extended-volumes:volumes_attached"]
    volume = cloud.openstack().block_storage.get_volume(attached["id"])
    assert volume.status == "in-use"
