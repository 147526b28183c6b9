# SPDX-License-Identifier: Apache-2.0
"""A server never leaves the storage that holds its disk, whatever is asked."""

import pytest

ZONE_A = {"a1", "a2", "a3", "a9"}


@pytest.mark.parametrize("move", ["live_migrate", "cold_migrate", "resize"])
def test_a_move_stays_in_the_zone(op, cloud, either_way, move):
    uuid = op.boot("b1")
    disk = cloud.disk(uuid).read_bytes()
    assert getattr(op, move)(uuid)
    # b9 is reserved: only b2 is left, or b1 for a resize in place.
    assert cloud.host(uuid) in (["b1", "b2"] if move == "resize" else ["b2"])
    assert cloud.disk(uuid).read_bytes() == disk


@pytest.mark.parametrize("move", ["live_migrate", "cold_migrate"])
def test_a_request_for_another_zone_is_refused(op, cloud, either_way, log, move):
    uuid = op.boot("a1")
    disk = cloud.disk(uuid).read_bytes()
    for host in ("b1", "n1"):
        assert not getattr(op, move)(uuid, host)
    assert cloud.host(uuid) == "a1"
    assert cloud.disk(uuid).read_bytes() == disk
    name = move.replace("_", " ")
    if either_way:
        assert (
            f"Asking Placement for {name} of server {uuid} from a1 only for hosts of "
            "these aggregates: a host not under maintenance"
        ) not in log()
        assert (
            f"Asking Placement for {name} of server {uuid} from a1 only for hosts of "
            "these aggregates: zone nfs-a required: in zone-a; a host outside the "
            "reserve required: not in reserve"
        ) in log()
    else:
        assert (
            f"StorageZoneFilter: no host for {name} of server {uuid} from a1: "
            "zone nfs-a required: 1 host in nfs-b"
        ) in log()
        assert "zone nfs-a required: 1 host in no zone" in log()


def test_an_evacuation_finds_the_disk(op, cloud, either_way):
    servers = [op.boot("a1") for _ in range(3)]
    disks = [cloud.disk(uuid).read_bytes() for uuid in servers]
    with op.dead("a1"):
        assert [op.evacuate(uuid) for uuid in servers] == [True] * 3
        assert {cloud.host(uuid) for uuid in servers} <= ZONE_A - {"a1"}
        assert [cloud.disk(uuid).read_bytes() for uuid in servers] == disks


def test_an_evacuation_to_another_zone_is_refused(op, cloud, either_way):
    uuid = op.boot("a1")
    disk = cloud.disk(uuid).read_bytes()
    with op.dead("a1"):
        assert not op.evacuate(uuid, "b1")
        assert cloud.host(uuid) == "a1"
    assert cloud.disk(uuid).read_bytes() == disk


def test_a_disk_that_may_be_lost(op, cloud, either_way):
    """ha:recovery=recreate: elsewhere Nova makes it anew from the image."""
    uuid = op.boot("a1", flavor="stateless")
    assert not op.live_migrate(uuid, "b1")
    disk = cloud.disk(uuid).read_bytes()
    with op.dead("a1"):
        assert op.evacuate(uuid, "b1")
        assert cloud.host(uuid) == "b1"
        assert cloud.disk(uuid).read_bytes() != disk


def test_a_server_of_a_second_cell(op, cloud, either_way):
    uuid = op.boot("c1")
    assert op.live_migrate(uuid)
    assert cloud.host(uuid) == "c2"
    disk = cloud.disk(uuid).read_bytes()
    with op.dead("c2"):
        assert op.evacuate(uuid)
        assert cloud.host(uuid) == "c9"
        assert cloud.disk(uuid).read_bytes() == disk


def test_an_unshelved_server_may_change_its_zone(op, cloud):
    uuid = op.boot("a1")
    op.shelve(uuid)
    op.aggregate({"ha:maintenance": "true"}, ["a1", "a2", "a3"])
    op.unshelve(uuid)
    assert cloud.host(uuid) in ("b1", "b2", "n1", "n2", "c1", "c2")


def test_a_host_in_two_zones_is_left_by_nobody(op, cloud, either_way, log):
    uuid = op.boot("a1")
    op.aggregate({"storage_zone": "nfs-b"}, ["a1"])
    assert not op.live_migrate(uuid)
    assert cloud.host(uuid) == "a1"
    assert (
        "the source's zone cannot be known: a1 is in several zones (nfs-a, nfs-b): "
    ) in log()


def test_a_host_in_two_zones_is_entered_by_nobody(op, cloud, either_way):
    uuid = op.boot("b1")
    op.aggregate({"storage_zone": "nfs-x"}, ["b2"])
    assert not op.live_migrate(uuid)
    assert not op.live_migrate(uuid, "b2")


def test_an_unreadable_zone_is_left_and_entered_by_nobody(op, either_way, log):
    uuid, other = op.boot("b1"), op.boot("b2")
    op.aggregate({"storage_zone": "nfs-b,nfs-x"}, ["b2"])
    assert not op.live_migrate(uuid)
    assert not op.live_migrate(other)
    assert "storage_zone='nfs-b,nfs-x' is not the name of one zone" in log()
    assert "Until it is put right, its hosts are refused" in log()


def test_a_source_without_a_zone(op, cloud, either_way):
    uuid = op.boot("n1")
    assert op.live_migrate(uuid)
    assert cloud.host(uuid) == "n2"
    assert not op.live_migrate(uuid, "a1")
    with op.dead("n2"):
        assert op.evacuate(uuid)
        assert cloud.host(uuid) == "n1"


@pytest.mark.parametrize("prefilter", [True, False])
def test_zoneless_source_options(op, cloud, scheduler, log, prefilter):
    uuid = op.boot("n1")
    scheduler({"zoneless_source": "refuse", "placement_prefilter": prefilter})
    assert not op.live_migrate(uuid)
    assert "source host n1 is in no zone and zoneless_source = refuse" in log()
    scheduler({"zoneless_source": "no-evacuation", "placement_prefilter": prefilter})
    assert op.live_migrate(uuid)
    with op.dead("n2"):
        assert not op.evacuate(uuid)


@pytest.mark.parametrize("prefilter", [True, False])
def test_volume_backed_servers_may_be_exempt(op, cloud, scheduler, prefilter):
    uuid = op.boot("b1", **op.volume())
    assert not op.live_migrate(uuid, "a1")
    scheduler({"exempt_volume_backed": True, "placement_prefilter": prefilter})
    assert op.live_migrate(uuid, "a1")
    with op.dead("a1"):
        assert op.evacuate(uuid, "b2")
    local = op.boot("b1")
    assert not op.live_migrate(local, "a1")


def test_swap_is_a_local_disk(op, scheduler):
    scheduler({"exempt_volume_backed": True})
    uuid = op.boot("b1", flavor="swapping", **op.volume())
    assert not op.live_migrate(uuid, "a1")
    assert op.live_migrate(uuid, "b2")
