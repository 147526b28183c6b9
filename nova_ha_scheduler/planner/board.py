# SPDX-License-Identifier: Apache-2.0
"""A place for one server after the other, while what is taken grows.

The planner names the destination of each evacuation, and of each other move. Nova
then schedules within that one host, with all its filters (no force), so it has the
last word; yet requests that run at the same moment do not stack up on the host that
looks emptiest to each of them, and a server that fits nowhere is not asked for: an
evacuation would set it to ERROR.

Higher priorities choose first. A server that does not fit lets smaller ones pass:
it waits for room that they could not make. Where that leaves servers without a
place, see :mod:`nova_ha_scheduler.planner.packing`.
"""

import sys
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass

from nova_ha_scheduler.cluster.picture import Host, Migration, Server
from nova_ha_scheduler.cluster.providers import Resources
from nova_ha_scheduler.planner.ground import (
    Ground,
    Obstacle,
    Spot,
    fits,
    obstacles,
    refusal,
    request_for,
)
from nova_ha_scheduler.planner.room import Room, Wish
from nova_ha_scheduler.reasons import Reason
from nova_ha_scheduler.rules.terms import Operation, Request


@dataclass(frozen=True)
class Limits:
    """How many may be under way: at all, to each storage zone, and to each host."""

    total: int
    per_zone: int
    per_destination: int


NO_LIMITS = Limits(sys.maxsize, sys.maxsize, sys.maxsize)


@dataclass(frozen=True)
class Claim:
    """An evacuation, or another move, that is under way.

    :ivar wish: what the host's free amounts do not show yet.
    :ivar counts: whether it counts for the limits; its room is taken either way.
    """

    destination: str
    wish: Wish
    group: str | None = None
    counts: bool = True

    @classmethod
    def of(cls, destination: str, server: Server) -> "Claim":
        """What a server takes that is not there yet."""
        return cls(destination, Wish.of(server), server.group)


def claim(
    destination: str,
    server: Server | None,
    newest: Migration | None,
    counts: bool = True,
) -> Claim:
    """What a server on its way takes there.

    :param server: None: the picture does not show it.
    :param newest: its record, if there is one yet.
    :param counts: see Claim.
    """
    if server is None:
        return Claim(destination, NOTHING, counts=counts)
    shown = newest is not None and newest.claimed
    wish = NOTHING if shown else Wish.of(server)
    return Claim(destination, wish, server.group, counts)


@dataclass(frozen=True)
class Choice:
    """Where a server is to go; or why it waits, and in detail."""

    destination: str | None = None
    reason: Reason | None = None
    detail: str = ""


NOTHING = Wish({})

FULL = Choice(reason=Reason.IN_FLIGHT_LIMIT)
"""As many are under way as may be."""


