# SPDX-License-Identifier: Apache-2.0
"""Where servers go, of the hosts that the filters pass."""

import time

import pytest

from nova_ha_scheduler.admission import published
from nova_ha_scheduler.rules.admission import ReserveHost, ZoneReserve


def test_evacuations_spare_the_reserve(op, cloud, scheduler):
    scheduler({"failover_host_weight_multiplier": -1000})
    uuid = op.boot("a1")
    with op.dead("a1"):
        assert op.evacuate(uuid)
        assert cloud.host(uuid) in ("a2", "a3")


def test_an_aggregate_overrides_the_multiplier(op, cloud):
    op.aggregate({"failover_host_weight_multiplier": "-1000"}, ["a9"])
    uuid = op.boot("a1")
    with op.dead("a1"):
        assert op.evacuate(uuid)
        assert cloud.host(uuid) in ("a2", "a3")


@pytest.mark.parametrize(
    ("multiplier", "zones"), [(10**6, {"a"}), (-(10**6), {"b", "c", "n"})]
)
def test_boots_by_the_room_of_the_zones(op, cloud, scheduler, multiplier, zones):
    """nfs-a has three ordinary hosts, nfs-b and nfs-c two; n1 and n2 stand alone."""
    scheduler({"storage_zone_weight_multiplier": multiplier})
    for _ in range(2):
        assert cloud.host(op.boot())[0] in zones


def test_boots_spread_over_zones_of_one_size(op, cloud, scheduler):
    op.aggregate({"ha:maintenance": "true"}, ["a3", "n1", "n2", "c1", "c2"])
    scheduler({"storage_zone_weight_multiplier": 10**6})
    # Large servers: what earlier tests leave in use for a while weighs nothing.
    zones = [cloud.host(op.boot(flavor="large"))[0] for _ in range(6)]
    assert sorted(zones) == ["a"] * 3 + ["b"] * 3


def test_a_zone_that_can_survive_comes_first(op, cloud, scheduler, tmp_path):
    """Nothing is refused: where no zone can, the server boots all the same."""
    path = tmp_path / "admission.json"
    scheduler(
        {
            "admission": "audit",
            "admission_file": path,
            "admission_weight_multiplier": 10**6,
        }
    )
    large = {"VCPU": 64, "MEMORY_MB": 2**20, "DISK_GB": 2**20}
    none = dict.fromkeys(large, 0)
    for full, good in (("a", "b"), ("b", "a")):
        reserve = (ZoneReserve(f"nfs-{full}", (ReserveHost(f"{full}9", none),)),)
        reserve += (ZoneReserve(f"nfs-{good}", (ReserveHost(f"{good}9", large),)),)
        published.write(path, time.time(), reserve)
        for _ in range(2):
            assert cloud.host(op.boot(flavor="ha"))[0] == good
    published.write(path, time.time(), ())
    op.boot(flavor="ha")
