# SPDX-License-Identifier: Apache-2.0
"""One real Nova with the plugin on, as an operator would have set it up.

=====  ======================  ============================
cell   hosts                   aggregates
=====  ======================  ============================
cell1  a1 a2 a3, a9 (reserve)  zone nfs-a; ha: a1 a2 a9
cell1  b1 b2, b9 (reserve)     zone nfs-b; ha: b1 b9
cell1  n1 n2                   none
cell2  c1 c2, c9 (reserve)     zone nfs-c
=====  ======================  ============================

A test leaves all of this as it found it; the fixtures clean up what they made.
"""

import contextlib

import pytest

from tests.integration.plugin import operator
from tests.lib.cloud import Cloud

CELLS = {
    "cell1": ["a1", "a2", "a3", "a9", "b1", "b2", "b9", "n1", "n2"],
    "cell2": ["c1", "c2", "c9"],
}
ZONES = {
    host: f"nfs-{host[0]}"
    for hosts in CELLS.values()
    for host in hosts
    if host[0] != "n"
}
AGGREGATES = {
    "zone-a": ({"storage_zone": "nfs-a"}, ["a1", "a2", "a3", "a9"]),
    "zone-b": ({"storage_zone": "nfs-b"}, ["b1", "b2", "b9"]),
    "zone-c": ({"storage_zone": "nfs-c"}, ["c1", "c2", "c9"]),
    "reserve": ({"ha:reserved": "true"}, ["a9", "b9", "c9"]),
    "protected": ({"ha": "true"}, ["a1", "a2", "a9", "b1", "b9"]),
}
CONF = {
    "DEFAULT": {"allow_resize_to_same_host": True},
    "filter_scheduler": {
        "available_filters": [
            "nova.scheduler.filters.all_filters",
            "nova_ha_scheduler.filters.all_filters",
            "tests.integration.plugin.recorder.Recorder",
        ],
        "enabled_filters": [
            "Recorder",
            "HostMaintenanceFilter",
            "StorageZoneFilter",
            "FailoverHostFilter",
            "HAFlavorFilter",
            "HAAdmissionFilter",
            "ComputeFilter",
            "ServerGroupAntiAffinityFilter",
            "ServerGroupAffinityFilter",
        ],
        "weight_classes": [
            "nova.scheduler.weights.all_weighers",
            "nova_ha_scheduler.weighers.all_weighers",
        ],
    },
}


@pytest.fixture(scope="session")
def cloud(tmp_path_factory):
    state = tmp_path_factory.mktemp("cloud")
    with Cloud(state, CELLS, ZONES, CONF) as cloud:
        for name, (metadata, hosts) in AGGREGATES.items():
            cloud.aggregate(name, metadata, hosts)
        yield cloud


@pytest.fixture(scope="session")
def flavors(cloud):
    """Flavor ids by name."""
    compute = cloud.openstack().compute
    sizes = {
        "plain": {},
        "ha": {},
        "larger": {"ram": 128},
        "large": {"ram": 8192},
        "swapping": {"swap": 64},
        "stateless": {},
    }
    ids = {}
    for name, size in sizes.items():
        values = {"ram": 64, "vcpus": 1, "disk": 1} | size
        ids[name] = compute.create_flavor(name=name, **values).id
    compute.create_flavor_extra_specs(ids["ha"], {"ha": "true"})
    recreate = {"ha:recovery": "recreate"}
    compute.create_flavor_extra_specs(ids["stateless"], recreate)
    return ids


@pytest.fixture
def op(cloud, flavors):
    """The operator: asks for things and cleans up after the test."""
    with contextlib.ExitStack() as cleanup:
        yield operator.Operator(cloud, flavors, cleanup)


class Scheduler:
    """Restarts the scheduler, and only when its options change."""

    def __init__(self, cloud):
        self._cloud = cloud
        self._standing = self._running = {}

    def run(self, ha_scheduler):
        if ha_scheduler != self._running:
            self._cloud.restart_scheduler({"ha_scheduler": ha_scheduler})
            self._running = ha_scheduler

    def stand(self, ha_scheduler):
        """Run with these options between tests, too."""
        self._standing = ha_scheduler
        self.run(ha_scheduler)

    def restore(self):
        self.run(self._standing)


@pytest.fixture(scope="session")
def schedulers(cloud):
    return Scheduler(cloud)


@pytest.fixture
def scheduler(schedulers):
    """Restart the scheduler with options in [ha_scheduler]."""
    yield schedulers.run
    schedulers.restore()


@pytest.fixture(scope="module", params=[True, False], ids=["prefilter", "filters-only"])
def either_way(request, schedulers):
    """The rules hold with the Placement pre-filter and without."""
    schedulers.stand({"placement_prefilter": request.param})
    yield request.param
    schedulers.stand({})


@pytest.fixture
def log(cloud):
    """What Nova logs during the test."""
    start = cloud.log_file.stat().st_size

    def read():
        with cloud.log_file.open(errors="replace") as file:
            file.seek(start)
            return file.read()

    return read
