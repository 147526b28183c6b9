# SPDX-License-Identifier: Apache-2.0
"""A key of ours is read as meant, whatever its case and blanks; two spellings that say
different things close what either would close."""

import pytest


@pytest.mark.parametrize("key", ["HA:Reserved", "ha:reserved ", " Ha : Maintenance"])
def test_a_host_is_closed_by_a_flag_in_any_spelling(op, either_way, key):
    op.aggregate({key: "true"}, ["n1"])
    assert "No valid host" in op.boot_fails("n1")


def test_a_server_stays_in_its_zone_in_any_spelling(op, cloud, either_way, log):
    uuid = op.boot("n1")
    op.aggregate({"Storage_Zone ": "nfs-n"}, ["n1"])
    assert not op.cold_migrate(uuid, "n2")
    assert not op.cold_migrate(uuid)
    op.aggregate({"storage_zone": "nfs-n "}, ["n2"])
    assert op.cold_migrate(uuid)
    assert cloud.host(uuid) == "n2"
    if not either_way:
        assert "zone nfs-n required" in log()


def test_a_zone_that_differs_by_case_is_another_one(op, either_way):
    uuid = op.boot("n1")
    op.aggregate({"storage_zone": "nfs-n"}, ["n1"])
    op.aggregate({"storage_zone": "NFS-N"}, ["n2"])
    assert not op.cold_migrate(uuid, "n2")


@pytest.fixture
def spelt(cloud):
    compute = cloud.openstack().compute
    flavor = compute.create_flavor(name="spelt", ram=64, vcpus=1, disk=1)
    compute.create_flavor_extra_specs(flavor, {"HA": "true"})
    yield flavor.id
    compute.delete_flavor(flavor)


def test_a_flavor_is_protected_in_any_spelling(spelt, op, cloud, either_way):
    assert "No valid host" in op.boot_fails("n1", flavor=spelt)
    op.aggregate({"Ha": "yes"}, ["n1"])
    assert cloud.host(op.boot("n1", flavor=spelt)) == "n1"


CONTRADICTIONS = [
    {"ha:reserved": "true", "HA:Reserved": "false"},
    {"ha:maintenance": "false", "ha:maintenance ": "true"},
]


@pytest.mark.parametrize("metadata", CONTRADICTIONS)
def test_what_contradicts_itself_closes_the_host(op, either_way, log, metadata):
    op.aggregate(metadata, ["n1"])
    assert "No valid host" in op.boot_fails("n1")
    assert "contradict each other" in log()


def test_nothing_leaves_a_zone_that_contradicts_itself(op, either_way, log):
    uuid = op.boot("n1")
    op.aggregate({"storage_zone": "nfs-n", "Storage_Zone": "nfs-m"}, ["n1", "n2"])
    assert not op.cold_migrate(uuid)
    assert not op.cold_migrate(uuid, "n2")
    assert "contradict each other" in log()


def test_the_same_said_twice_counts_once(op, cloud, either_way):
    op.aggregate({"ha:reserved": "false", "HA:Reserved": "No "}, ["n1"])
    assert cloud.host(op.boot("n1")) == "n1"
