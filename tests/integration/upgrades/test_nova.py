# SPDX-License-Identifier: Apache-2.0
"""Nova is upgraded from one release to the next while a host is recovered: all of its
processes end, its databases are upgraded, and all start again."""

from tests.integration.crash.conftest import (  # isort: skip  (prepares for Nova)
    RESERVE,
    STOPPED,
    populate,
)

import collections
import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from nova_ha_scheduler.journal.history import History, HistoryQuery
from nova_ha_scheduler.reasons import Reason
from nova_ha_scheduler.records.events import EventKind
from tests.integration.crash.lives import CONF
from tests.integration.upgrades.nova import DIES, HOSTS
from tests.lib import redfish, rig
from tests.lib.cloud.client import Client
from tests.lib.cloud.config import merge
from tests.lib.errors import ProgramError
from tests.lib.processes import Process

TREE = Path(__file__).parents[3]
OLD, NEW = TREE / ".venv-2026.1/bin/python", Path(sys.executable)
VERSIONS = {OLD: "33.", NEW: "34."}


class Cloud(Client):
    """Nova's processes, of one release after the other."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        super().__init__(folder / "cloud/clouds.yaml", folder / "cloud/nova.log")
        self._process: Process | None = None

    def start(self, python: Path, *again: str) -> None:
        """Return when its API answers."""
        if not python.exists():
            raise ProgramError(f"there is no {python}: make environment RELEASE=2026.1")
        log = self._folder / f"nova{python.parts[-3]}.log"
        module = ["-W", "ignore", "-m", "tests.integration.upgrades.nova"]
        command = [str(python), *module, str(self._folder / "cloud"), *again]
        env = {**os.environ, "PYTHONPATH": str(TREE)}
        self._process = Process(command, log, env)

        def said() -> list[str]:
            return [line for line in log.read_text().splitlines() if line[:1] == "{"]

        self._process.wait_until("Nova", lambda: bool(said()), 120)
        found = json.loads(said()[0])
        assert found["version"].startswith(VERSIONS[python])
        self.endpoints = found["endpoints"]

    def crash(self) -> None:
        assert self._process
        os.kill(self._process.pid, signal.SIGUSR1)

    def stop(self) -> None:
        if self._process:
            self.close()
            self._process.stop()
            self._process = None

    def upgrade(self) -> None:
        """As an operator does, with the newer release's nova-manage."""
        bus = self._folder / "bus.conf"
        bus.write_text("[DEFAULT]\ntransport_url = fake:///\nlog_file =\n")
        conf = [f"--config-file={self._folder}/cloud/nova.conf", f"--config-file={bus}"]
        cells = ("nova_cell0", "nova_cell1")
        before = {self._schema(cell) for cell in cells}
        for words in (["api_db", "sync"], ["db", "sync"]):
            command = [str(NEW.with_name("nova-manage")), *conf, *words]
            subprocess.run(command, check=True, timeout=120)
        after = {self._schema(cell) for cell in cells}
        assert len(before) == len(after) == 1
        assert before != after

    def disk(self, uuid: str) -> Path:
        (found,) = self._folder.glob(f"cloud/*/*/{uuid}.disk")
        return found

    def guests(self) -> dict[str, set[str]]:
        """What is defined on each host, where there is anything, after stop()."""
        left = json.loads((self._folder / "cloud/left.json").read_text())
        found = left["guests"].items()
        return {host: {uuid for *_, uuid in guests} for host, guests in found if guests}

    def _schema(self, database: str) -> str:
        connection = sqlite3.connect(self._folder / f"cloud/{database}.sqlite")
        ((found,),) = connection.execute("SELECT version_num FROM alembic_version")
        connection.close()
        return str(found)


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    found = Cloud(tmp_path)
    yield found
    found.stop()


