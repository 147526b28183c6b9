# SPDX-License-Identifier: Apache-2.0
"""Owners, clocks, and hosts that come back, while servers are being recovered.

Each of these tests ends with servers in places where the next one cannot begin.
"""

from collections.abc import Callable

from nova_ha_scheduler.evacuation.records import Reason, ServerState
from nova_ha_scheduler.journal.history import Query
from tests.stack import servers, truth
from tests.stack.evacuator import Trigger
from tests.stack.faults import ClockJump, injected
from tests.stack.fleet import AHEAD, Fleet
from tests.stack.stack import Stack

A, B = "nfs-a", "nfs-b"


def test_owners_go_on(fleet: Fleet) -> None:
    """Servers are resized, deleted, locked and migrated in the middle."""
    fleet.spoilt = True
    home = fleet.home(A)
    last = servers.by_name(fleet.stack, home)  # asked for in this order
    resized, locked, deleted = last[0], last[-1], last[-3:-1]
    fleet.deleted |= set(deleted)
    death = fleet.kill(A, others=2)
    # Nova does not know yet that the host is dead.
    compute = fleet.stack.openstack().compute
    bigger = compute.find_flavor(servers.BIGGER, ignore_missing=False)
    act(fleet, resized, {"resize": {"flavorRef": bigger.id}})
    act(fleet, locked, {"lock": None})
    death.progress(2)
    for each in deleted:
        fleet.stack.nova("DELETE", f"/servers/{each}").raise_for_status()
    done = [s.server for s in death.servers() if s.state is ServerState.RECOVERED]
    act(fleet, done[0], {"os-migrateLive": {"host": None, "block_migration": "auto"}})
    fleet.ended(death)
    fate = {server.server: server for server in death.servers()}
    assert set(fate) == fleet.ids[A]
    assert fate[resized].reason is Reason.TASK_STATE, fate[resized]
    for each in deleted:
        gone = fate[each].reason is Reason.GONE
        assert gone or fate[each].state is ServerState.RECOVERED, fate[each]
    others = fleet.ids[A] - fleet.deleted - {resized}
    states = {fate[each].state for each in others}
    assert states == {ServerState.RECOVERED}, fate
    fleet.stack.wait_status(done[0], "ACTIVE", 60)
    assert death.told("host.incomplete").reason.endswith(fate[resized].name)
    fleet.check()


def act(fleet: Fleet, server: str, action: dict[str, object]) -> None:
    answer = fleet.stack.nova("POST", f"/servers/{server}/action", action)
    assert answer.ok, answer.text


def test_dead_hosts_come_back_early(fleet: Fleet) -> None:
    """One before Nova was told of its death, one in the middle: what was not evacuated
    stays, with the reason, and nothing runs twice."""
    fleet.spoilt = True
    one, two = fleet.kill(A), fleet.kill(B)
    fleet.early |= {one.host, two.host}
    one.told("host.fencing")
    fleet.stack.machines[one.host].start()
    two.progress(4)
    fleet.stack.machines[two.host].start()
    for death in (one, two):
        fleet.ended(death)
        for server in death.servers():
            stays = server.reason in (Reason.HOST_RETURNED, Reason.GONE)
            assert server.state is ServerState.RECOVERED or stays, server
    for death in (one, two):
        # It cleans up after what had ended when it started, and no more.
        fleet.stack.machines[death.host].crash()
    fleet.back(one.host, two.host)
    fleet.check()


def test_clock_jumps(fleet: Fleet) -> None:
    """An hour forward, and back: it is said, and nobody else is held for dead."""
    fleet.spoilt = True
    fleet.service.kill()
    service = fleet.trigger.service("jumps")
    service.own_clock()
    service.start()
    death = fleet.kill(A)
    death.progress(4)
    with injected(ClockJump(service, AHEAD), fleet.stack):
        fleet.says("the clock of this host was set by")
    fleet.wait("both jumps", lambda: len(fleet.events("clock.jumped")) == 2)
    fleet.recovered(death)
    since = Query(since=death.at - 1)
    assert [r.host for r in fleet.history.recoveries(since)] == [death.host]


def test_a_device_that_lies(stack: Stack, trigger: Callable[..., Trigger]) -> None:
    """It says Off, and the host hangs with its power on: no trigger can know better, so
    its servers run twice, and the checker of these tests sees that."""
    ours = trigger()
    ours.service().start()
    ids = servers.boot(stack, "a1", 2)
    stack.machines["a1"].lie("Off")
    stack.machines["a1"].freeze()
    history = ours.history()
    query = Query(host="a1", outcome="recovered")
    stack.wait("its recovery", lambda: history.recoveries(query), 120)
    found = truth.facts(stack.records(), stack.switched())
    broken = truth.breaches(found, ours.shown("a1"), ids)
    for each in ids:
        assert any(f"{each} ran on a1 and" in breach for breach in broken), broken
    stack.machines["a1"].lie(None)
    stack.machines["a1"].kill()


def test_a_witness_against_a_device_that_lies(
    stack: Stack, trigger: Callable[..., Trigger]
) -> None:
    """A witness who sees what the device denies: here, that the servers run."""
    ours = trigger(conf={"witnesses": stack.witness()})
    ours.service().start()
    ids = servers.boot(stack, "b1", 2)
    stack.machines["b1"].lie("Off")
    stack.machines["b1"].freeze()
    history = ours.history()
    held = Query(host="b1", outcome="host.held")
    stack.wait("the witness's word", lambda: history.events(held), 120)
    assert "not every witness agrees" in history.events(held)[0][1].reason
    assert not history.servers(Query(host="b1"))
    assert truth.breaches(truth.facts(stack.records(), stack.switched()), [], ids) == []
