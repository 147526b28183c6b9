# SPDX-License-Identifier: Apache-2.0
"""A loop that stands still keeps neither the lease nor the process."""

import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from oslo_config import cfg

from nova_ha_scheduler.clock import SystemClock
from nova_ha_scheduler.cluster import conf as cluster_conf
from nova_ha_scheduler.health.troubles import Troubles
from nova_ha_scheduler.journal.database import Database
from nova_ha_scheduler.journal.store import SqlJournal
from nova_ha_scheduler.service import startup
from nova_ha_scheduler.service.leader.leadership import Leadership, patience
from nova_ha_scheduler.service.leader.lock import Lock
from tests.integration.service.conftest import Site
from tests.lib import backends
from tests.lib.waiting import PATIENCE, wait


def conf(tmp_path: Path, more: str = "") -> cfg.ConfigOpts:
    path = tmp_path / "nova-ha.conf"
    path.write_text(
        f"[database]\nconnection = sqlite:///{tmp_path}/journal\n"
        f"[journal]\nlease_timeout = 0.5\n{more}"
    )
    return startup.load("test", [f"--config-file={path}"])


def trigger(
    found: cfg.ConfigOpts, patience: float, stuck: Callable[[], None] = lambda: None
) -> Leadership:
    database = Database(found)
    database.upgrade()
    journal = SqlJournal(database, found.journal.lease_timeout)
    more: Any = (SystemClock(), Troubles(), patience, stuck)
    return Leadership(found, journal, *more)


def test_another_one_takes_over(tmp_path: Path) -> None:
    """The thread that renews the lease lives on; the loop does not come round."""
    found = conf(tmp_path)
    died = threading.Event()
    first = trigger(found, 1.0, died.set)
    assert first.acquire()
    first.start()
    second = trigger(found, 60.0)
    try:
        assert not second.acquire()
        tries = 0
        while not second.acquire():
            tries += 1
            assert tries < 300
        assert died.wait(PATIENCE), "it ends itself, too"
    finally:
        first.stop()
        second.release()


@pytest.mark.parametrize("kind", ["etcd", "redis"])
def test_it_lets_the_lock_go_too(tmp_path: Path, kind: str) -> None:
    """Else who takes over is not the one who is next, and waits for twice as long; and
    whoever is next after that one has no lock to tell it."""
    with backends.running(kind, tmp_path / "backend") as backend:
        found = conf(tmp_path, f"[coordination]\nbackend_url = {backend.url}\n")
        first, second = trigger(found, 1.0), trigger(found, 60.0)
        held, next_one = _lock(first), _lock(second)
        first.start()
        try:
            wait("the lead", lambda: first.progress() or held.held)
            wait("the lead", first.acquire)
            second.start()
            wait("the lead", lambda: next_one.held)
            assert not held.held
            wait("the lead", second.acquire)
            assert not first._journal.active
            second.release()
            # Who goes on is next again.
            wait("the lead", lambda: first.progress() or held.held)
        finally:
            first.release()
            second.stop()


def test_but_not_the_kernels(tmp_path: Path) -> None:
    """Who gets that one need not wait for the lease, which may be young yet."""
    found = conf(tmp_path, f"[coordination]\nbackend_url = file://{tmp_path}/locks\n")
    first, second = trigger(found, 1.0), trigger(found, 60.0)
    first.start()
    try:
        wait("the lead", lambda: first.progress() or _lock(first).held)
        wait("the lead", first.acquire)
        second.start()
        wait("the lead", second.acquire)
        assert not first._journal.active
        assert _lock(first).held
        assert not _lock(second).held
    finally:
        first.release()
        second.release()


def _lock(of: Leadership) -> Lock:
    assert of._lock is not None
    return of._lock


def test_a_loop_that_goes_round_keeps_it(tmp_path: Path) -> None:
    found = conf(tmp_path)
    first = trigger(found, 1.0)
    assert first.acquire()
    first.start()
    second = trigger(found, 60.0)
    try:
        for _ in range(30):  # three seconds: each try waits for a fifth of the lease
            first.progress()
            assert not second.acquire()
    finally:
        first.release()


def test_a_slow_look_is_none(tmp_path: Path) -> None:
    """Some requests of one look may each take as long as one may."""
    found = conf(tmp_path)
    cluster_conf.register_login(found)
    assert patience(found) == 180
    found.set_override("timeout", 10, group="cloud")
    assert patience(found) == 30


def test_sigterm_ends_it_whatever_hangs(site: Site, tmp_path: Path) -> None:
    """It leaves the lease to others, too."""
    service = site.start()
    service.says("This trigger is the active one")
    site.cloud.silent = True
    service.wait("a look that hangs", lambda: site.cloud.held)
    service.process.terminate()
    assert service.process.wait(PATIENCE) == 0, service.log
    assert "These threads did not end in time: " in service.log
    with sqlite3.connect(tmp_path / "journal.sqlite") as journal:
        query = "SELECT owner FROM single WHERE name = 'lease'"
        assert journal.execute(query).fetchone() == ("",)