class Person:
    """Does what docs/runbook.md says of an evacuation that takes long, as its
    destination's nova-compute was started again in the middle."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self.reset: list[str] = []

    def sees_the_end(self, history: History) -> bool:
        for server in history.servers(HistoryQuery()):
            slow = server.reason is Reason.SLOW and not server.state.final
            if slow and server.server not in self.reset:
                self._reset(server.server)
        (found,) = history.recoveries(HistoryQuery())
        return found.state.value == "recovered"

    def _reset(self, server: str) -> None:
        action = {"os-resetState": {"state": "error"}}
        assert self._cloud.nova("POST", f"/servers/{server}/action", action).ok
        self.reset.append(server)


def told(history: History) -> list[EventKind]:
    return [event.kind for _, event in history.events(HistoryQuery(limit=None))]


def landed(history: History) -> int:
    servers = history.servers(HistoryQuery())
    return sum(server.landed_at is not None for server in servers)


def moving(history: History) -> int:
    servers = history.servers(HistoryQuery())
    return sum(s.moving_at is not None and s.landed_at is None for s in servers)


@dataclass(frozen=True)
class Middle:
    """When Nova ends.

    :ivar at_once: evacuations under way at most.
    :ivar lost: how many Nova works on then, at most: one may land just before.
    """

    name: str
    at_once: int
    lost: int
    reached: Callable[[History], bool]


MIDDLES = [
    Middle(
        "some landed, one on its way",
        1,
        1,
        lambda history: landed(history) >= 1 and moving(history) == 1,
    ),
    Middle("all on their way", 40, 3, lambda history: moving(history) == 3),
]


@pytest.mark.parametrize("middle", MIDDLES, ids=lambda middle: middle.name)
def test_nova_is_upgraded_in_the_middle(
    cloud: Cloud, middle: Middle, tmp_path: Path
) -> None:
    cloud.start(OLD)
    servers = populate(cloud, [DIES])[DIES]
    disks = {uuid: cloud.disk(uuid).read_bytes() for uuid in servers.values()}
    evacuation = {"max_in_flight": middle.at_once, "slow_after": 20}
    conf = merge(CONF, {"evacuation": evacuation})
    trigger = rig.Trigger(tmp_path, cloud.clouds_yaml, conf)
    with redfish.bmcs(tmp_path, HOSTS) as bmcs:
        bmcs.fencing_file(trigger.fencing_file)
        with trigger.running():
            history = trigger.history()
            cloud.crash()
            cloud.force_down(DIES)
            cloud.wait("the middle", lambda: middle.reached(history))
            cloud.stop()
            cloud.wait("that it is seen", lambda: EventKind.BLIND in told(history))
            cloud.upgrade()
            cloud.start(NEW, "again")
            person = Person(cloud)
            cloud.wait("the recovery", lambda: person.sees_the_end(history))

    lost = collections.Counter(person.reset)
    assert 1 <= len(lost) <= middle.lost
    records = cloud.nova("GET", "/os-migrations").json()["migrations"]
    tries = collections.Counter(record["instance_uuid"] for record in records)
    assert tries == collections.Counter(servers.values()) + lost
    done = [r["instance_uuid"] for r in records if r["status"] == "done"]
    assert sorted(done) == sorted(servers.values())
    for name, uuid in servers.items():
        server = cloud.server(uuid)
        status = "SHUTOFF" if name == STOPPED else "ACTIVE"
        assert (server["OS-EXT-SRV-ATTR:host"], server["status"]) == (RESERVE, status)
        assert cloud.disk(uuid).read_bytes() == disks[uuid]
    once = collections.Counter(told(history))
    assert once[EventKind.SERVER_RECOVERED] == len(servers)
    assert once[EventKind.HOST_FENCED] == once[EventKind.HOST_RECOVERED] == 1
    assert once[EventKind.BLIND] == once[EventKind.SIGHTED]
    cloud.stop()
    assert cloud.guests() == {DIES: set(disks), RESERVE: set(disks)}
