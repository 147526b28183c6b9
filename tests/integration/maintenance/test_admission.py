# SPDX-License-Identifier: Apache-2.0
"""What is published of a real cloud's reserve, and what the real scheduler makes of it.

The rule itself, operation by operation: tests/integration/plugin/test_admission.py.
"""

from tests.integration.maintenance.conftest import (  # isort: skip  (prepares for Nova)
    CONF,
    HOSTS,
    RESERVE,
    RESERVE_MB,
    Trigger,
)

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from nova_ha_scheduler.admission import published
from tests.integration.crash.conftest import PLUGIN
from tests.lib import redfish
from tests.lib.cloud import Cloud
from tests.lib.cloud.config import Conf, merge

SHORT = "room on 1 reserve host required, should the host die: 1 host in nfs-a, where "
HALF_MB = RESERVE_MB // 2

_numbers = itertools.count()


@pytest.fixture(scope="module")
def by_command(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file, as ``nova-ha capacity --publish`` writes it."""
    folder = tmp_path_factory.mktemp("published")
    file = folder / "admission.json"
    trigger = Trigger(folder, cloud.clouds_yaml, CONF)
    trigger.run("capacity", "--publish", str(file))
    return file


@pytest.fixture
def scheduler(cloud: Cloud) -> Iterator[Callable[..., None]]:
    """Restart it with admission by a file, and with options of [ha_scheduler]."""
    names = [*PLUGIN["filter_scheduler"]["enabled_filters"], "HAAdmissionFilter"]
    stock, ours = "nova.scheduler.weights", "nova_ha_scheduler.weighers"
    loaded = {
        "enabled_filters": names,
        "weight_classes": [f"{stock}.all_weighers", f"{ours}.all_weighers"],
        "ram_weight_multiplier": -100,  # the fullest host comes first
    }

    def restart(admission: str, file: Path, **options: Any) -> None:
        options |= {"admission": admission, "admission_file": file}
        cloud.restart_scheduler({"filter_scheduler": loaded, "ha_scheduler": options})

    yield restart
    cloud.restart_scheduler()


@pytest.fixture
def half(cloud: Cloud, flavor: str) -> Iterator[str]:
    """A flavor of which the reserve can take one server, and not two."""
    made = cloud.flavor("half", {"ha": "true"}, ram=HALF_MB)
    yield made
    cloud.openstack().compute.delete_flavor(made)


class Booting:
    """Boots servers, and deletes them when the test ends."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._made: list[str] = []

    def __call__(self, flavor: str, host: str | None = None) -> str:
        """Its host, once it is active."""
        return self._cloud.host(self._ask(flavor, host, "ACTIVE"))

    def refused(self, flavor: str, host: str | None = None) -> str:
        """Its id, once it has failed for want of a host."""
        uuid = self._ask(flavor, host, "ERROR")
        assert "No valid host" in self._cloud.server(uuid)["fault"]["message"]
        return uuid

    def _ask(self, flavor: str, host: str | None, status: str) -> str:
        where = {"host": host} if host else {}
        uuid = self._cloud.create(f"admitted{next(_numbers)}", flavor, **where)
        self._made.append(uuid)
        self._cloud.wait_status(uuid, status)
        return uuid

    def undo(self) -> None:
        for uuid in self._made:
            self._cloud.delete(uuid)


@pytest.fixture
def boot(cloud: Cloud) -> Iterator[Booting]:
    booting = Booting(cloud)
    yield booting
    booting.undo()


def said(cloud: Cloud, uuid: str) -> str:
    """What the scheduler's log says of a server's boot."""
    words = f"no host for boot of server {uuid}: "
    lines = cloud.log_file.read_text(errors="replace").splitlines()
    (found,) = [line.partition(words)[2] for line in lines if words in line]
    return found


def test_the_command_publishes_and_the_scheduler_enforces(
    cloud: Cloud,
    by_command: Path,
    scheduler: Callable[..., None],
    half: str,
    boot: Booting,
) -> None:
    """What the reserve can take is admitted, and not what is more."""
    zones = {z.name: z for z in published.load(by_command.read_text()).zones}
    (reserve,) = zones["nfs-a"].reserve
    assert (reserve.name, reserve.free["MEMORY_MB"]) == (RESERVE, RESERVE_MB)
    scheduler("enforce", by_command)
    assert boot(half, "node1") == "node1"
    refused = boot.refused(half, "node1")
    assert said(cloud, refused) == f"{SHORT}0 of 1 have it (too little MEMORY_MB)"
    assert boot(half) in HOSTS[1:], "the other zone has no reserve"


@pytest.fixture
def flagged(cloud: Cloud) -> Iterator[None]:
    """The reserve is under maintenance."""
    made = cloud.aggregate("flagged", {"ha:maintenance": "true"}, [RESERVE])
    yield
    compute = cloud.openstack().compute
    compute.remove_host_from_aggregate(made, RESERVE)
    compute.delete_aggregate(made)


@pytest.mark.usefixtures("flagged")
def test_the_active_trigger_publishes(
    cloud: Cloud,
    bmcs: redfish.Bmcs,
    scheduler: Callable[..., None],
    flavor: str,
    boot: Booting,
    tmp_path: Path,
) -> None:
    """As soon as it is active; and again: tests/unit/evacuation."""
    file = tmp_path / "admission.json"
    ours: Conf = {
        "admission": {"publish_interval": 60},
        "ha_scheduler": {"admission_file": file},
    }
    trigger = Trigger(tmp_path, cloud.clouds_yaml, merge(CONF, ours))
    bmcs.fencing_file(trigger.fencing_file)
    with trigger.running():
        cloud.wait("the file", file.exists)
    scheduler("enforce", file)
    assert said(cloud, boot.refused(flavor, "node2")) == (
        f"{SHORT}0 of 0 have it (not {RESERVE}: under maintenance)"
    )


def test_who_could_be_recovered_comes_first(
    by_command: Path, scheduler: Callable[..., None], half: str, boot: Booting
) -> None:
    """In a cloud whose scheduler fills one host after the other."""
    scheduler("audit", by_command)
    assert boot(half, "node1") == boot(half) == "node1"
    scheduler("audit", by_command, admission_weight_multiplier=1000)
    assert boot(half) in HOSTS[1:]
