# SPDX-License-Identifier: Apache-2.0
"""What is told follows what happens, within a second; and nothing that it is made of,
or asked by, holds it up."""

import contextlib
import json
import shutil
import socket
import ssl
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from nova_ha_scheduler import receivers
from nova_ha_scheduler.clock import SystemClock
from nova_ha_scheduler.fencing.config import FenceDevices
from nova_ha_scheduler.health.problems import Code
from nova_ha_scheduler.health.troubles import Trouble, Troubles
from nova_ha_scheduler.journal import JournalError
from nova_ha_scheduler.journal.database import Database
from nova_ha_scheduler.journal.history import History
from nova_ha_scheduler.journal.outbox import Outbox, of_receiver
from nova_ha_scheduler.journal.store import SqlJournal
from nova_ha_scheduler.records.events import Event, EventKind
from nova_ha_scheduler.records.state import Change
from nova_ha_scheduler.service import capacity_figures
from nova_ha_scheduler.service import conf as trigger_conf
from nova_ha_scheduler.service.capacity_figures import (
    CapacityFigures,
    ZoneFigures,
)
from nova_ha_scheduler.service.health_writer import Writer
from nova_ha_scheduler.service.monitoring import monitor as module
from nova_ha_scheduler.service.monitoring.monitor import Monitor
from nova_ha_scheduler.service.monitoring.server import WebPlace
from nova_ha_scheduler.service.startup import load
from tests.lib import certificates, ports
from tests.lib.simulation import scenario
from tests.lib.waiting import wait
from tests.unit.service.monitoring.conftest import CLUSTER


class Site:
    """A trigger's monitor on a journal of its own, and another trigger's journal."""

    def __init__(self, folder: Path, more: str = "") -> None:
        self.folder, self.port = folder, ports.free_port()
        file = folder / "nova-ha.conf"
        file.write_text(
            f"[database]\nconnection = sqlite:///{folder}/journal.sqlite\n"
            f"[health]\ndirectory =\nport = {self.port}\ncapacity_interval = 0\n{more}"
        )
        conf = load("test", [f"--config-file={file}"])
        self.database = Database(conf)
        self.database.upgrade()
        self.troubles, self.clock = Troubles(), SystemClock()
        parts: Any = SimpleNamespace(
            conf=conf,
            options=trigger_conf.options(conf),
            fencing=FenceDevices("fencing.yaml", {}),
            database=self.database,
            receivers=receivers.named(conf),
            only=(),
        )
        self.journal = SqlJournal(self.database)
        known = parts, self.journal, self.clock, self.troubles
        self.writer = Writer(*known, patience=60.0)
        place = WebPlace.of(conf)
        assert place is not None
        self.monitor = Monitor(
            *(place, parts, self.journal, self.clock, self.troubles),
            *(self.writer.report, 60.0),
        )
        self.simulation = scenario.build(CLUSTER, [])
        self.monitor.start()

    def lead(self) -> None:
        assert self.journal.acquire()
        assert self.simulation.engine is not None
        self.simulation.engine.step()
        self.writer.lead(self.simulation.engine)
        self.monitor.lead(self.simulation.engine)

    def tell(self, *kinds: EventKind) -> None:
        events = (Event(kind, time.time(), host="node1") for kind in kinds)
        self.journal.commit(Change(events=tuple(events)))

    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.monitor.pages.ready.status)
        return found or {}

    def metric(self, name: str) -> float | None:
        for line in self.monitor.pages.ready.metrics.decode().splitlines():
            if line.startswith(f"{name} "):
                return float(line.split()[-1])
        return None

    def standing(self, trouble: Trouble) -> str | None:
        found = {each: words for each, _, words in self.troubles.standing()}
        return found.get(trouble)

    def close(self) -> None:
        self.monitor.stop()
        self.database.dispose()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    found = Site(tmp_path)
    yield found
    found.close()


def counted(kind: str) -> str:
    return f'nova_ha_events_total{{kind="{kind}"}}'


