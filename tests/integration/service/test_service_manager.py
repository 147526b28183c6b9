# SPDX-License-Identifier: Apache-2.0
"""What a service manager hears of the service, through a real notify socket."""

import os
import time
from pathlib import Path

import pytest

from nova_ha_scheduler.service.systemd import Notifier
from tests.integration.service.conftest import Manager, Site
from tests.lib.waiting import PATIENCE

WATCHDOG = ("WATCHDOG", "1")


def test_from_start_to_end(site: Site) -> None:
    """The cloud is away: the service works all the same, and says so."""
    manager, address = site.manager(f"@nova-ha-test-{os.getpid()}")
    service = site.start(address=address)
    service.wait("READY=1", lambda: manager.count("READY"))
    first = next(s for s in manager.heard if "EXTEND_TIMEOUT_USEC" not in s)
    assert "READY" in first
    service.wait("food", lambda: manager.count(*WATCHDOG) > 2)
    trouble = "active; The cloud cannot be seen"
    service.wait("a status", lambda: manager.count("STATUS", trouble))
    assert manager.count("READY") == 1
    service.process.terminate()
    assert service.process.wait(PATIENCE) == 0, service.log
    assert "STOPPING" in manager.heard[-1]


def test_a_standby_is_ready_and_alive(site: Site) -> None:
    site.start().says("This trigger is the active one")
    manager, address = site.manager()
    standby = site.start("standby", address)
    standby.wait("food", lambda: manager.count(*WATCHDOG) > 2)
    assert manager.count("READY") == 1
    assert manager.count("STATUS", "stands by")
    standby.reload()
    standby.wait("the end of a reload", lambda: manager.count("READY") == 2)


def test_a_look_that_hangs_is_not_fed(site: Site) -> None:
    """Threads go on, and so does the process; the loop does not."""
    manager, address = site.manager()
    service = site.start(address=address)
    service.wait("food", lambda: manager.count(*WATCHDOG) > 2)
    site.cloud.silent = True
    service.wait("a look that hangs", lambda: site.cloud.held)
    before = _quiet(manager)
    time.sleep(3)  # three times what the manager waits for
    assert manager.count(*WATCHDOG) == before
    assert service.process.poll() is None


def _quiet(manager: Manager) -> int:
    """How much it was fed by the time at which the loop is surely in the look."""
    time.sleep(1)
    return manager.count(*WATCHDOG)


def test_a_reload_has_a_beginning_and_an_end(site: Site) -> None:
    manager, address = site.manager()
    service = site.start(address=address)
    service.wait("READY=1", lambda: manager.count("READY"))
    began = time.clock_gettime(time.CLOCK_MONOTONIC)
    service.reload()
    service.wait("the end", lambda: manager.count("READY") == 2)
    marks = [s for s in manager.heard if s.keys() & {"RELOADING", "READY"}]
    assert marks[1]["RELOADING"] == "1"
    assert int(marks[1]["MONOTONIC_USEC"]) >= began * 1_000_000


def test_without_a_manager_nothing_is_sent(tmp_path: Path) -> None:
    Notifier({}).ready()
    Notifier({"NOTIFY_SOCKET": str(tmp_path / "gone")}).ready()


@pytest.mark.parametrize(
    ("pid", "usec", "fed"),
    [("", "1000000", 1), (str(os.getpid()), "1", 1), ("1", "1", 0), ("", "x", 0)],
)
def test_whose_watchdog_it_is(tmp_path: Path, pid: str, usec: str, fed: int) -> None:
    manager = Manager(str(tmp_path / "socket"))
    said = {"NOTIFY_SOCKET": str(tmp_path / "socket"), "WATCHDOG_USEC": usec}
    environ = said | ({"WATCHDOG_PID": pid} if pid else {})
    notifier = Notifier(environ)
    assert environ == {}, "those that it starts are not the service"
    notifier.alive()
    notifier.stopping()
    end = time.monotonic() + 10
    while not manager.count("STOPPING") and time.monotonic() < end:
        time.sleep(0.01)
    manager.close()
    assert manager.count(*WATCHDOG) == fed
