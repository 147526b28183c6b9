# SPDX-License-Identifier: Apache-2.0
"""``nova-ha`` in this process, on a journal of its own; no cloud answers it.

A trigger can be beside it: the engine on that journal, in the simulated world.
"""

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from nova_ha_scheduler.evacuation.engine import Engine
from nova_ha_scheduler.journal.database import Database
from nova_ha_scheduler.journal.history import History, HistoryQuery
from nova_ha_scheduler.journal.store import SqlJournal
from nova_ha_scheduler.records.events import Event
from nova_ha_scheduler.service.startup import load
from nova_ha_scheduler.simulation.runner import Simulation
from tests.lib import ports
from tests.lib.simulation import scenario
from tests.unit import commandline
from tests.unit.commandline import Answer


@dataclass
class Site:
    """:ivar run: the command line, in this process."""

    run: Callable[..., Answer]
    conf: Path
    journal: SqlJournal
    database: Database

    def json(self, *arguments: str) -> Any:
        return self.run(*arguments, "-f", "json").json

    def events(self) -> list[Event]:
        """Oldest first."""
        found = History(self.database).events(HistoryQuery(limit=None))
        return [event for _, event in reversed(found)]


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    # keystoneauth's options in [cloud] would stay in this process for other tests.
    login = dict.fromkeys(("username", "password", "project_name"), "u")
    login["auth_url"] = f"http://127.0.0.1:{ports.free_port()}/v3"
    clouds = tmp_path / "clouds.yaml"
    clouds.write_text(json.dumps({"clouds": {"silent": {"auth": login}}}))
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(clouds))
    conf = tmp_path / "nova-ha.conf"
    conf.write_text(
        f"[database]\nconnection = sqlite:///{tmp_path}/journal.sqlite\n"
        "[cloud]\nname = silent\n"
    )
    database = Database(load("test", [f"--config-file={conf}"]))
    database.upgrade()

    def run(*arguments: str) -> Answer:
        return commandline.run(f"--config-file={conf}", *arguments)

    yield Site(run, conf, SqlJournal(database, 30), database)
    database.dispose()


Zone = Callable[[str], None]


@pytest.fixture
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[Zone]:
    """Set the local zone of this process."""

    def use(name: str) -> None:
        monkeypatch.setenv("TZ", name)
        time.tzset()

    yield use
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def trigger(site: Site) -> Iterator[Callable[[dict[str, Any], float], None]]:
    """Start one that is active, on a cluster whose node1 fails, some seconds later."""
    ended, threads = threading.Event(), []

    def start(cluster: dict[str, Any], seconds: float) -> None:
        simulation = active(site, cluster)
        simulation.world.cut("node1")
        for _ in range(int(seconds)):
            simulation.tick()

        def work() -> None:
            while not ended.wait(0.02):
                simulation.tick()

        threads.append(threading.Thread(target=work))
        threads[-1].start()

    yield start
    ended.set()
    for thread in threads:
        thread.join()


def active(site: Site, cluster: dict[str, Any]) -> Simulation:
    """A simulated world, and the trigger that is active on the site's journal."""
    simulation = scenario.build(cluster, [])
    _set_to_now(simulation)
    assert site.journal.acquire()
    simulation.engine = Engine(
        simulation.world,
        simulation.clock,
        site.journal,
        simulation.executor,
        simulation.options,
    )
    return simulation


def _set_to_now(simulation: Simulation) -> None:
    """The command line's clock is the real one."""
    world, now = simulation.world, time.time()
    simulation.clock.ahead = world.ahead = world.nova_ahead = now
    for machine in world.machines.values():
        machine.seen_at = now
        machine.host = replace(machine.host, updated_at=now)