def test_the_active_trigger(site: Site) -> None:
    site.lead()
    wait("its word", lambda: site.metric("nova_ha_active") == 1)
    assert site.metric("nova_ha_protected_hosts") == 5
    assert site.status()["active"]
    assert site.status()["trigger"] == site.journal.owner
    assert site.monitor.pages.ready.answers.code is Code.PROTECTED
    with urllib.request.urlopen(f"http://127.0.0.1:{site.port}/metrics") as answer:
        assert b"nova_ha_active 1.0" in answer.read()


def test_one_that_stands_by(site: Site) -> None:
    other = SqlJournal(site.database)
    assert other.acquire()
    wait("its word", lambda: site.status().get("active_trigger") == other.owner)
    assert site.metric("nova_ha_active") == 0
    assert site.metric("nova_ha_last_look_timestamp_seconds") is None
    assert site.status()["health"]["state"] == "cannot_tell"  # no report yet
    other.put_report(site.writer.report(site.simulation.engine, time.time()), True)
    wait("its word", lambda: site.metric("nova_ha_health") != 3)
    other.commit(Change(events=(Event(EventKind.BLIND, time.time()),)))
    wait("its word", lambda: site.status()["events"])
    assert site.metric(counted("detector.blind")) == 0  # the other one counts it


def test_events_are_shown_and_counted_once(site: Site) -> None:
    site.lead()
    wait("its word", lambda: site.metric("nova_ha_active") == 1)
    site.tell(EventKind.BLIND)
    told_at = time.monotonic()
    wait("its word", lambda: site.metric(counted("detector.blind")) == 1)
    assert time.monotonic() - told_at < 2
    assert site.status()["events"][0]["kind"] == "detector.blind"
    site.tell(*[EventKind.SIGHTED] * 700)
    wait("its word", lambda: site.metric(counted("detector.sighted")) == 700)
    assert len(site.status()["events"]) == 20
    numbers = [event["number"] for event in site.status()["events"]]
    assert numbers == sorted(numbers, reverse=True)


def test_what_is_older_than_the_process_is_shown_and_not_counted(
    tmp_path: Path,
) -> None:
    first = Site(tmp_path)
    first.lead()
    first.tell(EventKind.BLIND)
    first.journal.release()
    first.close()
    second = Site(tmp_path)
    second.lead()
    second.tell(EventKind.SIGHTED)
    wait("its word", lambda: second.metric(counted("detector.sighted")) == 1)
    assert second.metric(counted("detector.blind")) == 0
    assert [e["kind"] for e in second.status()["events"]][-1] == "detector.blind"
    second.close()


def test_a_trigger_that_has_lost_the_journal_is_not_active(site: Site) -> None:
    site.lead()
    wait("its word", lambda: site.metric("nova_ha_active") == 1)
    site.journal._renewed_at -= 60
    wait("its word", lambda: site.metric("nova_ha_active") == 0)


