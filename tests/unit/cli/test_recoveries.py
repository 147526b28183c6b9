# SPDX-License-Identifier: Apache-2.0
"""``nova-ha abort``, ``retry`` and ``status`` beside a trigger in a simulated world."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from nova_ha_scheduler.cli.who import signed
from nova_ha_scheduler.reasons import Reason
from nova_ha_scheduler.records.commands import Command, CommandKind
from nova_ha_scheduler.records.events import Event, EventKind
from tests.unit.cli.conftest import Site

BY = ("--by", "Ann", "--reason", "enough")
CLUSTER = {
    "hosts": {"node1..node4": {"zone": "nfs-a"}, "node5": {"zone": "nfs-b"}},
    "servers": {"web1..web3": {"host": "node1"}, "big": {"host": "node1", "vcpus": 5}},
    "options": {"max_in_flight": 1},
    "nova": {"rebuild": 10**6},
}
Start = Callable[[dict[str, Any], float], None]


@pytest.mark.parametrize("kind", ["abort", "retry"])
def test_without_a_trigger_it_is_queued(site: Site, kind: str) -> None:
    answer = site.json(kind, "node1", *BY, "--expires", "2h")
    assert answer["answer"] == "queued: no trigger is active"
    (order,) = site.journal.load(0).commands.values()
    assert order.kind is CommandKind(kind)
    assert order.expires_at - order.at == pytest.approx(7200, abs=60)
    (waiting,) = site.json("status")["commands_waiting"]
    assert waiting == {
        "host": "node1",
        "command": kind,
        "by": signed("Ann"),
        "waits": "",
    }


def test_abort_and_retry(site: Site, trigger: Start) -> None:
    trigger(CLUSTER, 90)
    status = site.json("status")
    (host,) = status["hosts"]
    assert (host["host"], host["state"]) == ("node1", "evacuating")
    assert host["progress"] == "0 of 4, 1 moving, 3 waiting: in flight limit"
    answer = site.json("abort", "node1", *BY)
    assert answer["answer"] == "3 servers left, 1 server followed to the end"
    (host,) = site.json("status")["hosts"]
    assert host["progress"] == "0 of 4, 3 left: aborted, 1 moving"
    assert f"it was aborted by {signed('Ann')}: enough" in host["reason"]
    refused = site.run("abort", "node1", *BY)
    assert refused.code == 4
    assert f"node1: it was aborted by {signed('Ann')}: enough" in refused.err
    assert site.json("retry", "node1", *BY)["answer"] == "it is taken up again"
    errors = site.json("status")["last_errors"]
    assert {error["kind"] for error in errors} == {"host.held"}
    assert all(error["at"] for error in errors)


def test_a_word_says_what_it_waits_for(site: Site) -> None:
    now, why = time.time(), Reason.WORD_UP.sentence()
    given = ("word", CommandKind.CONFIRM_FENCED, "node2", "Ann", "pulled", now)
    site.journal.add_commands([Command(*given, now + 600, waits=why)])
    (waiting,) = site.json("status")["commands_waiting"]
    assert waiting["waits"] == why
    assert why in " ".join(site.run("status").out.replace("|", " ").split())


@pytest.mark.parametrize(("hours", "shown"), [(23, True), (25, False)])
def test_old_errors_are_history(site: Site, hours: float, shown: bool) -> None:
    at = time.time() - hours * 3600
    old = Event(EventKind.HOST_HELD, at, "node1", reason="no fence device")
    site.journal.put_pauses([], [old])
    assert bool(site.json("status")["last_errors"]) is shown


def test_an_error_is_shown_once_and_until_it_is_over(site: Site) -> None:
    """A BMC that refuses a password does so at each look, with all of its answer."""
    now, said = time.time(), "it refused: " + 50 * '{"error": "password"} '
    broken = [
        Event(EventKind.DEVICE_BROKEN, now - age, host, reason=said)
        for age, host in ((90, "node1"), (80, "node2"), (70, "node1"), (50, "node1"))
    ]
    works = Event(EventKind.DEVICE_WORKS, now - 60, "node2")
    site.journal.put_pauses([], [*broken[:3], works, broken[3]])
    (error,) = site.json("status")["last_errors"]
    assert (error["host"], error["times"], error["reason"]) == ("node1", 3, said)
    shown = " ".join(site.run("status").out.replace("|", " ").split())
    assert "fence_device.broken node1 (3 times): it refused: {" in shown
    assert shown.count("password") < 12


def test_a_pause_holds_the_active_trigger(site: Site, trigger: Start) -> None:
    assert site.run("pause", "--zone", "nfs-a", *BY).code == 0
    trigger(CLUSTER, 90)
    (host,) = site.json("status")["hosts"]
    assert host["reason"] == (
        f"it is paused: zone nfs-a by {signed('Ann')}: enough; would fence it"
    )
    text = site.run("status").out
    assert "would fence it" in text
    assert f": zone nfs-a by {signed('Ann')}: enough (since" in text
    refused = site.run("retry", "node1", *BY)
    assert refused.code == 4
    assert f"it is paused: zone nfs-a by {signed('Ann')}: enough" in refused.err


@pytest.mark.parametrize("host", ["node2", "NODE1", "node"])
@pytest.mark.parametrize("kind", ["abort", "retry"])
def test_of_what_is_not_in_recovery(
    site: Site, trigger: Start, host: str, kind: str
) -> None:
    trigger(CLUSTER, 5)
    refused = site.run(kind, host, *BY)
    assert refused.code == 4
    no_host = "no nova-compute service has exactly this host name"
    assert ("no recovery" if host == "node2" else no_host) in refused.err


def test_the_reserve_is_not_known_without_a_cloud(site: Site) -> None:
    status = site.json("status")
    assert status["reserve_in_use"] is None
    assert "127.0.0.1" in status["reserve_unknown"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("node1", "--by", "", "--reason", "x"), "argument --by: it is empty"),
        (("node1", "--by", "Ann", "--reason", " "), "argument --reason: it is empty"),
        (("", *BY), "argument host: it is empty"),
        ((*BY,), "host"),
        (
            ("node1", *BY, "--expires", "late"),
            "late is no time like 2026-",
        ),
    ],
)
@pytest.mark.parametrize("kind", ["abort", "retry"])
def test_bad_orders(
    site: Site, kind: str, arguments: tuple[str, ...], words: str
) -> None:
    said = site.run(kind, *arguments)
    assert said.code == 2
    assert words in said.err
    assert not site.journal.load(0).commands
