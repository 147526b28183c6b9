# SPDX-License-Identifier: Apache-2.0
"""What is published of a reserve, and which of its hosts do not count."""

from typing import Any

import pytest

from nova_ha_scheduler.cluster.picture import Host, Server
from nova_ha_scheduler.planner import reserve
from nova_ha_scheduler.planner.ground import Ground
from nova_ha_scheduler.planner.preferences import Preferences
from nova_ha_scheduler.rules.admission import ReserveHost, ZoneReserve
from nova_ha_scheduler.rules.terms import HostFacts

ROOM = {"VCPU": 4, "MEMORY_MB": 4096}
A, B = {"storage_zone": "nfs-a"}, {"storage_zone": "nfs-b"}
HA, RESERVED = {"ha": "true"}, {"ha:reserved": "true"}


def _host(name: str, *tags: dict[str, str], **values: Any) -> Host:
    given = {"free": ROOM, "capacity": ROOM} | values
    return Host(name, HostFacts.of(tags), **given)


def _zones(*hosts: Host, servers: tuple[Server, ...] = ()) -> tuple[ZoneReserve, ...]:
    ground = Ground({h.name: h for h in hosts}, Preferences())
    return reserve.zones(ground, {s.uuid: s for s in servers})


def test_what_counts() -> None:
    spare = _host("spare", A, HA, RESERVED, traits=frozenset({"T"}))
    found = _zones(_host("node", A, HA), spare, _host("other", B), _host("none", HA))
    assert found == (
        ZoneReserve("nfs-a", (ReserveHost("spare", ROOM, frozenset({"T"}), "nova"),)),
        ZoneReserve("nfs-b"),
    )


@pytest.mark.parametrize(
    ("spare", "why"),
    [
        (_host("spare", A, RESERVED), "in no aggregate with ha=true"),
        (_host("spare", A, B, HA, RESERVED), "in several zones (nfs-a, nfs-b)"),
        (
            _host("spare", A, HA, RESERVED, {"ha:maintenance": "perhaps"}),
            "ha:maintenance='perhaps' is not a boolean (true or false)",
        ),
        (
            _host("spare", A, HA, RESERVED, {"ha:maintenance": "true"}),
            "under maintenance",
        ),
        (_host("spare", A, HA, RESERVED, up=False), "down"),
        (_host("spare", A, HA, RESERVED, disabled=True), "disabled"),
        (_host("spare", A, HA, RESERVED, free=None), "its free room is unknown"),
        (_host("spare", A, HA, RESERVED, free=ROOM | {"VCPU": 3}), "in use"),
    ],
)
def test_what_does_not_count(spare: Host, why: str) -> None:
    first, *_ = _zones(_host("node", A, HA), spare)
    assert first == ZoneReserve("nfs-a", (), {"spare": why})


def test_a_server_that_takes_nothing_is_one_all_the_same() -> None:
    spare = _host("spare", A, HA, RESERVED)
    (zone,) = _zones(spare, servers=(Server("s", "s", "spare"),))
    assert zone.unusable == {"spare": "in use"}


@pytest.mark.parametrize(
    ("specs", "dead"), [({"ha": "true"}, ("node",)), ({}, ())], ids=["pet", "other"]
)
def test_who_will_take_of_the_reserve(
    specs: dict[str, str], dead: tuple[str, ...]
) -> None:
    """A dead host, as long as servers of it want a place."""
    hosts = _host("node", A, HA, up=False), _host("spare", A, HA, RESERVED)
    (zone,) = _zones(*hosts, servers=(Server("s", "s", "node", extra_specs=specs),))
    assert zone.dead == dead