def test_a_journal_that_cannot_be_read(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise JournalError("the journal's database failed: gone")

    monkeypatch.setattr(SqlJournal, "load", fails)
    wait("its word", lambda: "gone" in site.status().get("health", {}).get("line", ""))
    assert site.monitor.pages.ready.answers.code is Code.CANNOT_TELL


def test_a_journal_that_hangs(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was read is not believed for ever, and the active one goes on."""
    wait("its word", lambda: site.status())
    monkeypatch.setattr(module, "_STALE", 1.0)
    monkeypatch.setattr(History, "after", lambda *_: time.sleep(20) or [])
    wait("its word", lambda: "was last read" in site.status()["health"]["line"])
    site.lead()
    wait("its word", lambda: site.metric("nova_ha_active") == 1)
    before = site.status()["as_of"]
    wait("its word", lambda: site.status()["as_of"] > before)


def test_a_loop_that_stands_still(site: Site) -> None:
    site.lead()
    wait("its word", lambda: site.metric("nova_ha_alive") == 1)
    site.monitor._came_round_at -= 61
    wait("its word", lambda: site.metric("nova_ha_alive") == 0)
    assert not site.monitor.pages.ready.answers.alive
    site.monitor.came_round()
    wait("its word", lambda: site.metric("nova_ha_alive") == 1)


def test_a_port_that_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The trigger goes on, says so by the option's name, and tries again."""
    monkeypatch.setattr(module, "_RETRY", 0.2)
    taken = socket.create_server(("127.0.0.1", 0))
    monkeypatch.setattr(ports, "free_port", lambda: taken.getsockname()[1])
    site = Site(tmp_path)
    words = wait("its word", lambda: site.standing(Trouble.MONITORING))
    assert words.startswith(f"[health] port {site.port} of 127.0.0.1: Address already")
    site.lead()
    wait("its word", lambda: site.metric("nova_ha_active") == 1)
    kinds = [problem["kind"] for problem in site.status()["problems"]]
    assert kinds == ["trouble"]
    taken.close()
    wait("its word", lambda: not site.standing(Trouble.MONITORING))
    assert ports.listens(site.port)
    site.close()


def test_a_certificate_is_renewed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_RETRY", 0.2)
    cert, key = certificates.made(tmp_path)
    site = Site(tmp_path, f"cert_file = {cert}\nkey_file = {key}\n")
    wait("its word", lambda: serves(site) == cert.read_text())
    first = cert.read_text()
    cert.write_text("broken")
    wait("its word", lambda: "cert_file" in (site.standing(Trouble.MONITORING) or ""))
    assert serves(site) == first
    newer, its_key = certificates.made(tmp_path, "newer")
    shutil.copy(its_key, key)
    shutil.copy(newer, cert)
    wait("its word", lambda: serves(site) == newer.read_text())
    wait("its word", lambda: not site.standing(Trouble.MONITORING))
    site.close()


def serves(site: Site) -> str | None:
    """Its certificate."""
    with contextlib.suppress(OSError):
        return ssl.get_server_certificate(("127.0.0.1", site.port))
    return None


def test_figures_come_from_a_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    figures = CapacityFigures(1000.0, (ZoneFigures("nfs-a", 5, 2),))
    print_ = f"print({capacity_figures.dump(figures)!r})"
    asked: list[object] = []

    def command(*said: object) -> list[str]:
        asked.append(said[1:])
        return [sys.executable, "-c", print_]

    monkeypatch.setattr(module.publisher, "command", command)
    site = Site(tmp_path)
    site.monitor._parts.conf.set_override("capacity_interval", 60, "health")
    site.lead()
    (zone,) = wait("its word", lambda: site.status().get("zones"))
    assert (zone["tolerated"], site.status()["capacity_as_of"]) == (2, 1000.0)
    assert asked == [("--capacity",)]
    site.monitor.lead(None)
    wait("its word", lambda: not site.status()["zones"])
    site.close()


MAIL = """[messages]
receivers = mail
[receiver_mail]
type = smtp
host = 127.0.0.1
sender = a@example.org
recipients = b@example.org
kinds = detector.*
"""


def test_events_that_wait_to_be_sent(tmp_path: Path) -> None:
    """Of the kinds that the receiver is told of, and from the time on when it began."""
    site = Site(tmp_path, MAIL)
    site.lead()
    site.tell(EventKind.BLIND)
    waiting = 'nova_ha_outbox_pending{receiver="mail"}'
    wait("its word", lambda: site.metric(waiting) == 0)
    box = Outbox(site.database, of_receiver("mail"), [EventKind.BLIND])
    box.begin()
    site.tell(EventKind.HOST_FENCED, EventKind.BLIND, EventKind.BLIND)
    wait("its word", lambda: site.metric(waiting) == 2)
    box.sent(box.pending()[0][0])
    wait("its word", lambda: site.metric(waiting) == 1)
    site.close()
