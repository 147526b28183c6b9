# SPDX-License-Identifier: Apache-2.0
"""When any so many hosts may die, without a look at each combination: a safe bound.

It holds for everybody who places servers one after the other, in any order, on any
host that has room: the planner, and Nova's scheduler, too.

Say that each server is at most as large as the largest, b. A host with free amounts f
refuses one only if more than f - b of some resource was taken there. So if amounts are
weighed, each host takes at least the smallest of its weighed f - b before it refuses;
and what all hosts take so is enough for all that has to be placed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nova_ha_scheduler.cluster.providers import Resources


@dataclass(frozen=True)
class Stand:
    """One host, as the bound sees it.

    :ivar demand: what its servers need elsewhere if it dies.
    :ivar servers: how many they are.
    :ivar free: what it gives to servers of others; None: it takes none.
    """

    demand: Resources
    servers: int
    free: Resources | None


def survives(stands: Sequence[Stand], largest: Resources, failures: int) -> bool:
    """Whether any so many of these hosts can die together.

    :param largest: no server needs more of anything.
    """
    if not any(stand.servers for stand in stands):
        return True
    if sum(stand.free is not None for stand in stands) <= failures:
        return False  # all of these may be the ones that die
    slots = [_slots(stand, largest) for stand in stands]
    counted = [s.servers + n for s, n in zip(stands, slots, strict=True)]
    if _top(counted, failures) <= sum(slots):
        return True
    weights = _weights(stands, largest, failures)
    rooms = [_room(stand.free, largest, weights) for stand in stands]
    lost = [
        _weigh(stand.demand, weights) + room
        for stand, room in zip(stands, rooms, strict=True)
    ]
    return _top(lost, failures) <= sum(rooms)


def _slots(stand: Stand, largest: Resources) -> int:
    """How many servers fit, however large they are."""
    free = stand.free
    if free is None:
        return 0
    return min((free.get(what, 0) // n for what, n in largest.items() if n), default=0)


def _weights(
    stands: Sequence[Stand], largest: Resources, failures: int
) -> Mapping[str, float]:
    """Each resource, by the most of it that can be wanted; without those of which
    every host has that much."""
    weights = {}
    for what in largest:
        most = _top([stand.demand.get(what, 0) for stand in stands], failures)
        free = [s.free.get(what, 0) for s in stands if s.free is not None]
        if most and any(n < most for n in free):
            weights[what] = 1 / most
    return weights


def _room(
    free: Resources | None, largest: Resources, weights: Mapping[str, float]
) -> float:
    """What a host takes at least before it refuses a server, weighed."""
    if free is None:
        return 0
    left = (w * (free.get(what, 0) - largest[what]) for what, w in weights.items())
    return max(0, min(left, default=1))


def _weigh(amounts: Resources, weights: Mapping[str, float]) -> float:
    return sum(w * amounts.get(what, 0) for what, w in weights.items())


def _top(numbers: Sequence[float], count: int) -> float:
    return sum(sorted(numbers)[-count:])
