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

The packed plan is searched for with a bounded effort: it is good (``make bench``
compares it with an exact solver's), not always the best. The same servers and hosts
give the same plan, in whatever order they come.
"""

from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from itertools import groupby
from random import Random

from nova_ha_scheduler.cluster.model import Resources, Server
from nova_ha_scheduler.planner import pairing, triage
from nova_ha_scheduler.planner.board import NO_LIMITS, Board, Claim, Decision
from nova_ha_scheduler.planner.ground import Spot
from nova_ha_scheduler.planner.preferences import Preferences

_EFFORT = 200_000
"""How many looks at a host a search may take: some tenths of a second."""

_PATIENCE = 2000
"""After how many attempts without success it is given up."""

_HOSTS, _WAITING = 3, 8
"""How many hosts are cleared in one attempt, for how many servers without a place."""


def place_all(
    board: Board,
    servers: Iterable[Server],
    tried: Mapping[str, Container[str]] | None = None,
) -> list[tuple[Server, Decision]]:
    """Decide about evacuations that are wanted together, in the order of asking.

    :param tried: destinations that refused them, by the servers' UUIDs.
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
        packed = _Packing(board.unlimited(), ordered, refused)
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
    ) -> None:
        """Find places.

        :param board: without limits; what is placed is taken there.
        :param servers: the most urgent one first.
        """
        self.at: dict[str, Spot] = {}
        self._board = board
        self._servers = servers
        self._class = classes(servers, board.ground.preferences)
        self._spots = {s.uuid: _untried(board.spots(s), tried, s) for s in servers}
        self._on: dict[str, dict[str, Server]] = defaultdict(dict)
        self._weights = self._weigh()
        self._effort = _EFFORT
        self._place({s.uuid: self._size(s.needs) for s in servers}, servers)
        self._improve()
        self._settle_by_urgency()

    def decide(self, board: Board, server: Server) -> Decision:
        """The decision about a server, within the limits of a board."""
        if spot := self.at.get(server.uuid):
            return board.place(server, only=spot.host.name)
        return self._board.place(server)  # why it has no place beside the others

    def _weigh(self) -> Mapping[str, float]:
        """What a unit of a resource counts for: the scarcer it is, the more."""
        wanted: Counter[str] = Counter()
        for server in self._servers:
            wanted.update(server.needs)
        there: Counter[str] = Counter()
        hosts = {
            spot.host.name: spot for spots in self._spots.values() for spot in spots
        }
        for spot in hosts.values():
            there.update(self._board.free(spot.host))
        return {what: n / there[what] ** 2 for what, n in wanted.items() if there[what]}

    def _size(self, amounts: Resources) -> float:
        return sum(w * amounts.get(what, 0) for what, w in self._weights.items())

    def _place(self, sizes: Mapping[str, float], servers: Iterable[Server]) -> None:
        """Place servers, of those that are equally urgent the smallest first."""
        for server in sorted(
            servers, key=lambda s: (self._class[s.uuid], sizes[s.uuid], s.uuid)
        ):
            self._settle(server)

    def _settle(self, server: Server) -> bool:
        """Put a server where the least room is left, if it fits anywhere."""
        spots = self._spots[server.uuid]
        self._effort -= len(spots)
        fitting = [spot for spot in spots if self._board.fits(server, spot)]
        if fitting:
            self._put(server, min(fitting, key=self._tightness))
        return bool(fitting)

    def _tightness(self, spot: Spot) -> tuple[bool, float, bool, str]:
        left = self._size(self._board.free(spot.host))
        return spot.blind, left, spot.spared, spot.host.name

    def _improve(self) -> None:
        """Clear some hosts and fill them again in another order, as long as there is
        somebody without a place; keep what is not worse."""
        random = Random(0)  # each plan begins alike: the same question, the same answer
        best, patience = score(self._class, self.at), _PATIENCE
        while self._effort > 0 and patience and (waiting := self._hopeful()):
            patience -= 1
            waiting = random.sample(waiting, min(_WAITING, len(waiting)))
            names = sorted({s.host.name for w in waiting for s in self._spots[w.uuid]})
            cleared = random.sample(names, min(random.randint(1, _HOSTS), len(names)))
            lifted = {
                uuid: (server, self.at[uuid])
                for name in cleared
                for uuid, server in self._on[name].items()
            }
            for server, _ in lifted.values():
                self._lift(server)
            pool = [*(server for server, _ in lifted.values()), *waiting]
            noise = {s.uuid: random.uniform(0.3, 1.5) for s in pool}
            sizes = {s.uuid: noise[s.uuid] * self._size(s.needs) for s in pool}
            self._place(sizes, pool)
            reached = score(self._class, self.at)
            if reached > best:
                best, patience = reached, _PATIENCE
            if reached == best:
                continue
            for server in pool:
                if server.uuid in self.at:
                    self._lift(server)
            for server, spot in lifted.values():
                self._put(server, spot)

    def _hopeful(self) -> list[Server]:
        """Those without a place, but not where all the room that is left on their
        spots together is less than half of what they need."""
        return [
            server
            for server in self._servers
            if server.uuid not in self.at
            and (spots := self._spots[server.uuid])
            and all(
                2 * sum(self._board.free(spot.host).get(what, 0) for spot in spots) >= n
                for what, n in server.needs.items()
            )
        ]

    def _settle_by_urgency(self) -> None:
        """Settle all once more in order, each where it is or, if a more urgent one
        has taken that, elsewhere: nobody keeps room that is due to another."""
        found = dict(self.at)
        for server in self._servers:
            if server.uuid in found:
                self._lift(server)
        waiting: list[Server] = []
        for _, alike in groupby(self._servers, lambda s: self._class[s.uuid]):
            for server in alike:
                spot = found.get(server.uuid)
                if spot and self._board.fits(server, spot):
                    self._put(server, spot)
                else:
                    waiting.append(server)
            waiting = [server for server in waiting if not self._settle(server)]

    def _put(self, server: Server, spot: Spot) -> None:
        self._board.take(Claim(spot.host.name, server.needs, server.group))
        self.at[server.uuid] = spot
        self._on[spot.host.name][server.uuid] = server

    def _lift(self, server: Server) -> None:
        name = self.at.pop(server.uuid).host.name
        self._board.take(Claim(name, server.needs, server.group), -1)
        del self._on[name][server.uuid]


def _untried(
    spots: list[Spot], tried: Mapping[str, Container[str]], server: Server
) -> list[Spot]:
    refused = tried.get(server.uuid, ())
    return [spot for spot in spots if spot.host.name not in refused] or spots
