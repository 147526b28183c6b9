# SPDX-License-Identifier: Apache-2.0
"""Every order has an answer: of ``nova-ha confirm-fenced`` and ``evacuate`` beside a
trigger in a simulated world, beside a dead one, and without any; and after Ctrl-C."""

import re
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from nova_ha_scheduler.cli import answers, order_arguments
from nova_ha_scheduler.cli.maintenance import _Follower
from nova_ha_scheduler.cli.until_done import UntilDone
from nova_ha_scheduler.cli.who import signed
from nova_ha_scheduler.journal.store import SqlJournal
from nova_ha_scheduler.records.events import EventKind
from tests.unit.cli.conftest import Site
from tests.unit.cli.test_health import lead

BY = ("--by", "Ann", "--reason", "pulled both cords")
CONFIRM = ("confirm-fenced", *BY)
EVACUATE = ("evacuate", "--confirm-fenced", *BY)
Start = Callable[[dict[str, Any], float], None]


def cluster(**node1: Any) -> dict[str, Any]:
    """One whose node1 dies."""
    return {
        "hosts": {"node1": {"zone": "nfs-a", **node1}, "node2..node4": {"zone": "n"}},
        "servers": {"web1": {"host": "node1"}},
    }


@pytest.mark.parametrize("order", [CONFIRM, EVACUATE])
def test_without_a_trigger_it_is_queued(site: Site, order: tuple[str, ...]) -> None:
    (answer,) = site.json(*order, "node1")
    assert answer["host"] == "node1"
    assert answer["answer"] == "queued: no trigger is active"
    (queued,) = site.journal.load(0).commands.values()
    assert (queued.host, queued.by, queued.reason) == ("node1", signed(BY[1]), BY[3])


