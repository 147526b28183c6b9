# SPDX-License-Identifier: Apache-2.0
"""Owners asked a dead host for something, and it returns with its queue: what each row
of task_states.py goes by, on libvirt, whose power_on makes a missing guest anew."""

from collections.abc import Callable, Collection
from functools import partial
from typing import Any

import pytest

from nova_ha_scheduler.journal.history import HistoryQuery
from tests.fullstack.conftest import ended, recovered
from tests.lib.real.stack import RealStack
from tests.lib.stack import queues, servers, truth
from tests.lib.stack.evacuator import Trigger

pytestmark = pytest.mark.real

HOST = "a1"
SOFT, HARD = {"reboot": {"type": "SOFT"}}, {"reboot": {"type": "HARD"}}
START, RESCUE, STOP = {"os-start": None}, {"rescue": None}, {"os-stop": None}
PAUSE, SUSPEND = {"pause": None}, {"suspend": None}
CONF = {"evacuation": {"task_state_grace": 5, "settle": 20}}
"""It takes a while until a host is through with its queue."""


def ask(real: RealStack, server: str, action: dict[str, Any]) -> None:
    real.nova("POST", f"/servers/{server}/action", action).raise_for_status()


def power_cut(real: RealStack, requests: dict[str, dict[str, Any]]) -> None:
    """The host loses its power, and owners ask it for something; return when all of
    that lies in its queue."""
    real.machines[HOST].kill()
    for server, action in requests.items():
        ask(real, server, action)

    def lie() -> bool:
        found = queues.of(real, HOST)[f"compute.{HOST}"]
        return found.consumers == 0 and found.messages >= len(requests)

    real.wait("the requests lie there", lie)


def taken_up(real: RealStack) -> None:
    """Return when the host has nothing left in its queues."""

    def empty() -> bool:
        found = queues.of(real, HOST).values()
        return all(queue.consumers and not queue.messages for queue in found)

    real.wait("its queues are empty", empty)


def left(found: dict[str, Any]) -> dict[str, str]:
    """Why, of each server that was left."""
    rows = [row for row in found["servers"] if row["outcome"] == "left"]
    return {row["server"]: row["reason"] for row in rows}


def broken(real: RealStack, found: dict[str, Any], ids: Collection[str]) -> list[str]:
    """The rules that were broken, and what the disks say against it."""
    facts = truth.facts(real.records(), real.switched())
    return [*truth.breaches(facts, [found], ids), *real.disks.breaches]


def test_a_queue_that_is_carried_out(
    real: RealStack, trigger: Callable[..., Trigger]
) -> None:
    """What is asked for at once runs, or not, at its new host, whatever the old one
    does with its queue; a server that its owner has started since, and for which a stop
    lies there, and one that it wanted suspended, are shown as active again. What would
    be started is left, and is started when its host is back."""
    ids = servers.boot(real, HOST, 8)
    soft, hard, stop, wanted, pause, suspend, start, rescue = sorted(ids)
    servers.stop(real, [start])
    running = [soft, hard, wanted, pause, suspend]
    assert real.standing([*running, stop, rescue]) == []
    power_cut(
        real,
        {
            soft: SOFT,
            hard: HARD,
            stop: STOP,
            wanted: STOP,
            pause: PAUSE,
            suspend: SUSPEND,
            start: START,
            rescue: RESCUE,
        },
    )
    ours = trigger(conf=CONF)
    ours.service().start()
    why = left(ended(real, ours, HOST))
    assert set(why) == {start, rescue}
    for server, state in ((start, "powering-on"), (rescue, "rescuing")):
        assert f"its task state is {state}: if the host finds" in why[server]
        assert f"nova-ha retry {HOST} --reason TEXT --queues-emptied" in why[server]
        assert real.host(server) == HOST
    for server in (stop, wanted):
        assert real.wait_status(server, "SHUTOFF")["OS-EXT-SRV-ATTR:host"] != HOST
        assert real.runs_on(server) == set()
    ask(real, wanted, START)
    real.wait_status(wanted, "ACTIVE")
    there = {server: real.host(server) for server in running}
    assert HOST not in there.values()
    assert real.standing(running) == []
    boots = {server: real.boot_number(server) for server in running}
    assert boots == dict.fromkeys(running, 2) | {wanted: boots[wanted]}

    real.machines[HOST].start()
    taken_up(real)
    real.wait("it is let in", lambda: ours.shown(HOST)[0]["ended"])
    resets = HistoryQuery(outcome="server.reset")
    put_right = {event.server for _, event in ours.history().events(resets)}
    assert put_right == {wanted, suspend}
    for server in running:
        real.wait_status(server, "ACTIVE")
        assert (server, real.runs_on(server)) == (server, {there[server]})
        assert real.boot_number(server) == boots[server]
    assert real.server(stop)["status"] == "SHUTOFF"
    assert real.runs_on(stop) == set()
    assert real.wait_status(start, "ACTIVE")["OS-EXT-SRV-ATTR:host"] == HOST
    assert real.wait_status(rescue, "RESCUE")["OS-EXT-SRV-ATTR:host"] == HOST
    assert real.runs_on(start) == real.runs_on(rescue) == {HOST}
    assert real.standing([*running, start]) == []
    (found,) = ours.shown(HOST)
    assert broken(real, found, ids) == []


