# SPDX-License-Identifier: Apache-2.0
"""The search for a place for as many as can be.

The more urgent classes come first; what they have found, a later class may move, but
not lessen. Within a class, one more server is put where it lacks the least, and then
servers are exchanged, at random, until nothing is missing anywhere: between hosts, and
with those of their own class that wait. What makes it worse is done, too, the less
often the worse it is, and ever less often; then all over again, from where it stands
(simulated annealing). It ends where it is proven that no more can have a place
(:mod:`.ceiling`), or after so many attempts.

Servers and hosts are their places in lists; -1 is no server, and no host: nowhere,
with room for everybody.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from math import log
from random import Random

from nova_ha_scheduler.cluster.providers import Resources
from nova_ha_scheduler.planner.ceiling import ROUNDS, out_of_reach
from nova_ha_scheduler.planner.packed_amounts import Item, PackedAmounts

_EFFORT = 1_800_000
"""How many exchanges a plan may try: two or three seconds."""

_QUICK = 12
"""How much less a quick search may try: some tenths of a second."""

_PATIENCE = 1_000_000
"""How many of them for one more server."""

_ROUND = 10_000
"""In how many of them it cools down."""

_HEAT = 0.12
"""By how much it may become worse at first, in servers of the mean size."""

_MOVES = 0.2
"""How many of the exchanges are with nobody: a server goes to another host."""

_AT_FAULT = 0.5
"""How many begin on a host where something is missing."""

_SECOND = 0.05
"""What a second choice counts for, in servers of the mean size."""


def repack(
    items: Sequence[Item], rooms: Sequence[Resources], thorough: bool = True
) -> list[int]:
    """Find places.

    :param items: the servers, the most urgent one first.
    :param rooms: what each host gives; what is below 0 counts as 0.
    :param thorough: else it is given up sooner.
    :returns: the host of each server; -1: none.
    """
    at = [-1] * len(items)
    effort = _EFFORT if thorough else _EFFORT // _QUICK
    parts = list(_apart(items))
    for number, (members, hosts) in enumerate(parts):
        known = {host: place for place, host in enumerate(hosts)}
        there = [_renumbered(items[index], known) for index in members]
        share = effort // (len(parts) - number)
        search = _Exchanges(there, [rooms[host] for host in hosts], share)
        effort -= share - search.effort
        for index, place in zip(members, search.at, strict=True):
            at[index] = hosts[place] if place >= 0 else -1
    return at


def _apart(items: Sequence[Item]) -> Iterator[tuple[list[int], list[int]]]:
    """Servers and hosts that have nothing to do with the others: no chain of servers
    leads from here to there, each with spots on both sides."""
    members: dict[int, set[int]] = {}
    spots = [{*item.spots[0], *item.spots[1]} for item in items]
    for merged in spots:
        for known in {id(m): m for h in merged if (m := members.get(h))}.values():
            merged = merged | known
        members.update(dict.fromkeys(merged, merged))
    parts: dict[int, list[int]] = {}
    for index, hosts in enumerate(spots):
        if hosts:
            parts.setdefault(id(members[min(hosts)]), []).append(index)
    for found in parts.values():
        yield found, sorted(members[min(spots[found[0]])])


def _renumbered(item: Item, known: dict[int, int]) -> Item:
    first, second = ([known[host] for host in hosts] for hosts in item.spots)
    return Item(item.needs, item.alike, (first, second), item.apart)


class _Exchanges:
    """
    :ivar at: the host of each server.
    :ivar effort: how many exchanges are left.
    """

    def __init__(
        self, items: Sequence[Item], rooms: Sequence[Resources], effort: int
    ) -> None:
        """
        :param items: each has a spot.
        """
        self._items, self._rooms = items, rooms
        self._amounts = amounts = PackedAmounts(items, rooms)
        self._needs = [*amounts.needs, 0]
        self._alike = [*(item.alike for item in items), -1]
        self._costs = _costs(items, len(rooms))
        self._hosts = [[*item.spots[0], *item.spots[1]] for item in items]
        self._free = [*amounts.rooms, amounts.guard]  # all are nowhere
        self._random = Random(0)  # the same question, the same answer
        self.effort = effort
        self.at = [-1] * len(items)
        for alike in sorted({item.alike for item in items}):
            self._fill(alike)
        self._prefer()

    def _fill(self, alike: int) -> None:
        """Find places for a class."""
        sizes = self._amounts.sizes
        equals = [i for i, item in enumerate(self._items) if item.alike == alike]
        equals.sort(key=lambda index: (sizes[index], index))
        self._place(equals)
        # Who waits may be exchanged for one that waits, too, if that has the same
        # spots; so one server is tried of each kind of spots.
        in_vain: set[tuple[int, ...]] = set()
        while self.effort > 0:
            waits = (i for i in equals if self.at[i] < 0)
            wanted = (i for i in waits if tuple(self._hosts[i]) not in in_vain)
            if (waiting := next(wanted, None)) is None:
                return
            found = self._make_room(waiting)
            if found is None:
                return
            if not found:
                in_vain.add(tuple(self._hosts[waiting]))

    def _place(self, order: Sequence[int]) -> None:
        """Put each where the least room is left, if it fits anywhere."""
        free, guard, size = self._free, self._amounts.guard, self._amounts.size
        left = [size(room) for room in free]
        for index in order:
            need = self._needs[index]
            for hosts in self._items[index].spots:
                fitting = [h for h in hosts if (free[h] - need) & guard == guard]
                if fitting:
                    host = min(fitting, key=left.__getitem__)
                    self._put(index, host)
                    left[host] = size(free[host])
                    break

    def _put(self, index: int, host: int) -> None:
        self._free[self.at[index]] += self._needs[index]
        self._free[host] -= self._needs[index]
        self.at[index] = host

    def _make_room(self, index: int) -> bool | None:
        """Find a place for one more of a class.

        :returns: None if it is proven that no other one of the class can have one.
        """
        before = self.at[:]
        free, need, missing = self._free, self._needs[index], self._amounts.missing
        hosts = self._hosts[index]
        self._put(index, min(hosts, key=lambda host: missing(free[host] - need)))
        last = self._alike[index]
        members = [i for i, item in enumerate(self._items) if item.alike <= last]
        counts = Counter(self._alike[i] for i in members if self.at[i] >= 0)
        wanted = [counts[alike] for alike in range(last + 1)]
        if self._exchange(members, _ROUND):
            return True
        self.effort -= ROUNDS * len(members)  # a proof takes about as long
        hopeless = out_of_reach(self._items, self._rooms, wanted)
        if not hopeless and self._exchange(members, _PATIENCE):
            return True
        for other, host in enumerate(before):
            self._put(other, host)
        return None if hopeless else False

    def _exchange(self, members: Sequence[int], attempts: int) -> bool:
        """Exchange servers until nothing is missing; tell whether that was reached.

        What is looked at so often has a name of its own here, which is faster.

        :param members: those that may be exchanged; no others have a place.
        """
        free, needs, alike, costs = self._free, self._needs, self._alike, self._costs
        hosts, at = self._hosts, [*self.at, -1]
        missing, guard = self._amounts.missing, self._amounts.guard
        random, count = self._random.random, len(members)
        lacks = [missing(room) for room in free]
        on: list[list[int]] = [[] for _ in free]
        for index in members:
            on[at[index]].append(index)
        fault = [host for host, lack in enumerate(lacks) if lack]
        attempts = min(attempts, self.effort)
        done = 0
        while fault and done < attempts:
            heat = _HEAT * (1 - done % _ROUND / _ROUND)
            done += 1
            if random() < _AT_FAULT:
                choice = on[fault[int(random() * len(fault))]]
                one = choice[int(random() * len(choice))]
            else:
                one = members[int(random() * count)]
            if random() < _MOVES:
                other, to = -1, hosts[one][int(random() * len(hosts[one]))]
            else:
                other = members[int(random() * count)]
                to = at[other]
            here = at[one]
            if here == to or to not in costs[one] or here not in costs[other]:
                continue
            if (here < 0 or to < 0) and alike[one] != alike[other]:
                continue
            worse = costs[one][to] - costs[one][here]
            worse += costs[other][here] - costs[other][to]
            limit = lacks[here] + lacks[to] - worse - heat * log(1 - random())
            more = needs[one] - needs[other]
            left = free[here] + more
            lack = 0.0 if left & guard == guard else missing(left)
            if lack > limit:
                continue
            taken = free[to] - more
            lack_there = 0.0 if taken & guard == guard else missing(taken)
            if lack + lack_there > limit:
                continue
            free[here], free[to] = left, taken
            at[one] = to
            on[here].remove(one)
            on[to].append(one)
            if other >= 0:
                at[other] = here
                on[to].remove(other)
                on[here].append(other)
            if lacks[here] != lack or lacks[to] != lack_there:
                lacks[here], lacks[to] = lack, lack_there
                fault = [host for host, lack in enumerate(lacks) if lack]
        self.at = at[:-1]
        self.effort -= done
        return not fault

    def _prefer(self) -> None:
        """Take who went to a second choice to a first one, where there is room now."""
        for index, host in enumerate(self.at):
            if host in self._items[index].spots[1]:
                self._put(index, -1)
                self._place([index])


def _costs(items: Sequence[Item], hosts: int) -> list[dict[int, float]]:
    """What it counts for that a server is on a host, by host; the last one is nobody,
    who may be on any."""
    known: dict[tuple[tuple[int, ...], ...], dict[int, float]] = {}
    found = []
    for item in items:
        first, second = tuple(item.spots[0]), tuple(item.spots[1])
        if (first, second) not in known:
            costs = {-1: 0.0} | dict.fromkeys(second, _SECOND)
            known[first, second] = costs | dict.fromkeys(first, 0.0)
        found.append(known[first, second])
    return [*found, dict.fromkeys(range(-1, hosts), 0.0)]
