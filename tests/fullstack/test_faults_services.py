# SPDX-License-Identifier: Apache-2.0
"""Services answer badly, or not at all, while a host's servers are being recovered."""

import pytest

from tests.lib.stack.faults import (
    BadAnswers,
    FullDisk,
    Outage,
    ShortTokens,
    injected,
    tokens,
)
from tests.lib.stack.fleet import Fleet

pytestmark = pytest.mark.stand_ins("The faults lie between the trigger and its peers.")

A, B = "nfs-a", "nfs-b"

EVACUATE = {"method": "POST", "path": "/action$", "body": "evacuate", "count": 3}
FULL, ROOM = "The journal cannot be used", "The journal can be used again."
BLIND, SIGHTED = "The cloud cannot be seen", "The cloud can be seen again."


def test_requests_fail(fleet: Fleet) -> None:
    """Some requests for evacuations are refused, fail, or lose their answers."""
    faults = [
        BadAnswers("compute", "answer", {**EVACUATE, "status": status})
        for status in (500, 503, 409)
    ] + [BadAnswers("compute", does, dict(EVACUATE)) for does in ("lose", "close")]
    for fault in faults:
        fault.inject(fleet.stack)
    with fleet.death(A) as death:
        pass
    for fault in faults:
        assert fault.hits == 3, fault
        fault.heal(fleet.stack)
    assert any("409" in e.reason for e in death.events("server.waiting"))
    arrivals = [a for a in fleet.facts().arrivals if a.at > death.at]
    assert len(arrivals) == len({a.server for a in arrivals}), "once each"


def test_nova_api_fails(fleet: Fleet) -> None:
    """500, no answer, and then slow answers: said once when it begins, and once when it
    is over."""
    before = fleet.said(BLIND), fleet.said(SIGHTED)
    with fleet.death(B) as death:
        death.progress(4)
        with injected(BadAnswers("compute", "answer", {"status": 500}), fleet.stack):
            fleet.wait("blindness", lambda: fleet.said(BLIND) == before[0] + 1)
        fleet.wait("sight", lambda: fleet.said(SIGHTED) == before[1] + 1)
        with injected(BadAnswers("compute", "hang"), fleet.stack):
            fleet.wait("blindness", lambda: fleet.said(BLIND) == before[0] + 2)
        fleet.wait("sight", lambda: fleet.said(SIGHTED) == before[1] + 2)
        slow = BadAnswers("compute", "delay", {"seconds": 2})
        slow.inject(fleet.stack)
    slow.heal(fleet.stack)
    assert slow.hits
    assert fleet.said(BLIND) == before[0] + 2
    told = fleet.events("detector.blind", death.at)
    assert any("500" in event.reason for event in told), told


def test_tokens_expire(fleet: Fleet) -> None:
    """Nova refuses the one that the trigger has, and later ones hold for seconds: it
    logs in again, which is not worth a word."""
    said = fleet.said(BLIND)
    expired = BadAnswers("compute", "answer", {"status": 401, "count": 1})
    with fleet.death(A, rebuild=2) as death:
        death.progress(2)
        before = set(tokens(fleet.stack))
        with injected(expired, fleet.stack):
            fleet.wait("a login", lambda: {*tokens(fleet.stack)} - before)
        assert expired.hits == 1
        assert fleet.said(BLIND) == said
        before = set(tokens(fleet.stack))
        short = ShortTokens(seconds=4)
        short.inject(fleet.stack)
        fleet.wait("two more", lambda: len({*tokens(fleet.stack)} - before) >= 2)
    assert fleet.said(BLIND) <= said + 1, "keystone itself was restarted"
    short.heal(fleet.stack)


def test_placement_fails(fleet: Fleet) -> None:
    with fleet.death(B) as death:
        death.progress(4)
        with injected(Outage("placement"), fleet.stack):
            told = "detector.blind"
            fleet.wait("blindness", lambda: fleet.events(told, death.at))
    assert fleet.events("detector.sighted", death.at)


def test_full_disk(fleet: Fleet) -> None:
    """What cannot be written down is not done; when there is room, all goes on."""
    file = fleet.stack.folder / "journal.sqlite"
    with fleet.other_trigger("full-disk", journal=f"sqlite:///{file}") as trigger:
        service = trigger.service("full-disk")
        service.start()
        with fleet.death(A) as death:
            death.progress(4)
            before = fleet.said(FULL), fleet.said(ROOM)
            with injected(FullDisk(service, file), fleet.stack):
                fleet.says(FULL, before[0])
                requests = len(fleet.evacuations())
                looks = len(fleet.stack.gates["compute"].requests)
                seen = fleet.stack.gates["compute"].requests
                fleet.wait("more steps", lambda: len(seen) > looks + 4)
                assert len(fleet.evacuations()) == requests
            fleet.says(ROOM, before[1])


def test_fence_devices_fail_while_two_zones_die(fleet: Fleet) -> None:
    """One answers 500, the other not at all: their hosts stay unfenced, and no server
    moves, until they answer."""
    path = fleet.stack.redfish.path
    system = {zone: "|".join(map(path, fleet.homes(zone))) for zone in (A, B)}
    failing = BadAnswers("redfish", "answer", {"path": system[A], "status": 500})
    hanging = BadAnswers("redfish", "hang", {"path": system[B]})
    with (
        injected(failing, fleet.stack),
        injected(hanging, fleet.stack),
        fleet.deaths(A, B) as deaths,
    ):
        for death in deaths:
            death.told("host.held", "it could not be fenced")
            assert not death.events("server.asked")
        failing.heal(fleet.stack)
        hanging.heal(fleet.stack)
