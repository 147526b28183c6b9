# SPDX-License-Identifier: Apache-2.0
"""A cloud with more hosts than Placement hands out: 60 in 10 zones, 10 at a time."""

import pytest

from tests.integration.plugin.operator import Operator
from tests.lib.cloud import Cloud

ZONES = [f"z{zone}" for zone in range(10)]
HOSTS = {zone: [f"{zone}h{number}" for number in range(6)] for zone in ZONES}
CONF = {
    "scheduler": {"max_placement_results": 10},
    "filter_scheduler": {
        "available_filters": [
            "nova.scheduler.filters.all_filters",
            "nova_ha_scheduler.filters.all_filters",
        ],
        "enabled_filters": ["StorageZoneFilter", "ComputeFilter"],
    },
}


@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    hosts = [host for zone in ZONES for host in HOSTS[zone]]
    mounts = {host: zone for zone in ZONES for host in HOSTS[zone]}
    state = tmp_path_factory.mktemp("cloud")
    with Cloud(state, {"cell1": hosts}, mounts, CONF) as cloud:
        for zone in ZONES:
            cloud.aggregate(zone, {"storage_zone": zone}, HOSTS[zone])
        yield cloud


def test_evacuations_find_their_zone_beyond_the_limit(cloud):
    flavor = cloud.openstack().compute.create_flavor(
        name="plain", ram=64, vcpus=1, disk=1
    )
    op = Operator(cloud, {"plain": flavor.id})
    # Two servers on the first host of each zone, and that host dies.
    zone_of = {op.boot(HOSTS[zone][0]): zone for zone in ZONES * 2}
    disks = {uuid: cloud.disk(uuid).read_bytes() for uuid in zone_of}
    for zone in ZONES:
        cloud.crash(HOSTS[zone][0])
        cloud.force_down(HOSTS[zone][0])

    # Five hosts of each zone are free, but Placement names any ten of the sixty: an
    # evacuation in which none of the five is among them fails.
    cloud.restart_scheduler({"ha_scheduler": {"placement_prefilter": False}})
    failed = [uuid for uuid in zone_of if not op.evacuate(uuid)]
    assert failed
    for uuid in failed:
        assert cloud.host(uuid) == HOSTS[zone_of[uuid]][0]

    cloud.restart_scheduler()
    assert [uuid for uuid in failed if not op.evacuate(uuid)] == []
    for uuid, zone in zone_of.items():
        assert cloud.host(uuid) in HOSTS[zone][1:]
        assert cloud.disk(uuid).read_bytes() == disks[uuid]
