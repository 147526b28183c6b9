# SPDX-License-Identifier: Apache-2.0
"""A real Nova in this process; the trigger's every request to it can be its last."""

from tests.lib.cloud import Cloud  # isort: skip  (prepares the process for Nova)

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.integration.crash.accident import Crossroads, forward
from tests.integration.crash.points import POINTS
from tests.lib import redfish
from tests.lib.cloud.client import Client
from tests.lib.cloud.config import Conf
from tests.lib.web import WebServer

pytest.register_assert_rewrite("tests.integration.crash.lives")

HOSTS = [f"node{number:02}" for number in range(1, len(POINTS) + 1)]
RESERVE = "spare"
ZONE = "nfs-a"
SERVERS = ("db", "mail", "wiki")
STOPPED = "wiki"

PLUGIN: Conf = {
    "filter_scheduler": {
        "available_filters": [
            "nova.scheduler.filters.all_filters",
            "nova_ha_scheduler.filters.all_filters",
        ],
        "enabled_filters": [
            "StorageZoneFilter",
            "FailoverHostFilter",
            "HAFlavorFilter",
            "HostMaintenanceFilter",
            "ComputeFilter",
        ],
    }
}


@dataclass(frozen=True)
class Site:
    """The cloud with its fence devices.

    :ivar address: of the devices, by the crossroads.
    :ivar servers: uuids by name, by host.
    """

    cloud: Cloud
    crossroads: Crossroads
    bmcs: redfish.Bmcs
    address: str
    servers: dict[str, dict[str, str]]


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with running(tmp_path_factory.mktemp("site"), HOSTS) as found:
        yield found


@contextlib.contextmanager
def running(folder: Path, hosts: list[str]) -> Iterator[Site]:
    """A cloud with servers on these hosts, and the reserve."""
    every = [*hosts, RESERVE]
    crossroads = Crossroads()
    with (
        redfish.bmcs(folder, every) as bmcs,
        Cloud(
            folder / "cloud",
            {"cell1": every},
            dict.fromkeys(every, ZONE),
            PLUGIN,
            middleware=crossroads.middleware,
        ) as cloud,
    ):
        # As the emulator behind it, and as most BMCs.
        gate = WebServer("bmc", keep_open=False)
        gate.start(crossroads.middleware("bmc", forward(bmcs.url)))
        try:
            servers = populate(cloud, hosts)
            yield Site(cloud, crossroads, bmcs, gate.url, servers)
        finally:
            gate.stop()


def populate(cloud: Client, hosts: list[str]) -> dict[str, dict[str, str]]:
    """Protected servers on each host, one of them stopped; none on the reserve."""
    compute = cloud.openstack().compute
    tags = {
        "protected": ({"ha": "true", "storage_zone": ZONE}, [*hosts, RESERVE]),
        "reserve": ({"ha:reserved": "true"}, [RESERVE]),
    }
    for name, (metadata, members) in tags.items():
        cloud.aggregate(name, metadata, members)
    flavor = cloud.flavor("ha", {"ha": "true"})
    servers = {
        host: {
            name: cloud.create(f"{name}-{host}", flavor, host=host) for name in SERVERS
        }
        for host in hosts
    }
    for named in servers.values():
        for uuid in named.values():
            cloud.wait_status(uuid, "ACTIVE")
        compute.stop_server(named[STOPPED])
    for named in servers.values():
        cloud.wait_status(named[STOPPED], "SHUTOFF")
    return servers
