# SPDX-License-Identifier: Apache-2.0
"""A real Nova with the scheduler plugin in this process, and the trigger beside it."""

from tests.lib.cloud import Cloud, Size  # isort: skip  (prepares the process for Nova)

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.integration.crash.conftest import PLUGIN
from tests.lib import redfish, rig
from tests.lib.cloud.config import Conf, merge

HOSTS = ["node1", "node2", "node3", "node4"]
RESERVE, OUTSIDE = "spare1", "other1"
"""The one is in the hosts' storage zone, the other in another one."""

RESERVE_MB = 8192
"""Memory for servers on the reserve; each other host has far more."""

_OF_THE_HOST_MB = 512
"""Nova's default of reserved_host_memory_mb."""

DOWN_TIME = 12
"""Seconds; who forces a host down by hand has to lift that by hand."""

NOVA: Conf = {"DEFAULT": {"report_interval": 3, "service_down_time": DOWN_TIME}}

CONF: Conf = {
    "detection": {"poll_interval": 1, "down_time": DOWN_TIME},
    "evacuation": {"follow_interval": 0.5},
    "guard": {"max_hosts": 9, "max_zone_percent": 100, "max_cloud_percent": 100},
    "journal": {"lease_timeout": 2},
    "return": {"failback": True, "flapping_within": 0},
}


@dataclass(frozen=True)
class Answer:
    """What a run of the command line has left."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Trigger(rig.Trigger):
    """Its command line, with the exit codes."""

    def run(self, *arguments: str) -> Answer:
        program = str(Path(sys.executable).with_name("nova-ha"))
        done = subprocess.run(
            [program, f"--config-file={self.conf_file}", *arguments],
            capture_output=True,
            text=True,
            timeout=200,
            env={**os.environ, **self.environment},
        )
        return Answer(done.returncode, done.stdout, done.stderr)

    def maintenance(self, *arguments: str) -> Answer:
        return self.run("maintenance", *arguments, "-f", "json")


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    hosts = [*HOSTS, RESERVE, OUTSIDE]
    zones = dict.fromkeys([*HOSTS, RESERVE], "nfs-a") | {OUTSIDE: "nfs-b"}
    state = tmp_path_factory.mktemp("cloud")
    sizes = {RESERVE: Size(memory_mb=RESERVE_MB + _OF_THE_HOST_MB)}
    conf = merge(PLUGIN, NOVA)
    with Cloud(state, {"cell1": hosts}, zones, conf, sizes=sizes) as cloud:
        cloud.aggregate("protected", {"ha": "true"}, hosts)
        cloud.aggregate("nfs-a", {"storage_zone": "nfs-a"}, [*HOSTS, RESERVE])
        cloud.aggregate("nfs-b", {"storage_zone": "nfs-b"}, [OUTSIDE])
        cloud.aggregate("reserve", {"ha:reserved": "true"}, [RESERVE])
        yield cloud


@pytest.fixture(scope="session")
def flavor(cloud: Cloud) -> str:
    return cloud.flavor("protected", {"ha": "true"})


@pytest.fixture
def bmcs(tmp_path: Path) -> Iterator[redfish.Bmcs]:
    with redfish.bmcs(tmp_path, [*HOSTS, RESERVE, OUTSIDE]) as found:
        yield found


@pytest.fixture
def trigger(cloud: Cloud, bmcs: redfish.Bmcs, tmp_path: Path) -> Trigger:
    trigger = Trigger(tmp_path, cloud.clouds_yaml, CONF)
    bmcs.fencing_file(trigger.fencing_file)
    return trigger


def boot(cloud: Cloud, flavor: str, host: str, *names: str) -> dict[str, str]:
    """Servers on a host, running: their ids by name."""
    found = {name: cloud.create(name, flavor, host=host) for name in names}
    for uuid in found.values():
        cloud.wait_status(uuid, "ACTIVE")
    return found


def act(cloud: Cloud, uuid: str, action: str, status: str | None = None) -> None:
    """Have Nova do something to a server, and wait for its status."""
    answer = cloud.nova("POST", f"/servers/{uuid}/action", {action: None})
    assert answer.ok, answer.text
    if status:
        cloud.wait_status(uuid, status)


def service(cloud: Cloud, host: str) -> dict[str, Any]:
    path = f"/os-services?binary=nova-compute&host={host}"
    (found,) = cloud.nova("GET", path).json()["services"]
    return dict(found)


def is_flagged(cloud: Cloud, host: str) -> bool:
    """Whether an aggregate that says so has it."""
    found = cloud.nova("GET", "/os-aggregates").json()["aggregates"]
    flagged = (a for a in found if "ha:maintenance" in a["metadata"])
    return any(host in aggregate["hosts"] for aggregate in flagged)


def is_free(cloud: Cloud, host: str) -> bool:
    """Whether Nova may use it as if nothing had been."""
    found = service(cloud, host)
    back = (found["status"], found["state"], found["forced_down"])
    return back == ("enabled", "up", False) and not is_flagged(cloud, host)
