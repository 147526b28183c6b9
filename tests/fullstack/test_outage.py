# SPDX-License-Identifier: Apache-2.0
"""The network of one host fails for half a minute, with the options that Nova and the
trigger have by default, and with witnesses."""

import functools
import os
import time
from collections.abc import Iterator

import pytest

from nova_ha_scheduler.journal.history import HistoryQuery
from tests.fullstack.conftest import RECOVERY_SECONDS
from tests.lib.cloud.config import Conf
from tests.lib.stack import servers, site
from tests.lib.stack.cables import Cables
from tests.lib.stack.evacuator import Trigger
from tests.lib.stack.stack import Stack

pytestmark = [
    pytest.mark.stand_ins("It has a stack of its own, with Nova's default times."),
    pytest.mark.skipif(
        os.geteuid() != 0, reason="it makes network namespaces, as root alone may"
    ),
]

HOST = "a1"
LAYOUT = site.Layout(
    zones=dict.fromkeys([HOST, "a2", "a9"], "nfs-a"), reserve=("a9",), pace=site.NOVAS
)
BEAT = LAYOUT.pace.report_interval

OUTAGE = 30.0
"""Seconds."""


@pytest.fixture
def slow() -> Iterator[Stack]:
    """A stack of its own, whose hosts report as seldom as they do by default."""
    with Stack(LAYOUT) as stack:
        yield stack
    stack.remove()


@pytest.fixture
def cables() -> Iterator[Cables]:
    with Cables(LAYOUT.zones) as found:
        yield found


def shortly_before_a_beat(stack: Stack) -> None:
    """Wait until the host has shown a heartbeat, and the next one is nearly due: then
    it is late soonest."""
    path = f"/os-services?binary=nova-compute&host={HOST}"

    def shown() -> str:
        return str(stack.nova("GET", path).json()["services"][0]["updated_at"])

    before = shown()
    stack.wait("a heartbeat", lambda: shown() != before, 3 * BEAT)
    time.sleep(0.7 * BEAT)


def outage(stack: Stack, cables: Cables) -> None:
    """Nobody hears of the host, and nobody reaches it; its guests go on."""
    shortly_before_a_beat(stack)
    cables.pull(HOST)
    stack.machines[HOST].freeze()
    time.sleep(OUTAGE)
    cables.plug(HOST)
    stack.machines[HOST].thaw()


def test_a_short_outage_of_one_network(slow: Stack, cables: Cables) -> None:
    """By default, nobody touches the host: it is silent, and no more is known of it.
    With suspect_by_witnesses its guests are killed, as that option says."""
    ids = servers.boot(slow, HOST, 2)
    asks = {"enabled": "ping, tcp", "address": cables.address}

    def started(name: str, by_witnesses: bool = False) -> Trigger:
        conf: Conf = {"witnesses": asks}
        if by_witnesses:
            conf = {**conf, "detection": {"suspect_by_witnesses": True}}
        made = slow.trigger(name, conf, pace={})
        made.service().start()
        time.sleep(5 * BEAT)  # it learns their rhythm
        return made

    def events(trigger: Trigger) -> list[str]:
        found = trigger.history().events(HistoryQuery(host=HOST, limit=None))
        return [event.kind.value for _, event in found]

    ours = started("default")
    asked = len(slow.gates["redfish"].requests)
    outage(slow, cables)
    time.sleep(LAYOUT.pace.service_down_time)
    assert len(slow.gates["redfish"].requests) > asked, "it was late, and was asked for"
    assert events(ours) == []
    assert off(slow) == []
    assert {slow.server(each)["status"] for each in ids} == {"ACTIVE"}
    assert slow.machines[HOST].alive
    ours.stop()

    ours = started("sooner", by_witnesses=True)
    outage(slow, cables)
    fenced = functools.partial(_fenced, slow)
    slow.wait("its fence", fenced, RECOVERY_SECONDS)
    assert "host.suspected" in events(ours)


def off(stack: Stack) -> list[str]:
    """By whom its power was cut."""
    return [
        line["by"]
        for line in stack.switched()
        if (line["host"], line["event"]) == (HOST, "off")
    ]


def _fenced(stack: Stack) -> bool:
    return off(stack) == ["redfish"]
