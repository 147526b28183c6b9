# SPDX-License-Identifier: Apache-2.0
"""What servers need and hosts give, in numbers: the search for places
(:mod:`.repacking`) looks at them a million times for one plan.

All amounts of a host stand in one whole number, side by side, each with a bit above it
that is borrowed when more is taken than is there. A group that is kept apart is an
amount, too: each host has one of it.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from nova_ha_scheduler.cluster.providers import Resources

_ANYTHING = 0.3
"""What it counts for that anything at all is missing: so much in one place is nearer to
a plan than a little in many."""

_APART = 0.5
"""What one too many of a group counts for."""


@dataclass(frozen=True)
class Item:
    """A server.

    :ivar alike: its class; 0 is the most urgent one.
    :ivar spots: the hosts that may take it, by number: the first choices, and those
        that are taken only if none of these has room.
    :ivar apart: the group of which no other may be on its host.
    """

    needs: Resources
    alike: int
    spots: tuple[Sequence[int], Sequence[int]]
    apart: str | None = None


class PackedAmounts:
    """
    :ivar guard: the bits that are borrowed; a host on which all are there has room.
    :ivar needs: what each server takes.
    :ivar rooms: what each host gives, with the guard.
    :ivar sizes: how large each server is: 1 is the mean.
    """

    def __init__(self, items: Sequence[Item], rooms: Sequence[Resources]) -> None:
        """
        :param rooms: what is below 0 counts as 0.
        """
        self._kinds = sorted({what for item in items for what in item.needs})
        self._apart = sorted({item.apart for item in items if item.apart is not None})
        wanted = {w: sum(i.needs.get(w, 0) for i in items) for w in self._kinds}
        there = {w: sum(max(0, r.get(w, 0)) for r in rooms) for w in self._kinds}
        most = max(len(items), *wanted.values(), *there.values(), 1)
        self._width = most.bit_length() + 1
        fields = len(self._kinds) + len(self._apart)
        self.guard = sum(1 << (self._width * (n + 1) - 1) for n in range(fields))
        self.needs = [self._packed(item.needs, (item.apart,)) for item in items]
        self.rooms = [self._packed(has, self._apart) | self.guard for has in rooms]
        # The scarcer a resource is, the more a unit of it counts for.
        scarce = {
            w: wanted[w] / there[w] ** 2 if there[w] else 0.0 for w in self._kinds
        }
        total = sum(scarce[what] * wanted[what] for what in self._kinds)
        unit = len(items) / total if total else 0.0
        self._weights = [scarce[what] * unit for what in self._kinds]
        self._fields = [
            (self._width * place, weight)
            for place, weight in enumerate(
                [*self._weights, *[_APART] * len(self._apart)]
            )
        ]
        self.sizes = [self.size(need | self.guard) for need in self.needs]

    def _packed(self, amounts: Resources, apart: Collection[str | None]) -> int:
        found = [max(0, amounts.get(what, 0)) for what in self._kinds]
        found += [int(group in apart) for group in self._apart]
        return sum(n << (self._width * place) for place, n in enumerate(found))

    def size(self, room: int) -> float:
        """How much is there, groups apart."""
        mask = (1 << (self._width - 1)) - 1
        places = self._fields[: len(self._kinds)]
        return sum(weight * ((room >> shift) & mask) for shift, weight in places)

    def missing(self, room: int) -> float:
        """How much more was taken than is there."""
        if room & self.guard == self.guard:
            return 0.0
        full, mask = 1 << (self._width - 1), (1 << self._width) - 1
        found = 0.0
        for shift, weight in self._fields:
            there = (room >> shift) & mask
            if there < full:
                found += weight * (full - there) + _ANYTHING
        return found
