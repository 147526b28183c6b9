# SPDX-License-Identifier: Apache-2.0
"""Somebody forces a server into another storage zone: its disk is in danger."""

import shutil
from collections.abc import Callable

import pytest

from nova_ha_scheduler.journal.history import HistoryQuery
from tests.lib.real import disks
from tests.lib.real.stack import RealStack
from tests.lib.stack import servers
from tests.lib.stack.evacuator import Trigger

pytestmark = pytest.mark.real

HOST, OTHERS, ELSEWHERE = "a1", ("a2", "a9"), "b1"
FORCED = "2.67"
"""The last microversion of Nova's API that knows "force"."""


def disable(real: RealStack, host: str) -> None:
    """Nova's scheduler shall find no room there."""
    answer = real.nova("GET", f"/os-services?binary=nova-compute&host={host}")
    (service,) = answer.json()["services"]
    path, disabled = f"/os-services/{service['id']}", {"status": "disabled"}
    real.nova("PUT", path, disabled).raise_for_status()


def test_by_force(real: RealStack, trigger: Callable[..., Trigger]) -> None:
    """Its zone has no room, and Nova is asked with force: its disk is made anew. The
    trigger says so at once, and which host to keep off. What the documentation says
    (docs/runbook.md) saves the disk, which that host deletes when it is on."""
    ours = trigger()
    (server,) = servers.boot(real, HOST, 1)
    assert real.standing([server]) == []
    for host in OTHERS:
        disable(real, host)
    ours.service().start()
    real.machines[HOST].kill()
    history = ours.history()
    waits = HistoryQuery(host=HOST, outcome="server.waiting")
    real.wait("there is no room", lambda: history.events(waits))
    (old,) = real.disks.of(server)
    before = disks.read(old)
    assert before is not None

    force = {"evacuate": {"host": ELSEWHERE, "force": True}}
    path = f"/servers/{server}/action"
    real.nova("POST", path, force, microversion=FORCED).raise_for_status()
    told = HistoryQuery(outcome="server.other_zone")
    real.wait("it is told", lambda: history.events(told))
    ((_, event),) = history.events(told)
    assert (event.host, event.server) == (HOST, server)
    assert f"keep {HOST} off until the disk is saved" in event.reason
    real.wait("it runs there", lambda: real.runs_on(server) == {ELSEWHERE})
    real.wait("Nova has it there", lambda: real.host(server) == ELSEWHERE)
    real.wait_status(server, "ACTIVE")
    (new,) = [disk for disk in real.disks.of(server) if disk != old]
    real.wait("it counts from one", lambda: disks.read(new))
    made = disks.read(new)
    assert made is not None
    assert made.boot == 1, "nothing of what its owner had is there"
    assert disks.read(old) == before, "it lies in its zone still"

    # As the documentation says.
    saved = old.parent.with_suffix(".saved")
    shutil.copytree(old.parent, saved)
    servers.stop(real, [server])
    with real.disks.replaced(new):
        shutil.copyfile(saved / "disk", new)
    real.nova("POST", path, {"os-start": None}).raise_for_status()
    real.wait_status(server, "ACTIVE")
    real.machines[HOST].start()
    real.wait("the old disk is deleted", lambda: not old.exists())
    assert real.standing([server]) == []
    after = disks.read(new)
    assert after is not None
    assert after.boot == 2, "the disk of before"
    assert after.beats > before.beats
    assert (saved / "disk").exists()
