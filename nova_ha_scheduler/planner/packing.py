# SPDX-License-Identifier: Apache-2.0
"""A place for as many servers as can be, the more urgent ones first.

One after the other gets the emptiest host: that spreads the load, and is what is done
where all of them fit. It also leaves a little room everywhere and much nowhere. So
where a server is left over, each dead host gets a host that takes all of it, if there
are such (:mod:`.pairing`). Where that does not do either, all are planned again,
closely packed, and the better of both plans is taken.

Better is: more of the most urgent servers have a place; if as many, more of the next
most urgent; and so on. Servers are equally urgent if they have the same priority (and
both are marked as protected, or neither). In either plan none has room that a more
urgent one without a place could use: take away all that are less urgent than it, and
it still fits nowhere.

The packed plan is searched for with a bounded effort (:mod:`.repacking`), so it need
not be the best; in each of the small clouds of ``make bench`` it places as many as an
exact solver. The same servers and hosts give the same plan, in whatever order they
come.
"""

from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from itertools import groupby

from nova_ha_scheduler.cluster.picture import Server
from nova_ha_scheduler.planner import pairing, triage
from nova_ha_scheduler.planner.board import NO_LIMITS, Board, Choice, Claim
from nova_ha_scheduler.planner.ground import Spot
from nova_ha_scheduler.planner.packed_amounts import Item
from nova_ha_scheduler.planner.preferences import Preferences
from nova_ha_scheduler.planner.repacking import repack


def place_all(
    board: Board,
    servers: Iterable[Server],
    tried: Mapping[str, Container[str]] | None = None,
    thorough: bool = True,
) -> list[tuple[Server, Choice]]:
    """Decide about evacuations that are wanted together, in the order of asking.

    :param tried: destinations that refused them, by the servers' UUIDs.
    :param thorough: take seconds, where it is not easy; else tenths of one.
    """
    preferences = board.ground.preferences
    ordered = sorted(servers, key=lambda s: triage.urgency(s, preferences))
    refused = tried or {}
    spreading = board.unlimited()
    spread = [(s, spreading.place(s, refused.get(s.uuid, ()))) for s in ordered]
    placed = {s.uuid for s, decision in spread if decision.destination}
    if len(placed) < len(ordered):
        if pairs := pairing.pair(board, ordered, refused):
            return [(s, board.place(s, only=pairs[s.host])) for s in ordered]
        packed = _Packing(board.unlimited(), ordered, refused, thorough)
        alike = classes(ordered, preferences)
        if score(alike, packed.at) > score(alike, placed):
            return [(s, packed.decide(board, s)) for s in ordered]
    if board.limits == NO_LIMITS:
        return spread
    return [(s, board.place(s, refused.get(s.uuid, ()))) for s in ordered]


def classes(servers: Iterable[Server], preferences: Preferences) -> dict[str, int]:
    """How urgent each is, by UUID: 0 are those that are asked for first."""
    found = {s.uuid: triage.urgency(s, preferences)[:2] for s in servers}
    numbers = {urgency: n for n, urgency in enumerate(sorted(set(found.values())))}
    return {uuid: numbers[urgency] for uuid, urgency in found.items()}


def score(alike: Mapping[str, int], placed: Container[str]) -> list[int]:
    """How many of each class have a place, the most urgent first: the greater list is
    the better plan.

    :param alike: see :func:`classes`.
    """
    found = Counter(number for uuid, number in alike.items() if uuid in placed)
    return [found[number] for number in range(max(alike.values(), default=-1) + 1)]


class _Packing:
    """
    :ivar at: where those are that have a place, by UUID.
    """

    def __init__(
        self,
        board: Board,
        servers: Sequence[Server],
        tried: Mapping[str, Container[str]],
        thorough: bool,
    ) -> None:
        """Find places.

        :param board: without limits; what is placed is taken there.
        :param servers: the most urgent one first.
        """
        self.at: dict[str, Spot] = {}
        self._board = board
        self._spots = {s.uuid: _untried(board.spots(s), tried, s) for s in servers}
        self._settle(servers, self._search(servers, thorough))

    def decide(self, board: Board, server: Server) -> Choice:
        """The decision about a server, within the limits of a board."""
        if spot := self.at.get(server.uuid):
            return board.place(server, only=spot.host.name)
        return self._board.place(server)  # why it has no place beside the others

    def _search(self, servers: Sequence[Server], thorough: bool) -> dict[str, Spot]:
        """Where they are in the best plan that is found."""
        fitting = {
            server.uuid: [
                s for s in self._spots[server.uuid] if self._board.fits(server, s)
            ]
            for server in servers
        }
        hosts = {s.host.name: s.host for spots in fitting.values() for s in spots}
        names = sorted(hosts)
        numbers = {name: number for number, name in enumerate(names)}
        alike = classes(servers, self._board.ground.preferences)
        items = []
        for server in servers:
            choices: tuple[list[int], list[int]] = [], []
            for spot in sorted(fitting[server.uuid], key=_later):
                choices[spot.blind].append(numbers[spot.host.name])
            apart = server.group if server.group_apart else None
            items.append(Item(server.needs, alike[server.uuid], choices, apart))
        rooms = [self._board.free(hosts[name]) for name in names]
        found = zip(servers, repack(items, rooms, thorough), strict=True)
        return {
            server.uuid: next(
                s for s in fitting[server.uuid] if s.host.name == names[number]
            )
            for server, number in found
            if number >= 0
        }

    def _settle(self, servers: Sequence[Server], found: Mapping[str, Spot]) -> None:
        """Settle all in order, each where it was found or, if a more urgent one has
        taken that, elsewhere: nobody keeps room that is due to another."""
        alike = classes(servers, self._board.ground.preferences)
        waiting: list[Server] = []
        for _, equals in groupby(servers, lambda s: alike[s.uuid]):
            for server in equals:
                spot = found.get(server.uuid)
                if spot and self._board.fits(server, spot):
                    self._put(server, spot)
                else:
                    waiting.append(server)
            waiting = [server for server in waiting if not self._squeeze_in(server)]

    def _squeeze_in(self, server: Server) -> bool:
        """Put a server where the least room is left, if it fits anywhere."""
        spots = self._spots[server.uuid]
        fitting = [spot for spot in spots if self._board.fits(server, spot)]
        if fitting:
            self._put(server, min(fitting, key=self._tightness))
        return bool(fitting)

    def _tightness(self, spot: Spot) -> tuple[bool, int, bool, str]:
        free = self._board.free(spot.host).get("MEMORY_MB", 0)
        return spot.blind, free, spot.spared, spot.host.name

    def _put(self, server: Server, spot: Spot) -> None:
        self._board.take(Claim.of(spot.host.name, server))
        self.at[server.uuid] = spot


def _later(spot: Spot) -> tuple[bool, str]:
    """Which of two that are as full comes first."""
    return spot.spared, spot.host.name


def _untried(
    spots: list[Spot], tried: Mapping[str, Container[str]], server: Server
) -> list[Spot]:
    refused = tried.get(server.uuid, ())
    return [spot for spot in spots if spot.host.name not in refused] or spots
