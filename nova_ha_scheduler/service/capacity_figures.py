# SPDX-License-Identifier: Apache-2.0
"""How many failures each zone tolerates, as ``nova-ha capacity`` says it; made in a
process of its own, and read in the trigger."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from nova_ha_scheduler import codec
from nova_ha_scheduler.cluster.picture import Picture
from nova_ha_scheduler.planner import capacity, remedies, reserve
from nova_ha_scheduler.planner.ground import Ground
from nova_ha_scheduler.planner.preferences import Preferences

FORMAT = codec.Format("nova-ha-capacity", 1)

FREE, IN_USE, DOWN, UNUSABLE = RESERVE_STATES = ("free", "in_use", "down", "unusable")
"""Of a host of the reserve: it can be counted on; it has servers; it is down; it is no
help for another reason."""

_STATES = {"in use": IN_USE, "down": DOWN}


@dataclass(frozen=True)
class ZoneFigures:
    """
    :ivar hosts: how many protected hosts may die.
    :ivar tolerated: how many of them may die together, whichever they are.
    :ivar exact: whether one more would be too many; else it is at least as many.
    :ivar reserve: the hosts of the reserve, by state; see RESERVE_STATES.
    :ivar left_first: the server that would be left first; "": none would be.
    :ivar problems: sentences.
    """

    name: str
    hosts: int
    tolerated: int
    exact: bool = True
    reserve: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    left_first: str = ""
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class CapacityFigures:
    """:ivar taken_at: when the cloud was looked at, in seconds since the epoch."""

    taken_at: float
    zones: tuple[ZoneFigures, ...] = ()


def of(picture: Picture, preferences: Preferences) -> CapacityFigures:
    """Each zone's; that takes a while where there are many hosts."""
    ground, servers = Ground(picture.hosts, preferences), picture.servers
    closed = {
        host: _STATES.get(why, UNUSABLE)
        for zone in reserve.zones(ground, servers)
        for host, why in zone.unusable.items()
    }
    found = []
    for zone in capacity.zones(ground, servers):
        first = remedies.first_left(zone)
        states: dict[str, tuple[str, ...]] = {}
        for host in zone.reserve:
            state = closed.get(host.name, FREE)
            states[state] = (*states.get(state, ()), host.name)
        found.append(
            ZoneFigures(
                zone.name,
                len(zone.hosts),
                zone.survivable,
                zone.exact,
                states,
                first.server.name if first else "",
                tuple(remedies.problems(ground, servers, zone, 1)),
            )
        )
    return CapacityFigures(picture.taken_at, tuple(found))


def dump(figures: CapacityFigures) -> str:
    """On one line."""
    return json.dumps(FORMAT.plain(figures))


def load(text: str) -> CapacityFigures:
    """:raises codec.Unreadable: it is not what dump() makes."""
    return FORMAT.load(CapacityFigures, text)