def test_emptied_queues(real: RealStack, trigger: Callable[..., Trigger]) -> None:
    """When a person has emptied the queues and said so, what would have been started
    there is evacuated and runs; the host returns and starts nothing."""
    ids = servers.boot(real, HOST, 2)
    start, rescue = sorted(ids)
    servers.stop(real, [start])
    power_cut(real, {start: START, rescue: RESCUE})
    ours = trigger(conf=CONF)
    ours.service().start()
    assert set(left(ended(real, ours, HOST))) == ids
    queues.empty(real, HOST)
    word = ["--queues-emptied", "--by", "tests", "--reason", "both purged"]
    ours.nova_ha("retry", HOST, *word)
    recovered(real, ours, HOST)
    there = {server: real.host(server) for server in ids}
    for server in ids:
        real.wait_status(server, "ACTIVE")
    real.machines[HOST].start()
    real.wait("it is let in", lambda: ours.shown(HOST)[0]["ended"])
    for server in ids:
        assert real.wait_status(server, "ACTIVE")["OS-EXT-SRV-ATTR:host"] != HOST
        assert real.runs_on(server) == {there[server]}
    assert real.standing(ids) == []
    (found,) = ours.shown(HOST)
    assert broken(real, found, ids) == []


def test_what_the_table_keeps_from_happening(real: RealStack) -> None:
    """Somebody evacuates what its owner has just asked to be started; Nova takes it.
    The dead host returns and starts a guest of which Nova does not know; the rescue
    fails by QEMU's lock, and Nova shows a server in error that runs."""
    ids = servers.boot(real, HOST, 2)
    start, rescue = sorted(ids)
    servers.stop(real, [start])
    power_cut(real, {start: START, rescue: RESCUE})
    answer = real.nova("GET", f"/os-services?binary=nova-compute&host={HOST}")
    path = f"/os-services/{answer.json()['services'][0]['id']}"
    real.nova("PUT", path, {"forced_down": True}).raise_for_status()
    for server in ids:
        ask(real, server, {"evacuate": {"host": "a2"}})
    for server, status in ((start, "SHUTOFF"), (rescue, "ACTIVE")):
        real.wait("it has left", partial(_is_at, real, server, "a2", status))
    assert real.runs_on(start) == set()

    real.machines[HOST].start()
    taken_up(real)
    try:
        real.wait("a guest", lambda: real.runs_on(start) == {HOST})
        real.wait_status(rescue, "ERROR")
        assert _is_at(real, start, "a2", "SHUTOFF"), "Nova does not know of it"
        assert real.disks.still(real.disks.of(start)) == [], "and it writes"
        assert real.runs_on(rescue) == {"a2"}
        assert real.standing([rescue]) == [], "the one guest goes on"
        assert real.boot_number(rescue) == 2
    finally:
        real.machines[HOST].destroy(start)


def _is_at(real: RealStack, server: str, host: str, status: str) -> bool:
    shown = real.server(server)
    found = shown["OS-EXT-SRV-ATTR:host"], shown["status"]
    return found == (host, status) and not shown["OS-EXT-STS:task_state"]