@pytest.mark.parametrize("order", [CONFIRM, EVACUATE])
def test_a_trigger_that_says_nothing_is_not_waited_for_for_ever(
    site: Site, order: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert site.journal.acquire()
    monkeypatch.setattr(answers, "WAIT_SECONDS", 0.5)
    said = site.run(*order, "node1", "-f", "json")
    assert said.code == 5
    assert f"queued: {site.journal.owner} has not answered yet" in said.out


def test_a_word_that_is_used_at_once(site: Site, trigger: Start) -> None:
    trigger(cluster(device="unreachable"), 90)
    (answer,) = site.json(*CONFIRM, "node1")
    assert answer["answer"] == "the host is dead"


def test_an_evacuation_that_begins(site: Site, trigger: Start) -> None:
    trigger(cluster(ha=False), 90)
    (answer,) = site.json(*EVACUATE, "node1")
    assert answer["answer"] == "its evacuation begins"


def test_a_word_that_is_not_used_yet(site: Site, trigger: Start) -> None:
    trigger(cluster(ha=False), 90)
    (answer,) = site.json(*CONFIRM, "node1")
    assert re.fullmatch(
        r"noted: no aggregate of it says ha=true, so it is not suspected. .*; "
        r"until \d{4}-\d\d-\d\d \d\d:\d\d:\d\d[+-]\d\d:\d\d",
        answer["answer"],
    )
    assert answer["by"] == signed("Ann")
    (command,) = site.journal.load(0).commands.values()
    assert (command.id, command.answer) == (answer["command"], "")
    (noted,) = [e for e in site.events() if e.kind is EventKind.COMMAND_NOTED]
    assert noted.how == f"confirm-fenced by {signed('Ann')}: pulled both cords"


@pytest.mark.parametrize("order", [CONFIRM, EVACUATE])
@pytest.mark.parametrize("host", ["node9", "NODE1", "node1.example.org"])
def test_a_refusal_is_an_exit_code(
    site: Site, trigger: Start, order: tuple[str, ...], host: str
) -> None:
    trigger(cluster(), 5)
    refused = site.run(*order, host)
    assert refused.code == 4
    assert f"{host}: no nova-compute service has exactly this host name" in refused.err


@pytest.fixture
def ctrl_c(monkeypatch: pytest.MonkeyPatch) -> Callable[[bool], None]:
    """Let it be pressed at the first look at what has become of an order."""

    def press(when_active: bool) -> None:
        def look(self: UntilDone) -> None:
            if self._service.journal.active or not when_active:
                raise KeyboardInterrupt

        monkeypatch.setattr(UntilDone, "_look", look)
        monkeypatch.setattr(_Follower, "_look", look)

    return press


@pytest.fixture
def whole(site: Site) -> Site:
    """One that can be a trigger itself, of hosts that no device switches off."""
    fencing = site.conf.with_name("fencing.yaml")
    fencing.write_text("hosts: {}\n")
    fencing.chmod(0o600)
    text = f"{site.conf.read_text()}[fencing]\nconfig_file = {fencing}\n"
    site.conf.write_text(text)
    return site


WAITS = [
    (*EVACUATE, "node1", "--wait"),
    ("maintenance", "start", "node1", "--by", "Ann", "--reason", "x", "--drain"),
    ("maintenance", "end", "node1", "--by", "Ann", "--wait"),
]


@pytest.mark.parametrize("order", WAITS)
def test_after_ctrl_c_the_trigger_goes_on(
    whole: Site, ctrl_c: Callable[[bool], None], order: tuple[str, ...]
) -> None:
    assert whole.journal.acquire()
    ctrl_c(False)
    said = whole.run(*order)
    assert said.code == 130
    assert f"node1: the trigger {whole.journal.owner} goes on with it" in said.err
    assert whole.journal.holder() == whole.journal.owner


@pytest.mark.parametrize("order", WAITS)
def test_after_ctrl_c_nobody_goes_on(
    whole: Site, ctrl_c: Callable[[bool], None], order: tuple[str, ...]
) -> None:
    ctrl_c(True)
    said = whole.run(*order)
    assert said.code == 130
    assert "node1: this program was the active trigger: nobody goes on" in said.err
    assert whole.journal.holder() == "", "it has left in an orderly way"
    (order_,) = whole.journal.load(0).commands.values()
    assert order_.host == "node1"


def test_a_time_that_is_over_says_so_too(whole: Site) -> None:
    assert whole.journal.acquire()
    said = whole.run(*WAITS[0], "--timeout", "1s")
    assert said.code == 5
    assert f"the trigger {whole.journal.owner} goes on with it" in said.err


def test_ctrl_c_while_an_answer_is_waited_for(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert site.journal.acquire()

    def look(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(SqlJournal, "commands", look)
    said = site.run(*CONFIRM, "node1")
    assert said.code == 130
    assert "node1: the order stays" in said.err


RESET = ("guard", "reset", "--by", "Ann", "--reason", "the rack is dark")


def test_a_reset_of_the_guard(site: Site, trigger: Start) -> None:
    assert site.json(*RESET)["answer"] == "queued: no trigger is active"
    assert site.run(*RESET[:-2]).code == 2
    trigger(cluster(), 5)
    refused = site.run(*RESET)
    assert refused.code == 4
    assert "guard reset: the guard had not tripped when this was ordered" in refused.err


def test_a_reset_lets_the_guard_admit_the_hosts(
    site: Site, trigger: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    trigger({**cluster(), "options": {"max_hosts": 0}}, 90)
    later = SimpleNamespace(time=lambda: time.time() + 80)  # as the simulation's
    monkeypatch.setattr(order_arguments, "time", later)
    (held,) = site.json("status")["hosts"]
    assert held["state"] == "confirmed"
    answer = site.json(*RESET)
    assert answer["answer"] == "fenced as usual from now on: node1"
    (reset,) = [e for e in site.events() if e.kind is EventKind.GUARD_RESET]
    assert reset.how == f"guard reset by {signed('Ann')}: the rack is dark"


@pytest.mark.parametrize("order", [CONFIRM, EVACUATE])
def test_a_dead_trigger_is_not_waited_for(site: Site, order: tuple[str, ...]) -> None:
    """Nobody has taken the lease after it yet."""
    lead(site, age=300)
    (answer,) = site.json(*order, "node1")
    said = f"queued: no trigger is active: {site.journal.owner} was last heard of"
    assert answer["answer"].startswith(said)
