# SPDX-License-Identifier: Apache-2.0
"""When a trigger's loop counts as stuck; what it does then is tried on real ones
(tests/integration/service/test_standstill.py, tests/integration/leadership)."""

import threading
from pathlib import Path

import pytest

from nova_ha_scheduler.clock import SystemClock
from nova_ha_scheduler.health.troubles import Troubles
from nova_ha_scheduler.journal.database import Database
from nova_ha_scheduler.journal.store import SqlJournal
from nova_ha_scheduler.service.leader import leadership
from nova_ha_scheduler.service.leader.leadership import Leadership
from nova_ha_scheduler.service.startup import load

PATIENCE = 60.0


class Time:
    """The watchdog's clock, and the waits of that thread.

    :ivar waits: how long each of them takes.
    """

    def __init__(self, *waits: float) -> None:
        self.now, self.waits = 1000.0, list(waits)

    def monotonic(self) -> float:
        return self.now

    def wait(self, seconds: float) -> bool:
        if not self.waits:
            return True
        self.now += self.waits.pop(0)
        return False


@pytest.mark.parametrize(
    ("waits", "stuck"),
    [
        ([3.0] * 39, False),  # the loop has not come round for 117 s
        ([3.0] * 41, True),
        ([500.0], False),  # SIGSTOP: the thread that watches was stopped, too
        ([500.0] + [3.0] * 39, False),
        ([500.0] + [3.0] * 41, True),
        ([5.9] * 21, True),  # a machine that is busy is no excuse
    ],
)
def test_stuck(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, waits: list[float], stuck: bool
) -> None:
    conf_file = tmp_path / "nova-ha.conf"
    url = f"sqlite:///{tmp_path}/journal.sqlite"
    conf_file.write_text(f"[database]\nconnection = {url}\n")
    conf = load("test", [f"--config-file={conf_file}"])
    database = Database(conf)
    database.upgrade()
    times, ends = Time(*waits), list[bool]()
    monkeypatch.setattr(leadership, "time", times)
    journal = SqlJournal(database)
    assert journal.acquire()
    led = Leadership(
        conf,
        journal,
        SystemClock(),
        Troubles(),
        PATIENCE,
        lambda: ends.append(True),
    )
    led._leads.set()
    ended = threading.Event()
    monkeypatch.setattr(ended, "wait", times.wait)
    led._ended = ended
    led._watch()
    assert bool(ends) is stuck
