# SPDX-License-Identifier: Apache-2.0
"""The search for a place for as many as can be: hosts are cleared and filled again in
another order, over and over.

It is done some ten thousand times for one plan, so it is done in numbers: servers and
hosts are their places in lists, and all amounts of a host stand in one whole number,
side by side, each with a bit above it that is borrowed from where it is exceeded. A
group that is kept apart is an amount, too: each host has one of it.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from math import inf
from random import Random

from nova_ha_scheduler.cluster.model import Resources

_EFFORT = 3_000_000
"""How many looks at a host a search may take: some tenths of a second."""

_PATIENCE = 20_000
"""After how many attempts without success it is given up."""

_HOSTS, _WAITING = 3, 8
"""How many hosts are cleared in one attempt, for how many servers without a place."""

_NOW_AND_THEN = 200
"""Attempts between two looks at who is hopeless."""

_ORDERS = (1, -1, 0)
"""The smallest first: that is how most of them fit; the largest first: that is how all
of them fit; or as it comes."""

_SIDESTEPS = 0.05
"""Of the attempts after which as many have a place, but more is lacking to the next
one's: how many are kept."""

_NEAREST = 4
"""Of how many servers it is looked at what is lacking."""


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


class Repacking:
    """
    :ivar at: the host of each server, by number; -1: none.
    """

    def __init__(self, items: Sequence[Item], rooms: Sequence[Resources]) -> None:
        """Find places.

        :param items: the servers, the most urgent one first.
        :param rooms: what each host gives; what is below 0 counts as 0.
        """
        self._kinds = sorted({what for item in items for what in item.needs})
        self._apart = sorted({item.apart for item in items if item.apart is not None})
        amounts = [
            n for has in (*rooms, *(i.needs for i in items)) for n in has.values()
        ]
        self._width = max(1, *amounts).bit_length() + 1 if amounts else 2
        fields = len(self._kinds) + len(self._apart)
        self._guard = sum(1 << (self._width * (n + 1) - 1) for n in range(fields))
        self._items = items
        self._needs = [self._packed(i.needs, (i.apart,)) for i in items]
        self._free = [self._packed(has, self._apart) | self._guard for has in rooms]
        self._weights = self._weigh(rooms)
        self._sizes = [self._size(item.needs) for item in items]
        self._left = [self._size(room) for room in rooms]
        self._by_size = sorted(range(len(items)), key=lambda i: (self._sizes[i], i))
        self._wanted = [self._weighed(item) for item in items]
        self._around = _connected([[*i.spots[0], *i.spots[1]] for i in items])
        self._score = [0] * (max((item.alike for item in items), default=-1) + 1)
        self._effort = _EFFORT
        self.at = [-1] * len(items)
        self._place(sorted(self._by_size, key=lambda i: items[i].alike))
        self._improve()

    def _packed(self, amounts: Resources, apart: Collection[str | None]) -> int:
        found = [max(0, amounts.get(what, 0)) for what in self._kinds]
        found += [int(group in apart) for group in self._apart]
        return sum(n << (self._width * place) for place, n in enumerate(found))

    def _weigh(self, rooms: Sequence[Resources]) -> dict[str, float]:
        """What a unit of a resource counts for: the scarcer it is, the more."""
        wanted = {w: sum(i.needs.get(w, 0) for i in self._items) for w in self._kinds}
        there = {w: sum(max(0, r.get(w, 0)) for r in rooms) for w in self._kinds}
        return {w: wanted[w] / there[w] ** 2 for w in self._kinds if there[w]}

    def _size(self, amounts: Resources) -> float:
        return sum(w * max(0, amounts.get(k, 0)) for k, w in self._weights.items())

    def _weighed(self, item: Item) -> list[tuple[int, int, float]]:
        """What it needs: where that stands, how much, and what a unit counts for."""
        return [
            (self._width * place, item.needs[what], self._weights[what])
            for place, what in enumerate(self._kinds)
            if what in self._weights and item.needs.get(what)
        ]

    def _place(self, order: Sequence[int]) -> None:
        """Put each where the least room is left, if it fits anywhere."""
        free, left, guard = self._free, self._left, self._guard
        for index in order:
            need, item = self._needs[index], self._items[index]
            best, least = -1, inf
            for hosts in item.spots:
                self._effort -= len(hosts)
                for host in hosts:
                    if left[host] < least and (free[host] - need) & guard == guard:
                        best, least = host, left[host]
                if best >= 0:
                    self.at[index] = best
                    free[best] -= need
                    left[best] -= self._sizes[index]
                    self._score[item.alike] += 1
                    break

    def _clear(self, hosts: Sequence[int]) -> list[int]:
        """Take all from some hosts."""
        cleared, found = set(hosts), []
        for index, host in enumerate(self.at):
            if host in cleared:
                found.append(index)
                self.at[index] = -1
                self._free[host] += self._needs[index]
                self._left[host] += self._sizes[index]
                self._score[self._items[index].alike] -= 1
        return found

    def _improve(self) -> None:
        """Keep what is better; and of what is as good, mostly what brings the room
        together that somebody lacks."""
        random = Random(0)  # each plan begins alike: the same question, the same answer
        lacking, hopeless = self._lacking(), self._hopeless()
        patience = _PATIENCE
        while self._effort > 0 and patience:
            waiting = [
                index
                for index, host in enumerate(self.at)
                if host < 0 and index not in hopeless
            ]
            if not waiting:
                return
            patience -= 1
            if patience % _NOW_AND_THEN == 0:
                hopeless = self._hopeless()
            before = self.at[:], self._free[:], self._left[:], self._score[:]
            waiting = random.sample(waiting, min(_WAITING, len(waiting)))
            around = sorted({host for index in waiting for host in self._around[index]})
            some = min(random.randint(1, _HOSTS), len(around))
            pool = self._clear(random.sample(around, some)) + waiting
            self._place(self._shuffled(pool, random))
            best = before[-1]
            if self._score > best:
                patience = _PATIENCE
                lacking, hopeless = self._lacking(), self._hopeless()
                continue
            if self._score == best:
                left = self._lacking()
                if left <= lacking or random.random() < _SIDESTEPS:
                    lacking = left
                    continue
            self.at, self._free, self._left, self._score = before

    def _shuffled(self, pool: Sequence[int], random: Random) -> list[int]:
        """In another order; half of the time, the more urgent ones first."""
        power, by_class = random.choice(_ORDERS), random.random() < 0.5
        keys = {}
        for index in pool:
            size = self._sizes[index] ** power if self._sizes[index] else 0.0
            alike = self._items[index].alike if by_class else 0
            keys[index] = alike, random.uniform(0.3, 1.5) * size
        return sorted(pool, key=keys.__getitem__)

    def _lacking(self) -> float:
        """What is missing to the next one's place, by size: on any spot of any of the
        smallest that have none."""
        waiting = [i for i in self._by_size if self.at[i] < 0][:_NEAREST]
        mask = (1 << (self._width - 1)) - 1
        least = inf
        for index in waiting:
            wanted = self._wanted[index]
            for hosts in self._items[index].spots:
                self._effort -= 3 * len(hosts)  # it takes that much longer
                for host in hosts:
                    free, lacks = self._free[host], 0.0
                    for shift, need, weight in wanted:
                        there = (free >> shift) & mask
                        if need > there:
                            lacks += weight * (need - there)
                    least = min(least, lacks)
        return least

    def _hopeless(self) -> set[int]:
        """Those without a place where all the room that is left on the hosts around
        together is less than half of what they need."""
        mask = (1 << (self._width - 1)) - 1
        found = set()
        for index, host in enumerate(self.at):
            if host >= 0:
                continue
            needs, around = self._items[index].needs, self._around[index]
            for place, what in enumerate(self._kinds):
                shift = self._width * place
                there = sum((self._free[host] >> shift) & mask for host in around)
                if 2 * there < needs.get(what, 0) or not around:
                    found.add(index)
        return found


def _connected(spots: Sequence[Sequence[int]]) -> list[Sequence[int]]:
    """The hosts to which room can be moved, by who waits: its own spots, those of the
    servers that may go to these, and so on."""
    members: dict[int, set[int]] = {}
    for hosts in spots:
        merged = set(hosts)
        for known in {id(m): m for h in hosts if (m := members.get(h))}.values():
            merged |= known
        members.update(dict.fromkeys(merged, merged))
    lists = {id(found): sorted(found) for found in members.values()}
    return [lists[id(members[hosts[0]])] if hosts else [] for hosts in spots]
