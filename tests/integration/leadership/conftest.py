# SPDX-License-Identifier: Apache-2.0
"""Several triggers on one journal, with a backend that says who is next."""

from tests.lib.cloud import stubs as _  # isort: skip  # noqa: F401  (prepares for Nova)

import json
import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from nova_ha_scheduler.journal import tables
from nova_ha_scheduler.journal.database import Database
from nova_ha_scheduler.journal.history import History, HistoryQuery
from nova_ha_scheduler.journal.store import SqlJournal
from nova_ha_scheduler.records.commands import Command, CommandKind
from nova_ha_scheduler.service import startup
from tests.integration.journal.conftest import mariadb, short_folder  # noqa: F401  (fixtures)
from tests.lib.backends import Backend
from tests.lib.processes import Process
from tests.lib.recorder import Nova, Recorder
from tests.lib.waiting import wait

LEASE = 2
"""Seconds; tests that must not wait for it take more."""

DEAD = [f"dead{n}" for n in range(6)]
ALIVE = ["alive1", "alive2"]

CONF = """
[cloud]
auth_type = password
auth_url = {address}
username = admin
password = any
project_name = demo
user_domain_id = default
project_domain_id = default
timeout = 2
[database]
connection = {database}
max_retries = 0
[fencing]
config_file = {fencing}
[detection]
poll_interval = 0.5
[evacuation]
follow_interval = 0.5
settle = 5
workers = 1
device_check_interval = 0
[journal]
lease_timeout = {lease}
[coordination]
backend_url = {backend}
[health]
directory = {health}
"""


class Site:
    """Triggers by name, the journal that they share, and the cloud that records."""

    def __init__(self, folder: Path, database: str) -> None:
        self.cloud = Recorder(Nova(DEAD, ALIVE))
        self._folder, self._database = folder, database
        self._fencing = folder / "fencing.yaml"
        self._fencing.touch(0o600)
        hosts = {host: {"method": "manual"} for host in DEAD + ALIVE}
        self._fencing.write_text(json.dumps({"hosts": hosts}))
        self.triggers: dict[str, Process] = {}
        self.more: dict[str, str] = {}
        """What stands at the end of a trigger's [health], by its name."""
        self._read: Database | None = None

    def conf(self, name: str, backend: Backend, lease: float = LEASE) -> Path:
        path = self._folder / f"{name}.conf"
        path.write_text(
            CONF.format(
                address=self.cloud.front(name),
                database=self._database,
                fencing=self._fencing,
                lease=lease,
                backend=backend.url,
                health=self._health(name),
            )
            + self.more.get(name, "")
        )
        return path

    def _health(self, name: str) -> Path:
        """Where this trigger writes health.json: each has a machine of its own."""
        folder = self._folder / f"run-{name}"
        folder.mkdir(exist_ok=True)
        return folder

    def start(
        self,
        name: str,
        backend: Backend,
        lease: float = LEASE,
        within: Sequence[str] = (),
    ) -> Process:
        """:param within: a command that becomes the one that is added to it."""
        conf = self.conf(name, backend, lease)
        program = Path(sys.executable).with_name("nova-ha-evacuator")
        env = {**os.environ, "PYTHONWARNINGS": "ignore"}
        log = self._folder / f"{name}.log"
        command = [*within, str(program), f"--config-file={conf}"]
        process = self.triggers[name] = Process(command, log, env)
        if self._read is None and not within:
            found = startup.load("test", [f"--config-file={conf}"])
            self._read = Database(found)
        return process

    def start_leader(self, name: str, backend: Backend, lease: float = LEASE) -> None:
        process = self.start(name, backend, lease)
        process.wait_until(name, lambda: self.leads(name))

    def start_follower(self, name: str, backend: Backend, lease: float = LEASE) -> None:
        """It waits; what it says at its start is behind it."""
        self.start(name, backend, lease)
        wait("a second trigger", lambda: "stands by" in self.log(name))

    def log(self, name: str) -> str:
        return (self._folder / f"{name}.log").read_text(errors="replace")

    def leads(self, name: str) -> bool:
        return "This trigger is the active one" in self.log(name)

    def signal(self, name: str, number: int) -> None:
        os.kill(self.triggers[name].pid, number)

    @property
    def database(self) -> Database:
        assert self._read is not None
        return self._read

    def confirm(self, *hosts: str) -> None:
        """Somebody says of dead hosts, or of all, that they are off: two effects a
        host."""
        journal, now = SqlJournal(self.database), time.time()
        for host in hosts or DEAD:
            kind = CommandKind.CONFIRM_FENCED
            order = Command(host, kind, host, "me", "I saw it", now, now + 600)
            journal.add_commands([order])

    def all_recovered(self) -> bool:
        found = History(self.database).recoveries(HistoryQuery(limit=None))
        return [r.state.value for r in found] == ["recovered"] * len(DEAD)

    def contents(self) -> dict[str, Any]:
        """All that the journal holds, but the lease's number, and what the active
        trigger says of itself every few seconds."""
        found: dict[str, Any] = {}
        with self.database.read() as connection:
            for table in tables.metadata.sorted_tables:
                rows = connection.execute(sa.select(table)).mappings().all()
                rows = [row for row in rows if row.get("name") != "report"]
                found[table.name] = sorted(
                    json.dumps(
                        {k: v for k, v in row.items() if k != "beat"}, default=repr
                    )
                    for row in rows
                )
        return found

    def close(self) -> None:
        for process in self.triggers.values():
            os.kill(process.pid, signal.SIGCONT) if process.alive else None
            process.stop()
        if self._read:
            self._read.dispose()
        self.cloud.stop()


@pytest.fixture(params=["sqlite", "mariadb"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/journal.sqlite"
    base: str = request.getfixturevalue("mariadb")
    engine = sa.create_engine(f"{base}/")
    with engine.begin() as connection:
        connection.execute(sa.text("DROP DATABASE IF EXISTS leadership"))
        connection.execute(sa.text("CREATE DATABASE leadership"))
    engine.dispose()
    return f"{base}/leadership"


@pytest.fixture
def site(tmp_path: Path, database: str) -> Iterator[Site]:
    found = Site(tmp_path, database)
    yield found
    found.close()
