# SPDX-License-Identifier: Apache-2.0
"""A host dies, and its servers come back elsewhere: every part is a process."""

from collections.abc import Callable

from tests.fullstack.conftest import recovered
from tests.stack import servers, truth
from tests.stack.evacuator import Trigger
from tests.stack.stack import Stack

SERVERS = 32
STOPPED = 2


def test_power_cut(stack: Stack, trigger: Callable[..., Trigger]) -> None:
    """Nobody announces it: the host is silent, and Nova and the trigger see that."""
    ours = trigger()
    ours.service().start()
    ids = servers.boot(stack, "a1", SERVERS)
    stopped = set(sorted(ids)[:STOPPED])
    servers.stop(stack, stopped)
    stack.machines["a1"].kill()
    found = recovered(stack, ours, "a1")
    check(stack, found, ids, stopped)


def test_hung_host(stack: Stack, trigger: Callable[..., Trigger]) -> None:
    """It is silent, but its servers could go on any moment: the fence ends that."""
    ours = trigger()
    ours.service().start()
    ids = servers.boot(stack, "b1", SERVERS)
    machine = stack.machines["b1"]
    machine.freeze()
    assert machine.alive
    found = recovered(stack, ours, "b1")
    assert not machine.alive
    (cut,) = [s for s in stack.switched() if (s["host"], s["event"]) == ("b1", "off")]
    assert cut["by"] == "redfish"
    check(stack, found, ids, set())


def check(
    stack: Stack, history: dict[str, object], ids: set[str], stopped: set[str]
) -> None:
    """All are recovered in their zone, as they were, and no rule is broken."""
    host, zone = history["host"], stack.site.layout.zones[str(history["host"])]
    rows = {row["server"]: row for row in history["servers"]}
    assert {row["outcome"] for row in rows.values()} == {"recovered"}, rows
    assert set(rows) == ids
    facts = truth.facts(stack.records(), stack.switched())
    assert truth.breaches(facts, [history], ids) == []
    assert {a.server for a in facts.arrivals if a.source == host} == ids
    now = servers.servers(stack)
    for server in ids:
        there = str(now[server]["OS-EXT-SRV-ATTR:host"])
        assert stack.site.layout.zones[there] == zone
        runs = {there} if server not in stopped else set()
        assert facts.runs_at_last(server) == runs
        assert now[server]["status"] == ("ACTIVE" if runs else "SHUTOFF")
