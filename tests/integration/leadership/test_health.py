# SPDX-License-Identifier: Apache-2.0
"""``nova-ha health`` beside real triggers: dead, blind, with a host that nothing can
fence; and health.json, for those who may ask nothing else."""

from tests.integration.leadership.conftest import ALIVE, Site  # isort: skip

import json
import shutil
import signal
import stat
import time
from pathlib import Path
from typing import Any

import pytest

from nova_ha_scheduler.health import file
from nova_ha_scheduler.health.troubles import Trouble
from nova_ha_scheduler.journal.history import History, HistoryQuery
from nova_ha_scheduler.journal.store import SqlJournal
from tests.lib.backends import Backend
from tests.lib.recorder import Service
from tests.lib.waiting import wait
from tests.unit import commandline

LEASE = 5
"""Seconds."""


@pytest.fixture
def database(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/journal.sqlite"


@pytest.fixture
def site(site: Site) -> Site:
    site.cloud.nova.services = {host: Service(host, up=True) for host in ALIVE}
    return site


def health(site: Site, name: str = "first") -> dict[str, Any]:
    """What the command says, with its exit code for the code."""
    found, code = said(site, "health", name)
    assert found["code"] == code
    return found


def said(site: Site, command: str, name: str = "first") -> tuple[dict[str, Any], int]:
    conf = site.conf(name, Backend(), LEASE)
    answer = commandline.run(f"--config-file={conf}", command, "-f", "json")
    found: dict[str, Any] = json.loads(answer.out)
    return found, answer.code


def path(tmp_path: Path, name: str = "first") -> Path:
    return tmp_path / f"run-{name}" / file.NAME


def told(tmp_path: Path, name: str = "first") -> dict[str, Any]:
    """What the file says."""
    return file.read(path(tmp_path, name), time.time())


def kinds(found: dict[str, Any]) -> list[str]:
    return [problem["kind"] for problem in found["problems"]]


def test_killed(site: Site, tmp_path: Path) -> None:
    """Its lease names it for ever; its report and its file get old, and nobody takes it
    for active any more."""
    site.start_leader("first", Backend(), LEASE)
    wait("protection", lambda: health(site)["code"] == 0)
    wait("the same in the file", lambda: told(tmp_path)["code"] == 0)
    assert stat.S_IMODE(path(tmp_path).stat().st_mode) == 0o644
    assert health(site)["line"].startswith("PROTECTED: 2 hosts, cloud seen ")
    active, _ = said(site, "status")
    assert active["active_trigger"] == SqlJournal(site.database).holder()
    site.signal("first", signal.SIGKILL)
    killed_at = time.monotonic()
    left = SqlJournal(site.database).report_and_age()
    assert left is not None
    assert left[0].valid == LEASE
    wait("an alarm", lambda: health(site)["code"] == 2)
    assert time.monotonic() - killed_at < 2 * LEASE, "not much later than it ends"
    assert kinds(health(site)) == ["trigger_silent"]
    assert SqlJournal(site.database).holder()
    dead, _ = said(site, "status")
    assert dead["active_trigger"] == "none"
    assert kinds(dead) == ["trigger_silent"]
    wait("the file's end", lambda: told(tmp_path)["code"] == 3)
    assert "the trigger of this machine does not write it" in told(tmp_path)["line"]


def test_one_that_seldom_has_its_turn_is_not_taken_for_dead(
    site: Site, tmp_path: Path
) -> None:
    """As on a busy machine: stopped for half of the lease's time, again and again."""
    site.start_leader("first", Backend(), LEASE)
    wait("protection", lambda: health(site)["code"] == 0)
    for _ in range(5):
        site.signal("first", signal.SIGSTOP)
        end = time.monotonic() + LEASE / 2
        while time.monotonic() < end:
            assert health(site)["code"] == 0
            assert told(tmp_path)["code"] == 0
            time.sleep(0.1)
        site.signal("first", signal.SIGCONT)
        time.sleep(0.5)


def test_who_stands_by_says_it_too(site: Site, tmp_path: Path) -> None:
    """Monitoring of the other machine hears of it, and of the trigger's death."""
    site.start_leader("first", Backend(), LEASE)
    site.start_follower("second", Backend(), LEASE)
    wait("its file", lambda: told(tmp_path, "second")["code"] == 0)
    first = told(tmp_path)["line"].rpartition(", by ")[2]
    assert told(tmp_path, "second")["line"].endswith(f", by {first}")
    site.signal("first", signal.SIGKILL)
    site.triggers["second"].wait_until("second", lambda: site.leads("second"))
    wait("a line of its own", lambda: _well(told(tmp_path, "second"), first))


def _well(found: dict[str, Any], dead: str) -> bool:
    return found["code"] == 0 and not found["line"].endswith(f", by {dead}")


def test_one_life(site: Site, tmp_path: Path) -> None:
    """Whatever stops the protection shows within seconds, until it is over."""
    site.start_leader("first", Backend(), LEASE)
    for happens in (
        _blind,
        _a_host_that_nothing_can_fence,
        _a_directory_that_cannot_be_written,
        _nothing_is_protected,
        _stalled,
    ):
        wait("protection", lambda: told(tmp_path)["code"] == 0)
        assert health(site)["code"] == 0
        happens(site, tmp_path)
    wait("protection", lambda: told(tmp_path)["code"] == 0)
    site.triggers["first"].stop()
    assert kinds(health(site)) == ["no_trigger"]


def _blind(site: Site, tmp_path: Path) -> None:
    site.cloud.faults["compute"] = "503 Service Unavailable"
    wait("an alarm", lambda: told(tmp_path)["code"] == 2)
    found = health(site)
    assert (found["code"], kinds(found)) == (2, ["cloud"])
    assert "503" in found["line"]
    conf = site.conf("first", Backend(), LEASE)
    shown = commandline.run(f"--config-file={conf}", "status", "-f", "json").json
    assert shown["blind_since"][:19] == found["problems"][0]["since"][:19]
    site.cloud.faults.clear()


def _a_host_that_nothing_can_fence(site: Site, tmp_path: Path) -> None:
    """It is told once, and once when it is over; the others are protected."""
    site.cloud.nova.services["new1"] = Service("new1", up=True)
    wait("a word of it", lambda: told(tmp_path)["code"] == 1)
    found = health(site)
    assert (found["code"], kinds(found)) == (1, ["no_method"])
    assert found["problems"][0]["host"] == "new1"
    looks = site.cloud.nova.looks
    wait("more looks", lambda: site.cloud.nova.looks > looks + 3)
    del site.cloud.nova.services["new1"]
    wait("its end", lambda: told(tmp_path)["code"] == 0)
    events = History(site.database).events(HistoryQuery(host="new1", limit=None))
    assert [event.kind.value for _, event in reversed(events)] == [
        "fencing_method.missing",
        "fencing_method.found",
    ]


def _a_directory_that_cannot_be_written(site: Site, tmp_path: Path) -> None:
    """The service goes on, and says so once; who asks the journal hears of it."""
    shutil.rmtree(path(tmp_path).parent)
    what, todo, over = Trouble.HEALTH.value
    wait("a word of it", lambda: what in site.log("first"))
    other = site.conf("other", Backend(), LEASE)
    arguments = (f"--config-file={other}", "health", "-f", "json")
    wait("the journal", lambda: what in commandline.run(*arguments).out)
    path(tmp_path).parent.mkdir()
    wait("its end", lambda: over in site.log("first"))
    (line,) = (line for line in site.log("first").splitlines() if what in line)
    assert f"{path(tmp_path).parent}: No such file or directory. {todo}" in line


def _nothing_is_protected(site: Site, tmp_path: Path) -> None:
    services, site.cloud.nova.services = site.cloud.nova.services, {}
    wait("an alarm", lambda: "nothing_protected" in kinds(told(tmp_path)))
    assert health(site)["code"] == 2
    site.cloud.nova.services = services


def _stalled(site: Site, tmp_path: Path) -> None:
    site.signal("first", signal.SIGSTOP)
    wait("an alarm", lambda: kinds(health(site)) == ["trigger_silent"])
    site.signal("first", signal.SIGCONT)
