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

from nova_ha_scheduler.cluster.picture import Host, Migration, Resources, Server
from nova_ha_scheduler.planner.ground import (
    Ground,
    Obstacle,
    Spot,
    fits,
    obstacles,
    refusal,
    request_for,
)
from nova_ha_scheduler.reasons import Reason
from nova_ha_scheduler.rules.terms import Operation, Request


@dataclass(frozen=True)
class Limits:
    """How many may be under way: at all, and to each storage zone."""

    total: int
    per_zone: int


NO_LIMITS = Limits(sys.maxsize, sys.maxsize)


@dataclass(frozen=True)
class Claim:
    """An evacuation, or another move, that is under way.

    :ivar needs: what the host's free amounts do not show yet.
    """

    destination: str
    needs: Resources
    group: str | None = None


def claim(destination: str, server: Server | None, newest: Migration | None) -> Claim:
    """What a server on its way takes there.

    :param server: None: the picture does not show it.
    :param newest: its record, if there is one yet.
    """
    if server is None:
        return Claim(destination, {})
    shown = newest is not None and newest.claimed
    return Claim(destination, {} if shown else server.needs, server.group)


@dataclass(frozen=True)
class Choice:
    """Where a server is to go; or why it waits, and in detail."""

    destination: str | None = None
    reason: Reason | None = None
    detail: str = ""


_FULL = Choice(reason=Reason.IN_FLIGHT_LIMIT)


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
        of_evacuations = Limits(most.max_in_flight, most.max_in_flight_per_zone)
        self.limits = limits or of_evacuations
        self._dead = dead
        # Only of hosts to which something goes: of the others, what the picture shows.
        self._free: dict[str, Counter[str]] = {}
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
        copy._free = {name: Counter(free) for name, free in self._free.items()}
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
            return _FULL
        request = self._request(server, operation)
        best = self._best(server, request, tried, only)
        if best is None:
            return self._no(server, request, only)
        self.take(Claim(best, server.needs, server.group))
        return Choice(best)

    def spots(self, server: Server) -> list[Spot]:
        """Where a server could be evacuated to, were nothing taken; the best first."""
        return [
            spot
            for name, spot in self.ground.spots(self._request(server)).items()
            if name != server.host
            and name not in self._dead
            and fits(server, spot.host, spot.host.free)
        ]

    def fits(self, server: Server, spot: Spot) -> bool:
        """Whether one of its spots can take it still."""
        free = self._free.get(spot.host.name)
        room = free is None or all(free[w] >= n for w, n in server.needs.items())
        return room and not (server.group_apart and self._near(server, spot.host.name))

    def free(self, host: Host) -> Resources:
        """What a host would still give."""
        return self._free.get(host.name) or host.free or {}

    def take(self, claim: Claim, sign: int = 1) -> None:
        """Count a server as on its way; with sign -1, no more."""
        host = self.ground.hosts.get(claim.destination)
        self._moving[claim.destination] += sign
        if host is not None:
            self._moving_to_zone[host.facts.zones] += sign
        self._reserve(claim, sign)

    def _reserve(self, claim: Claim, sign: int = 1) -> None:
        host = self.ground.hosts.get(claim.destination)
        if host is not None and host.free is not None:
            free = self._free.setdefault(host.name, Counter(host.free))
            for what, n in claim.needs.items():
                free[what] -= sign * n
        if claim.group:
            self._groups[claim.group, claim.destination] += sign

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
        for name in self._free.keys() & spots.keys():
            if self._can_take(server, spots[name], refused):
                yield spots[name]
        for name, spot in spots.items():
            if name not in self._free and self._can_take(server, spot, refused):
                yield spot
                return

    def _can_take(self, server: Server, spot: Spot, refused: Container[str]) -> bool:
        host, name = spot.host, spot.host.name
        return (
            name not in refused
            and name != server.host
            and name not in self._dead
            and self._obstacle(server, host) is None
            and not self._zone_full(host)
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

    def _zone_full(self, host: Host) -> bool:
        moving = self._moving_to_zone[host.facts.zones]
        return moving >= self.limits.per_zone

    def _no(self, server: Server, request: Request, only: str | None) -> Choice:
        """Why it has no place now."""
        permitted = self.ground.permitted(request, self._dead | {server.host})
        refusals = self.ground.refusals(request, self._dead)
        if only is not None:
            permitted = [host for host in permitted if host.name == only]
            refusals = Counter()
            if not permitted:
                refusals[self._why_not(request, only)] += 1
        open_to = [host for host in permitted if not self._zone_full(host)]
        if permitted and not open_to:
            return _FULL
        no = (self._obstacle(server, host) for host in open_to)
        found = refusals + Counter(obstacle.brief for obstacle in no if obstacle)
        why = _words(found) if only is None else next(iter(found))
        return Choice(reason=Reason.NO_ROOM, detail=why)

    def _obstacle(self, server: Server, host: Host) -> Obstacle | None:
        """Why a permitted host cannot take this server now."""
        free = self._free.get(host.name, host.free)
        near = self._near(server, host.name)
        return next(obstacles(server, host, free, near), None)

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
