# SPDX-License-Identifier: Apache-2.0
"""A journal that an older version has left in the middle of a recovery (see keep.py),
and how this version ends it, in the simulated cloud.

``make upgrades`` does the same between real processes.
"""

import collections
import sqlite3
import time
from dataclasses import replace
from pathlib import Path

import pytest

from nova_ha_scheduler.evacuation import engine
from nova_ha_scheduler.evacuation.decisions import Decision
from nova_ha_scheduler.journal import JournalError, schema
from nova_ha_scheduler.journal.database import Database
from nova_ha_scheduler.journal.history import History, HistoryQuery
from nova_ha_scheduler.journal.kept_decisions import Decisions
from nova_ha_scheduler.journal.store import SqlJournal
from nova_ha_scheduler.records.events import EventKind
from nova_ha_scheduler.records.maintenance_window import WindowState
from nova_ha_scheduler.records.server_recovery import ServerState
from nova_ha_scheduler.records.state import Change
from nova_ha_scheduler.service import startup
from nova_ha_scheduler.simulation import cloud
from nova_ha_scheduler.simulation.journal import KeptJournal
from nova_ha_scheduler.simulation.machines import Nova
from nova_ha_scheduler.simulation.runner import Simulation

KEPT = Path(__file__).with_name("old.sql")
DEAD = "node1"


@pytest.fixture
def database(tmp_path: Path) -> Database:
    """What the older version has left, upgraded."""
    connection = sqlite3.connect(tmp_path / "journal.sqlite")
    connection.executescript(KEPT.read_text())
    connection.close()
    conf = tmp_path / "nova-ha.conf"
    conf.write_text(f"[database]\nconnection = sqlite:///{tmp_path}/journal.sqlite\n")
    found = Database(startup.load("test", [f"--config-file={conf}"]))
    with found.read() as read:
        assert schema.revision(read) == "004"
    with pytest.raises(JournalError, match="start nova-ha-evacuator, which upgrades"):
        found.check()
    found.upgrade()
    found.check()
    return found


@pytest.fixture
def journal(database: Database) -> SqlJournal:
    found = SqlJournal(database, lease_timeout=0.2)
    while not found.acquire():  # the older one has died with the lease
        time.sleep(0.05)
    return found


def test_its_recovery_is_ended(database: Database, journal: SqlJournal) -> None:
    history = History(database)
    (recovery,) = history.recoveries(HistoryQuery(host=DEAD))
    # The cloud as the older version has seen it, just before it was killed; a server
    # that has moved was seen before.
    *_, earlier, newest = (kept for _, kept in Decisions(database).of(recovery.id))
    picture = newest.seen.picture()
    (moved,) = (record for record in picture.migrations if record.landed)
    arrived = earlier.seen.picture().servers[moved.server]
    servers = {**picture.servers, moved.server: replace(arrived, host="spare")}
    picture = replace(picture, servers=servers)
    world = cloud.world(picture, newest.options, Nova(), lambda line: None)
    world.records = list(picture.migrations)
    left = servers.keys() - {moved.server}

    played = Simulation(world, newest.options, journal=KeptJournal(journal))
    while played.passed < 120:
        played.tick()

    assert world.breaches == []
    asked = [server for server, _ in world.asks]
    assert (sorted(asked), len(left)) == (sorted(left), 2), "each once"
    assert {server.host for server in world.servers.values()} == {"spare"}
    states = {
        server.server: server.state.value for server in history.servers(HistoryQuery())
    }
    assert states == dict.fromkeys(world.servers, "recovered")
    assert [r.state.value for r in history.recoveries(HistoryQuery())] == ["recovered"]
    told = collections.Counter(
        event.kind for _, event in history.events(HistoryQuery(recovery=recovery.id))
    )
    for kind in (EventKind.HOST_FENCED, EventKind.HOST_RECOVERED):
        assert told[kind] == 1
    assert told[EventKind.SERVER_RECOVERED] == 3


def test_its_orders_hold(journal: SqlJournal) -> None:
    state = journal.load(0)
    assert [(p.host, p.reason) for p in state.pauses.values()] == [("node2", "cables")]
    windows = [(w.host, w.state, w.why) for w in state.windows.values()]
    assert windows == [("node3", WindowState.OPEN, "a fan")]


def test_its_decisions_can_be_made_again(database: Database) -> None:
    (recovery,) = History(database).recoveries(HistoryQuery(host=DEAD))
    kept = Decisions(database).of(recovery.id)
    *before, (_, last) = kept
    assert [_known_then(d) == d.change for _, d in before] == [True] * 4
    # That a server has landed is a state of its own since.
    change = _known_then(last)
    landed = {s.key for s in change.servers if s.state is ServerState.LANDED}
    moving = [
        replace(s, state=ServerState.MOVING) if s.key in landed else s
        for s in change.servers
    ]
    assert landed
    assert replace(change, servers=tuple(moving)) == last.change


def _known_then(decision: Decision) -> Change:
    """What is decided today, without the phases, which records have since."""
    change, known = engine.again(decision), decision.known
    hosts = (replace(host, phase=None) for host in change.hosts)
    servers = (replace(server, phase=None) for server in change.servers)
    return replace(
        change,
        hosts=tuple(host for host in hosts if host not in known.hosts),
        servers=tuple(s for s in servers if s not in known.servers),
    )
