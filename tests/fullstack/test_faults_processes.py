# SPDX-License-Identifier: Apache-2.0
"""Processes die, or their clocks jump, while a host's servers are being recovered."""

from collections import Counter

import pytest

from nova_ha_scheduler.journal.history import HistoryQuery
from tests.lib.stack.deaths import Death
from tests.lib.stack.faults import ClockJump, Crash, Outage, Stall, injected
from tests.lib.stack.fleet import AHEAD, Fleet

A, B = "nfs-a", "nfs-b"

DEAF = "Nova's notifications cannot be heard"
HEARS = "Nova's notifications can be heard."
AMONG_SERVICES = pytest.mark.stand_ins("What fails is no host and no guest.")
IN_THE_MIDDLE = pytest.mark.stand_ins(
    "QEMU starts all guests of a host at the same moment: real/test_in_the_middle.py "
    "has its destination die there."
)

FULL, ROOM = "The journal cannot be used", "The journal can be used again."


def test_trigger_killed_as_another_zone_dies(fleet: Fleet) -> None:
    """Started again, it goes on: none is left behind, and none evacuated twice."""
    fleet.homes(B)
    with fleet.deaths(A) as deaths:
        deaths[0].progress(2)
        deaths.append(fleet.kill(B))
        deaths[1].told("host.suspected")
        with injected(Outage(fleet.service.name), fleet.stack):
            pass
    moved = [server for death in deaths for server in death.servers()]
    assert {server.server for server in moved} == fleet.ids[A] | fleet.ids[B]
    assert {server.attempts for server in moved} == {1}, moved
    arrivals = [a.server for a in fleet.facts().arrivals if a.at > deaths[0].at]
    assert sorted(arrivals) == sorted(server.server for server in moved)


def test_leader_killed_then_frozen(fleet: Fleet) -> None:
    """A follower goes on; when it hangs, another one does, and what hung does nothing
    more."""
    second = fleet.trigger.service("fleet-second", follows=True)
    second.start()
    fleet.says("This trigger stands by")
    with fleet.death(B, rebuild=2) as death:
        death.progress(2)
        fleet.service.kill()
        fleet.wait("the second leads", lambda: second.leads)
        third = fleet.trigger.service("fleet-third", follows=True)
        third.start()
        with injected(Stall(second.name), fleet.stack):
            fleet.wait("the third leads", lambda: third.leads)
        fleet.says("Another trigger is the active one now")
        pid = third.pid
    replaced = fleet.events("trigger.replaced", death.at)
    assert len(replaced) == 2, replaced
    assert str(pid) in replaced[-1].how, replaced
    waiting = death.events("server.waiting")
    failed = Counter(e.server for e in waiting if "will be tried again" in e.reason)
    for server in death.servers():
        assert server.attempts <= 1 + failed[server.server], server
    for service in (second, third):
        service.stop()
    fleet.service.start()


def test_conductor_killed(fleet: Fleet) -> None:
    """Nobody carries out what Nova has accepted, until it is started again."""
    with fleet.death(A) as death:
        death.progress(2)
        with injected(Outage("nova-conductor"), fleet.stack):
            fleet.wait("blindness", lambda: fleet.events("detector.blind", death.at))
    assert fleet.events("detector.sighted", death.at)


@AMONG_SERVICES
def test_scheduler_killed(fleet: Fleet) -> None:
    """Nova chooses no destinations, and says so after a while; all is tried again."""
    with fleet.death(B) as death:
        death.progress(2)
        with injected(Outage("nova-scheduler"), fleet.stack):
            death.told(
                "server.waiting", "its evacuation failed and will be tried again"
            )


@IN_THE_MIDDLE
def test_nova_compute_of_the_destination_crashes(fleet: Fleet) -> None:
    """Its host has power and its servers run: nobody guesses, it has to be fenced."""
    with fleet.death(A, rebuild=3) as death:
        death.progress(2)
        there = death.at_work()
        crash = Crash(there)
        crash.inject(fleet.stack)
        other = Death(fleet, (there,))
        fenced = other.told("host.fenced")
        death.told("server.stranded", "died in the middle")
        fleet.recovered(death, other)
        fleet.stack.machines[there].start()
    for event in death.events("server.stranded"):
        assert event.at >= fenced.at
    cut = [s["by"] for s in fleet.stack.switched() if s["host"] == there]
    assert cut[-2:] == ["redfish", "test"], "it was fenced, and is on again"


@IN_THE_MIDDLE
def test_destination_dies(fleet: Fleet) -> None:
    """The power of the destination fails in mid-rebuild."""
    with fleet.death(B, rebuild=3) as death:
        death.progress(2)
        there = death.at_work()
        fleet.stack.machines[there].kill()
        other = Death(fleet, (there,))
        death.told("server.stranded", f"its destination {there} died in the middle")
        fleet.recovered(death, other)
        fleet.stack.machines[there].start()


@pytest.mark.stand_ins("A libvirt that nobody has stopped ends what it was at.")
def test_nova_compute_of_the_destination_restarts(fleet: Fleet) -> None:
    """It has forgotten what it was at, and its host was never dead: a server may run
    there that Nova does not know of, so the history says so, and a person decides."""
    with fleet.death(A, rebuild=3) as death:
        death.progress(2)
        there = death.at_work()
        with injected(Crash(there), fleet.stack):
            pass
    assert death.events("server.slow") or death.events("server.failed")
    fenced = [s for s in fleet.stack.switched() if s["at"] > death.at]
    assert [s for s in fenced if s["host"] == there and s["event"] == "off"] == []


@AMONG_SERVICES
def test_broker_restarts(fleet: Fleet) -> None:
    before = fleet.said(DEAF), fleet.said(HEARS)
    with fleet.death(B) as death:
        death.progress(2)
        with injected(Outage("rabbitmq"), fleet.stack):
            fleet.says(DEAF, before[0])
        fleet.says(HEARS, before[1])


@AMONG_SERVICES
def test_database_restarts(fleet: Fleet) -> None:
    """That of Nova, keystone, Placement and of the journal."""
    before = fleet.said(FULL), fleet.said(ROOM)
    with fleet.death(A) as death:
        death.progress(2)
        with injected(Outage("mariadb"), fleet.stack):
            fleet.says(FULL, before[0])
        fleet.says(ROOM, before[1])
    assert fleet.said(FULL) == before[0] + 1


@AMONG_SERVICES
def test_clock_jumps(fleet: Fleet) -> None:
    """An hour forward, and back: it is said, and nobody else is held for dead."""
    with fleet.death(B) as death:
        death.progress(2)
        with injected(ClockJump(fleet.service, AHEAD), fleet.stack):
            fleet.says("the clock of this machine was set by")
        told = "clock.jumped"
        fleet.wait("both jumps", lambda: len(fleet.events(told, death.at)) == 2)
    since = HistoryQuery(since=death.at - 1)
    assert {r.host for r in fleet.history.recoveries(since)} == set(death.hosts)
