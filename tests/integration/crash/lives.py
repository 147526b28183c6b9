# SPDX-License-Identifier: Apache-2.0
"""One recovery by several triggers in turn."""

from tests.integration.crash.conftest import (  # isort: skip  (prepares for Nova)
    RESERVE,
    STOPPED,
    Site,
)

from pathlib import Path

from nova_ha_scheduler.journal.history import History, HistoryQuery
from tests.integration.crash.accident import Accident, Call, Point
from tests.lib import rig
from tests.lib.cloud.config import Conf
from tests.lib.waiting import PATIENCE

CONF: Conf = {
    "detection": {"poll_interval": 1},
    # A request that was lost is asked for again after the settle time.
    "evacuation": {"follow_interval": 1, "settle": 5},
    "journal": {"lease_timeout": 1},
}


class Lives:
    """What the triggers that recover a host did to the world.

    :ivar trigger: whose next life it is; may be replaced by one on the same journal.
    :ivar servers: the UUIDs of the host's.
    """

    def __init__(self, site: Site, host: str, folder: Path) -> None:
        self._site, self._host = site, host
        self._servers = site.servers[host]
        self.servers = set(self._servers.values())
        cloud = site.cloud
        self._disks = {uuid: cloud.disk(uuid).read_bytes() for uuid in self.servers}
        self.trigger = rig.Trigger(folder, cloud.clouds_yaml, CONF)
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
            assert accident.happened.wait(PATIENCE), f"{point.name} was never reached"
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
        found = history.recoveries(HistoryQuery(host=self._host))
        states = [record.state.value for record in found]
        assert len(states) <= 1, "one death is one recovery"
        assert states != ["incomplete"], history.servers(HistoryQuery())
        return states == ["recovered"]

    def require_once(self) -> None:
        """Each server was evacuated once, after the power-off, and is as it was."""
        site, host = self._site, self._host
        cloud = site.cloud
        path = f"/os-migrations?migration_type=evacuation&source_compute={host}"
        records = cloud.nova("GET", path).json()["migrations"]
        moved = [record["instance_uuid"] for record in records]
        assert sorted(moved) == sorted(self.servers), "each exactly once"
        assert {server for server, _ in self.evacuations} == set(moved)
        assert {power for _, power in self.evacuations} == {"Off"}
        assert site.bmcs.power(host) == "Off"
        for name, uuid in self._servers.items():
            server = cloud.server(uuid)
            status = "SHUTOFF" if name == STOPPED else "ACTIVE"
            found = server["OS-EXT-SRV-ATTR:host"], server["status"]
            assert found == (RESERVE, status)
            assert cloud.disk(uuid).read_bytes() == self._disks[uuid]
        told = self.trigger.history().servers(HistoryQuery(host=host))
        states = {row.server: row.state.value for row in told}
        assert states == dict.fromkeys(self.servers, "recovered")

    def repair(self) -> None:
        """Whoever comes next leaves the host to the person who works on it."""
        self._site.crossroads.accident = None
        cloud = self._site.cloud
        (service,) = cloud.openstack().compute.services(host=self._host)
        # Not disable_service(), which sends nothing if it is disabled already.
        repair = {"status": "disabled", "disabled_reason": "in repair"}
        assert cloud.nova("PUT", f"/os-services/{service.id}", repair).ok
