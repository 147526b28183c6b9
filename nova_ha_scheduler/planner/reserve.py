# SPDX-License-Identifier: Apache-2.0
"""What admission has to know of a cloud's reserve, zone by zone."""

from collections.abc import Mapping

from nova_ha_scheduler.cluster.picture import Host, Server
from nova_ha_scheduler.planner.ground import Ground
from nova_ha_scheduler.planner.losses import WhatIf
from nova_ha_scheduler.rules import vocabulary
from nova_ha_scheduler.rules.admission import ReserveHost, ZoneReserve


def zones(ground: Ground, servers: Mapping[str, Server]) -> tuple[ZoneReserve, ...]:
    """Each storage zone, by name, with the hosts of the reserve that count."""
    occupied = {server.host for server in servers.values()}
    down = WhatIf(ground, servers).down
    members: dict[str, list[Host]] = {}
    for _, host in sorted(ground.hosts.items()):
        for name in host.facts.zones:
            members.setdefault(name, []).append(host)
    return tuple(
        _zone(name, found, occupied, down) for name, found in sorted(members.items())
    )


def _zone(
    name: str, members: list[Host], occupied: set[str], down: tuple[str, ...]
) -> ZoneReserve:
    reserve: list[ReserveHost] = []
    unusable = {}
    for host in members:
        if vocabulary.RESERVED not in host.facts.flags:
            continue
        if why := _unusable(host, occupied):
            unusable[host.name] = why
        else:
            free = dict(host.free or {})
            place = host.traits, host.availability_zone
            reserve.append(ReserveHost(host.name, free, *place))
    dead = tuple(host.name for host in members if host.name in down)
    return ZoneReserve(name, tuple(reserve), unusable, dead)


def _unusable(host: Host, occupied: set[str]) -> str:
    """Why it cannot be counted on; one that is in use is itself something to lose."""
    facts = host.facts
    if facts.bad:
        return facts.bad[0][1]
    if len(facts.zones) > 1:
        return f"in {facts.zone_words}"
    if vocabulary.HA not in facts.flags:
        return "in no aggregate with ha=true"
    if vocabulary.MAINTENANCE in facts.flags:
        return "under maintenance"
    if not host.up:
        return "down"
    if host.disabled:
        return "disabled"
    if host.free is None:
        return "its free room is unknown"
    if host.name in occupied or host.free != host.capacity:
        return "in use"
    return ""
