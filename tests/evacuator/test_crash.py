# SPDX-License-Identifier: Apache-2.0
"""kill -9 at any point of a recovery: nobody evacuated too early, twice or never."""

from tests.evacuator.conftest import (  # isort: skip  (prepares for Nova)
    HOSTS,
    RESERVE,
    STOPPED,
    Site,
)

from collections.abc import Iterator
from pathlib import Path

import pytest

from nova_ha_scheduler.journal.history import History, Query
from tests.cloud.config import Conf
from tests.evacuator import rig
from tests.evacuator.accident import Accident, Call, Point
from tests.evacuator.points import POINTS

CONF: Conf = {
    "detection": {"poll_interval": 1},
    # A request that was lost is asked for again after the settle time.
    "evacuation": {"follow_interval": 1, "settle": 5},
    "journal": {"lease_timeout": 1},
}


class Lives:
    """One recovery by several triggers in turn, with what they did to the world."""

    def __init__(self, site: Site, host: str, folder: Path) -> None:
        self._site, self._host = site, host
        self.trigger = rig.Trigger(folder, site.cloud.clouds_yaml, CONF)
        site.bmcs.fencing_file(self.trigger.fencing_file, site.address)
        self.evacuations: list[tuple[str, str]] = []
        """Of each evacuation asked for: the server, and the host's power just then."""

    def _see(self, call: Call) -> None:
        if call.method == "POST" and "evacuate" in call.body:
            server = call.path.split("/")[-2]
            self.evacuations.append((server, self._site.bmcs.power(self._host)))

    def die_at(self, point: Point) -> None:
        """Run the trigger, have the host fail, and kill the trigger at the point."""
        cloud = self._site.cloud
        process = self.trigger.start()
        try:
            process.wait_until("the trigger", lambda: rig.is_active(process))
            accident = Accident(point, process.pid, self._see)
            self._site.crossroads.accident = accident
            cloud.crash(self._host)
            cloud.force_down(self._host)
            assert accident.happened.wait(60), f"{point.name} was never reached"
        finally:
            process.kill()

    def recover(self) -> None:
        """Run the trigger again, on the same journal, until the host is recovered."""
        with self.trigger.running():
            history = self.trigger.history()
            self._site.cloud.wait(
                f"the recovery of {self._host}", lambda: self._ended(history), 120
            )

    def _ended(self, history: History) -> bool:
        found = history.recoveries(Query(host=self._host))
        states = [record.state.value for record in found]
        assert len(states) <= 1, "one death is one recovery"
        assert states != ["incomplete"], history.servers(Query())
        return states == ["recovered"]


@pytest.fixture
def host(point: Point, site: Site) -> Iterator[str]:
    """A host for each point; the next trigger leaves it to the person in repair."""
    host = HOSTS[POINTS.index(point)]
    yield host
    site.crossroads.accident = None
    (service,) = site.cloud.openstack().compute.services(host=host)
    # Not disable_service(), which sends nothing if it is disabled already.
    repair = {"status": "disabled", "disabled_reason": "in repair"}
    assert site.cloud.nova("PUT", f"/os-services/{service.id}", repair).ok


@pytest.mark.parametrize("point", POINTS, ids=lambda point: point.name)
def test_killed_and_started_again(
    site: Site, host: str, point: Point, tmp_path: Path
) -> None:
    cloud, servers = site.cloud, site.servers[host]
    disks = {uuid: cloud.disk(uuid).read_bytes() for uuid in servers.values()}
    assert site.bmcs.power(host) == "On"
    lives = Lives(site, host, tmp_path)
    lives.die_at(point)
    lives.recover()

    path = f"/os-migrations?migration_type=evacuation&source_compute={host}"
    records = cloud.nova("GET", path).json()["migrations"]
    moved = [record["instance_uuid"] for record in records]
    assert sorted(moved) == sorted(servers.values()), "each exactly once"
    assert {server for server, _ in lives.evacuations} == set(moved)
    assert {power for _, power in lives.evacuations} == {"Off"}
    assert site.bmcs.power(host) == "Off"
    for name, uuid in servers.items():
        server = cloud.server(uuid)
        status = "SHUTOFF" if name == STOPPED else "ACTIVE"
        assert (server["OS-EXT-SRV-ATTR:host"], server["status"]) == (RESERVE, status)
        assert cloud.disk(uuid).read_bytes() == disks[uuid]
    told = lives.trigger.history().servers(Query(host=host))
    assert {row.server: row.state.value for row in told} == dict.fromkeys(
        servers.values(), "recovered"
    )
