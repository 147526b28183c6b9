# SPDX-License-Identifier: Apache-2.0
"""A host is drained by live and cold migrations, while its guests run."""

import contextlib
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from nova_ha_scheduler.journal.history import HistoryQuery
from nova_ha_scheduler.records.events import Event
from tests.lib.cloud.stubs import IMAGES
from tests.lib.real.stack import RealStack
from tests.lib.stack import servers, truth
from tests.lib.stack.evacuator import Trigger

pytestmark = pytest.mark.real

HOST = "a1"


def drain(ours: Trigger, *more: str) -> None:
    order = ["maintenance", "start", HOST, "--by", "tests", "--reason", "memory"]
    ours.nova_ha(*order, "--drain", *more)


def told(real: RealStack, ours: Trigger, kind: str) -> Event:
    """Wait until the history has that of the host; return the first."""
    found = HistoryQuery(host=HOST, outcome=kind)
    real.wait(kind, lambda: ours.history().events(found))
    return ours.history().events(found)[-1][1]


def test_live_and_cold(real: RealStack, trigger: Callable[..., Trigger]) -> None:
    """The program that gives the order ends without waiting. Servers that run
    go on counting elsewhere, in the boot in which they were, and one that was stopped
    stays off."""
    ours = trigger()
    ids = servers.boot(real, HOST, 3)
    stopped, *running = sorted(ids)
    servers.stop(real, [stopped])
    assert real.standing(running) == []
    ours.service().start()
    drain(ours)
    event = told(real, ours, "maintenance.drained")
    assert event.reason == "empty: 3 moved"
    for server in ids:
        assert real.host(server) != HOST
    assert {real.boot_number(server) for server in running} == {1}
    assert real.server(stopped)["status"] == "SHUTOFF"
    assert real.standing(running) == []
    facts = truth.facts(real.records(), real.switched())
    assert truth.physical(facts) == []


SLOWLY = "live_migration_bandwidth = 1\n"
"""A MiB each second: a guest that writes eight MiB all the while never arrives."""


GIVES_UP = "live_migration_completion_timeout = 10\n"
"""For each GiB, and two of these at least: Nova aborts it after twenty seconds."""


@contextlib.contextmanager
def copies_slowly(real: RealStack, more: str = "") -> Iterator[None]:
    """In this block, the host copies memory more slowly than its guests write it.

    :param more: lines of its nova.conf, in [libvirt].
    """
    machine = real.machines[HOST]
    kept = machine.conf_file.read_text()
    for text in (kept.replace("[libvirt]\n", f"[libvirt]\n{SLOWLY}{more}"), kept):
        machine.conf_file.write_text(text)
        machine.crash()
        machine.start()
        real.wait_up([HOST])
        if text != kept:
            yield


def busy(real: RealStack) -> str:
    """A server on the host that writes memory all the while."""
    flavor = real.openstack().compute.find_flavor(servers.FLAVOR, ignore_missing=False)
    return str(real.boot("busy", flavor.id, host=HOST, imageRef=IMAGES["second"])["id"])


def test_one_that_never_arrives(
    real: RealStack, trigger: Callable[..., Trigger]
) -> None:
    """Its guest writes memory faster than that is copied. The drain says so, and has
    Nova complete the move by force after the operator's time: the guest goes on at its
    new host in the boot in which it was."""
    options = {
        "maintenance": {"force_complete_after": 30},
        "evacuation": {"slow_after": 15},
    }
    ours = trigger(conf=options)
    server = busy(real)
    assert real.standing([server]) == []
    with copies_slowly(real):
        ours.service().start()
        drain(ours)
        told(real, ours, "move.slow")
        assert real.server(server)["status"] == "MIGRATING"
        assert real.standing([server]) == [], "it goes on meanwhile"
        assert HOST in real.runs_on(server)
        event = told(real, ours, "move.forced")
        words = r"its memory has been copied for 3\d s. Nova is asked to complete"
        assert re.match(words, event.reason)
        event = told(real, ours, "maintenance.drained")
        assert event.reason == "empty: 1 moved"
    there = real.host(server)
    assert there != HOST
    assert real.wait_status(server, "ACTIVE")
    assert real.runs_on(server) == {there}
    assert real.boot_number(server) == 1
    assert real.standing([server]) == []
    assert truth.physical(truth.facts(real.records(), real.switched())) == []


def act(real: RealStack, server: str, action: dict[str, Any]) -> None:
    real.nova("POST", f"/servers/{server}/action", action).raise_for_status()


def test_one_that_a_person_moves_cold(
    real: RealStack, trigger: Callable[..., Trigger]
) -> None:
    """Nothing is forced. A person gives its live migration up and stops the server, as
    docs/operate.md says; the drain moves it cold, and a person starts it again."""
    ours = trigger(conf={"evacuation": {"slow_after": 10, "retry_interval": 5}})
    server = busy(real)
    assert real.standing([server]) == []
    with copies_slowly(real):
        ours.service().start()
        drain(ours)
        told(real, ours, "move.slow")
        path = f"/servers/{server}/migrations"
        (under_way,) = real.nova("GET", path).json()["migrations"]
        real.nova("DELETE", f"{path}/{under_way['id']}").raise_for_status()
        # Nova shows it in error then, though it runs.
        real.wait_status(server, "ERROR")
        assert real.runs_on(server) == {HOST}
        act(real, server, {"os-resetState": {"state": "active"}})
        servers.stop(real, [server])
        history, query = ours.history(), HistoryQuery(host=HOST)

        def empty() -> bool:
            return history.events(query)[0][1].reason == "empty: 1 moved"

        real.wait("the host is empty", empty)
    there = real.host(server)
    assert there != HOST
    act(real, server, {"os-start": None})
    real.wait_status(server, "ACTIVE")
    assert real.runs_on(server) == {there}
    assert real.standing([server]) == []
    assert real.boot_number(server) == 2


def test_one_that_is_stopped_for_the_move(
    real: RealStack, trigger: Callable[..., Trigger]
) -> None:
    """Its guest writes memory faster than that is copied, and Nova gives its live
    migration up. The drain stops it, as the operator lets that be, moves it cold, and
    starts it: with its disk, in its second boot, at one place alone."""
    options = {
        "maintenance": {"stop_to_move": True, "attempts": 1},
        "evacuation": {"retry_interval": 5},
    }
    ours = trigger(conf=options)
    server = busy(real)
    assert real.standing([server]) == []
    with copies_slowly(real, GIVES_UP):
        ours.service().start()
        drain(ours)
        event = told(real, ours, "move.stopping")
        assert "each of its live migrations has failed" in event.reason
        event = told(real, ours, "maintenance.drained")
        assert event.reason == "empty: 1 moved"
    there = real.host(server)
    assert there != HOST
    assert real.wait_status(server, "ACTIVE")
    assert real.runs_on(server) == {there}
    assert real.standing([server]) == []
    assert real.boot_number(server) == 2
    kinds = [e.kind.value for _, e in ours.history().events(HistoryQuery(host=HOST))]
    for kind in ("move.stopping", "move.stopped", "move.starting", "move.started"):
        assert kinds.count(kind) == 1, kind
    assert truth.physical(truth.facts(real.records(), real.switched())) == []