class Board:
    """What is taken while the plan grows.

    :ivar ground: the cloud, before anything is taken.
    :ivar limits: how many may be under way.
    """

    def __init__(
        self,
        ground: Ground,
        dead: frozenset[str],
        claims: Iterable[Claim] = (),
        limits: Limits | None = None,
        others: Iterable[Claim] = (),
    ) -> None:
        """
        :param dead: hosts in recovery: nobody's destination.
        :param claims: all that is under way of the kind that is planned.
        :param limits: for that; None: those of evacuations.
        :param others: what else is under way, and takes room, too.
        """
        self.ground = ground
        most = ground.preferences
        self.limits = limits or Limits(
            most.max_in_flight,
            most.max_in_flight_per_zone,
            most.max_in_flight_per_destination,
        )
        self._dead = dead
        # Only of hosts to which something goes: of the others, what the picture shows.
        self._rooms: dict[str, Room] = {}
        self._moving: Counter[str] = Counter()
        self._moving_to_zone: Counter[frozenset[str]] = Counter()
        self._groups: Counter[tuple[str, str]] = Counter()
        for claim in claims:
            self.take(claim)
        for claim in others:
            self._reserve(claim)

    def unlimited(self) -> "Board":
        """A copy, on which any number may be under way."""
        copy = Board(self.ground, self._dead, limits=NO_LIMITS)
        copy._rooms = {name: room.copy() for name, room in self._rooms.items()}
        copy._moving = Counter(self._moving)
        copy._moving_to_zone = Counter(self._moving_to_zone)
        copy._groups = Counter(self._groups)
        return copy

    def place(
        self,
        server: Server,
        tried: Container[str] = (),
        operation: Operation = Operation.EVACUATE,
        only: str | None = None,
    ) -> Choice:
        """Decide about the next server, the most urgent one first.

        :param tried: destinations that refused it, not to be asked again while there
            are others.
        :param only: the one destination that is wanted.
        """
        if self._moving.total() >= self.limits.total:
            return FULL
        request = self._request(server, operation)
        best = self._best(server, request, tried, only)
        if best is None:
            return self._no(server, request, only)
        self.take(Claim.of(best, server))
        return Choice(best)

    def spots(self, server: Server) -> list[Spot]:
        """Where a server could be evacuated to, were nothing taken; the best first."""
        return [
            spot
            for name, spot in self.ground.spots(self._request(server)).items()
            if name != server.host
            and name not in self._dead
            and fits(server, spot.host, self.ground.room(spot.host))
        ]

    def takers(self, server: Server) -> list[str]:
        """The hosts that could take a server now."""
        return [host.name for host, no in self.obstacles(server) if not no]

    def obstacles(self, server: Server) -> list[tuple[Host, list[Obstacle]]]:
        """Why each of the permitted hosts cannot take a server now."""
        request = self._request(server)
        permitted = self.ground.permitted(request, self._dead | {server.host})
        found = []
        for host in permitted:
            near = self._near(server, host.name)
            no = obstacles(server, host, self._room(host), near)
            found.append((host, list(no)))
        return found

    def fits(self, server: Server, spot: Spot) -> bool:
        """Whether one of its spots can take it still."""
        name = spot.host.name
        if server.group_apart and self._near(server, name):
            return False
        room = self._rooms.get(name)
        return room is None or room.takes(Wish.of(server))

    def free(self, host: Host) -> Resources:
        """What a host would still give."""
        return self._room(host).free or {}

    def _room(self, host: Host) -> Room:
        return self._rooms.get(host.name) or self.ground.room(host)

    def take(self, claim: Claim) -> None:
        """Count a server as on its way."""
        host = self.ground.hosts.get(claim.destination)
        if claim.counts:
            self._moving[claim.destination] += 1
            if host is not None:
                self._moving_to_zone[host.facts.zones] += 1
        self._reserve(claim)

    def _reserve(self, claim: Claim) -> None:
        host = self.ground.hosts.get(claim.destination)
        if host is not None and host.free is not None:
            if host.name not in self._rooms:
                self._rooms[host.name] = self.ground.room(host).copy()
            self._rooms[host.name].take(claim.wish)
        if claim.group:
            self._groups[claim.group, claim.destination] += 1

    def _request(
        self, server: Server, operation: Operation = Operation.EVACUATE
    ) -> Request:
        source = self.ground.hosts[server.host]
        return request_for(server, source, self.ground.preferences, operation)

    def _best(
        self, server: Server, request: Request, tried: Container[str], only: str | None
    ) -> str | None:
        """The first choice of all that can take it now."""
        spots = self.ground.spots(request)
        if only is not None:
            spots = {only: spots[only]} if only in spots else {}
        for refused in (tried, ()):
            choices = self._choices(server, spots, refused)
            if found := min(choices, key=self._rank, default=None):
                return found.host.name
        return None

    def _choices(
        self, server: Server, spots: Mapping[str, Spot], refused: Container[str]
    ) -> Iterator[Spot]:
        """Where something goes already and there is room still; and the best of the
        other spots, which are in order."""
        for name in self._rooms.keys() & spots.keys():
            if self._can_take(server, spots[name], refused):
                yield spots[name]
        for name, spot in spots.items():
            if name not in self._rooms and self._can_take(server, spot, refused):
                yield spot
                return

    def _can_take(self, server: Server, spot: Spot, refused: Container[str]) -> bool:
        host, name = spot.host, spot.host.name
        return (
            name not in refused
            and name != server.host
            and name not in self._dead
            and self._obstacle(server, host) is None
            and not self._is_busy(host)
        )

    def _near(self, server: Server, name: str) -> bool:
        """Whether a member of its group is on its way to a host."""
        return server.group is not None and self._groups[server.group, name] > 0

    def _rank(self, spot: Spot) -> tuple[bool, bool, int, int, str]:
        """First where the disk is seen; there the reserve first (or last, as for all
        that is no evacuation), the least busy, the emptiest, by name."""
        name = spot.host.name
        memory = self.free(spot.host).get("MEMORY_MB", 0)
        return spot.blind, spot.spared, self._moving[name], -memory, name

    def _is_busy(self, host: Host) -> bool:
        """Whether as many are on their way to it, or to its zone, as may be."""
        to_zone = self._moving_to_zone[host.facts.zones]
        here = self._moving[host.name] >= self.limits.per_destination
        return here or to_zone >= self.limits.per_zone

    def _no(self, server: Server, request: Request, only: str | None) -> Choice:
        """Why it has no place now."""
        permitted = self.ground.permitted(request, self._dead | {server.host})
        refusals = self.ground.refusals(request, self._dead)
        unusable = self.ground.unusable(request, self._dead)
        refusals += Counter(w for name, w in unusable.items() if name != server.host)
        if only is not None:
            permitted = [host for host in permitted if host.name == only]
            refusals = Counter()
            if not permitted:
                refusals[self._why_not(request, only)] += 1
        open_to = [host for host in permitted if not self._is_busy(host)]
        if permitted and not open_to:
            return FULL
        no = (self._obstacle(server, host) for host in open_to)
        found = refusals + Counter(obstacle.brief for obstacle in no if obstacle)
        why = _words(found) if only is None else next(iter(found))
        return Choice(reason=Reason.NO_ROOM, detail=why)

    def _obstacle(self, server: Server, host: Host) -> Obstacle | None:
        """Why a permitted host cannot take this server now."""
        near = self._near(server, host.name)
        return next(obstacles(server, host, self._room(host), near), None)

    def _why_not(self, request: Request, name: str) -> str:
        """Why one host is not permitted, in words."""
        host = self.ground.hosts.get(name)
        if host is None or not host.up:
            return "down"
        no = refusal(request, host, self.ground.preferences)
        return no or ("disabled" if host.disabled else "in recovery")


def _words(why: Counter[str]) -> str:
    """'2 hosts under maintenance, 1 without enough VCPU', most first."""
    if not why:
        return "no host is up and enabled"
    ordered = sorted(why.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{n} {finding}" for finding, n in ordered)
