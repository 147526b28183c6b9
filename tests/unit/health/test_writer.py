# SPDX-License-Identifier: Apache-2.0
"""When the report is written, and what becomes of it when writing fails."""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from nova_ha_scheduler.fencing.config import FenceDevices
from nova_ha_scheduler.health import file
from nova_ha_scheduler.health.report import Report
from nova_ha_scheduler.health.troubles import Trouble, Troubles
from nova_ha_scheduler.journal import JournalError, NotActive
from nova_ha_scheduler.journal.database import Database
from nova_ha_scheduler.journal.store import SqlJournal
from nova_ha_scheduler.service import conf as trigger_conf
from nova_ha_scheduler.service.health_writer import Writer
from nova_ha_scheduler.service.startup import load
from tests.lib import aged
from tests.lib.simulation import scenario


class Site:
    """A trigger's writer on a journal of its own; the clock goes when it is told to."""

    def __init__(self, folder: Path, only: tuple[str, ...] = ()) -> None:
        text = f"[database]\nconnection = sqlite:///{folder}/journal.sqlite\n"
        conf_file = folder / "nova-ha.conf"
        conf_file.write_text(f"{text}[health]\ndirectory = {folder}\n")
        conf = load("test", [f"--config-file={conf_file}"])
        self.database = Database(conf)
        self.database.upgrade()
        self.folder, self.at = folder, time.time()
        self.journal = SqlJournal(self.database, 15.0)
        self.troubles = Troubles()
        fencing = FenceDevices("fencing.yaml", {})
        options = trigger_conf.options(conf)
        parts: Any = SimpleNamespace(
            conf=conf, options=options, fencing=fencing, only=only
        )
        clock: Any = SimpleNamespace(now=lambda: self.at)
        self.writer = Writer(parts, self.journal, clock, self.troubles, 50.0)
        cluster = {"hosts": {"node1..node3": {"zone": "nfs-a"}}}
        self.engine = scenario.build(cluster, []).engine
        assert self.engine is not None
        self.engine.step()
        self.written: list[tuple[Report, bool]] = []

        def put(report: Report, alive: bool) -> None:
            self.written.append((report, alive))
            SqlJournal.put_report(self.journal, report, alive)

        self.journal.put_report = put  # type: ignore[method-assign]

    def lead(self) -> None:
        assert self.journal.acquire()
        self.writer.lead(self.engine)

    def after(self, seconds: float, steps: bool = True) -> None:
        """So much later, a step has ended, or not, and it is time to write."""
        self.at += seconds
        if steps:
            self.writer.stepped()
        self.writer._write()

    def told(self) -> dict[str, Any]:
        return file.read(self.folder / file.NAME, self.at)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    found = Site(tmp_path)
    yield found
    found.database.dispose()


def test_quiet_times_are_cheap(site: Site) -> None:
    site.lead()
    for _ in range(100):
        site.after(0.5)
    assert len(site.written) == 17
    assert all(alive for _, alive in site.written)
    assert {report.patience for report, _ in site.written} == {50.0}
    assert site.told()["code"] == 0


def test_what_is_new_is_written_at_once(site: Site) -> None:
    site.lead()
    site.after(0.5)
    site.troubles.begins(Trouble.SENDER, "the broker is away, since 10 s")
    site.after(0.5)
    site.troubles.begins(Trouble.SENDER, "the broker is away, since 11 s")
    site.after(0.5)
    assert [len(report.troubles) for report, _ in site.written] == [0, 1]
    assert site.told()["problems"][0]["kind"] == "trouble"


def test_a_step_that_is_stuck_does_not_keep_the_lease(site: Site) -> None:
    site.lead()
    site.after(0.5)
    site.after(61, steps=False)
    assert [alive for _, alive in site.written] == [True, False]
    assert site.told()["problems"][0]["kind"] == "trigger_stuck"
    site.after(0.5)
    site.after(5)
    assert site.written[-1][1]
    assert site.told()["code"] == 0


def test_a_journal_that_fails(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.lead()
    site.after(0.5)

    def fails(*_: object) -> None:
        raise JournalError("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(site.journal, "put_report", fails)
        site.after(5)
        site.after(0.5)
        (kind,) = [problem["kind"] for problem in site.told()["problems"]]
        assert (kind, site.told()["code"]) == ("journal", 2)
    site.after(5)
    site.after(0.5)
    assert site.told()["code"] == 0


def test_another_trigger_has_taken_over(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.lead()

    def fails(*_: object) -> None:
        raise NotActive("another trigger is active")

    monkeypatch.setattr(site.journal, "put_report", fails)
    site.after(5)
    assert site.troubles.standing() == []


def test_who_stands_by_judges_what_the_active_one_wrote(site: Site) -> None:
    other = SqlJournal(site.database, 15.0)
    assert other.acquire()
    other.put_report(Report(other.owner, site.at, 15, 15, site.at, protected=9), True)
    site.after(5)
    assert site.told()["line"] == f"PROTECTED: 9 hosts, by {other.owner}"
    aged.report(site.database, 16)
    site.after(16)
    assert site.told()["problems"][0]["kind"] == "trigger_silent"
    assert site.written == []


def test_one_for_one_host_writes_no_file(tmp_path: Path) -> None:
    """It is not the trigger of this machine, and may run as anybody."""
    site = Site(tmp_path, only=("c1",))
    site.lead()
    site.after(5)
    assert site.written[0][0].only == ("c1",)
    assert file.NAME not in os.listdir(tmp_path)
    site.database.dispose()
