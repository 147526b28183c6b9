# SPDX-License-Identifier: Apache-2.0
"""What would be lost if hosts died: the trigger's own plan, on what-ifs."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from nova_ha_scheduler.cluster.picture import Host, Server
from nova_ha_scheduler.planner import triage
from nova_ha_scheduler.planner.board import NO_LIMITS, Board
from nova_ha_scheduler.planner.ground import Ground, fits, request_for
from nova_ha_scheduler.planner.packing import place_all
from nova_ha_scheduler.rules import vocabulary
from nova_ha_scheduler.rules.terms import Request


@dataclass(frozen=True)
class Left:
    """A protected server that would not be recovered.

    :ivar room: whether it is for want of room; else it is by what it is itself.
    """

    server: Server
    why: str
    room: bool


@dataclass(frozen=True)
class Loss:
    """
    :ivar hosts: that die together.
    :ivar servers: how many are protected, those of hosts that are down included.
    :ivar demand: what these take, together.
    :ivar left: those of them that would not be, the most urgent one first.
    """

    hosts: tuple[str, ...]
    servers: int
    demand: Mapping[str, int]
    left: tuple[Left, ...]

    @property
    def homeless(self) -> tuple[Left, ...]:
        """Those that find no room."""
        return tuple(left for left in self.left if left.room)


class WhatIf:
    """
    :ivar ground: the cloud.
    :ivar down: protected hosts that are down already: their servers want room, too,
        whatever else dies.
    :ivar mortal: protected hosts that the trigger would recover if they died.
    """

    def __init__(self, ground: Ground, servers: Mapping[str, Server]) -> None:
        self.ground = ground
        protected = [h for h in ground.hosts.values() if _protected(h)]
        by_host: dict[str, list[Server]] = defaultdict(list)
        for server in servers.values():
            by_host[server.host].append(server)
        self._wanted: dict[str, list[Server]] = {}
        self._hopeless: dict[str, list[Left]] = {}
        for host in protected:
            self._look(host, by_host[host.name])
        self.down = tuple(
            sorted(h.name for h in protected if not h.up and self._wanted[h.name])
        )
        self.mortal = tuple(
            sorted(
                h.name
                for h in protected
                if h.up and (ground.preferences.recover_disabled or not h.disabled)
            )
        )

    def _look(self, host: Host, servers: Iterable[Server]) -> None:
        wanted, hopeless = [], []
        for server in servers:
            why = triage.why_left(server, host.facts, self.ground.preferences)
            if why is None:
                wanted.append(server)
            elif not why[0].intended:
                hopeless.append(Left(server, why[0].sentence(why[1]), False))
        self._wanted[host.name], self._hopeless[host.name] = wanted, hopeless

    def open_to(self, server: Server) -> set[str]:
        """The hosts that could take a server, had they room; those in recovery, too."""
        permitted = self.ground.permitted(self._request(server), ())
        nothing = replace(server, needs={}, portions=(), kind=0)
        rooms = self.ground.room
        return {h.name for h in permitted if fits(nothing, h, rooms(h))}

    def short(self, loss: Loss) -> Mapping[str, int] | None:
        """What all the room that there is lacks for those that find none, were it in
        one piece; nothing: it is there, but scattered; None: no host may take them."""
        hosts = set().union(*(self.open_to(left.server) for left in loss.homeless))
        hosts -= {*self.down, *loss.hosts}
        if not hosts:
            return None
        there: Counter[str] = Counter()
        for name in hosts:
            there.update(self.ground.hosts[name].free or {})
        return {w: n - there[w] for w, n in sorted(loss.demand.items()) if n > there[w]}

    def _request(self, server: Server) -> Request:
        source = self.ground.hosts[server.host]
        return request_for(server, source, self.ground.preferences)

    def wanted(self, host: str) -> list[Server]:
        """The servers of a host that are to be recovered, and can be."""
        return self._wanted.get(host, [])

    def die(self, *hosts: str) -> Loss:
        """What would be lost if these died together, beside those that are down.

        A quick look, as there are many of them: a recovery looks longer for places.
        """
        dead = tuple(dict.fromkeys((*self.down, *hosts)))
        servers = [s for name in dead for s in self._wanted[name]]
        demand: Counter[str] = Counter()
        for server in servers:
            demand.update(server.needs)
        board = Board(self.ground, frozenset(dead), limits=NO_LIMITS)
        left = [
            Left(server, decision.reason.sentence(decision.detail), True)
            for server, decision in place_all(board, servers, thorough=False)
            if decision.reason is not None
        ]
        hopeless = [one for name in dead for one in self._hopeless[name]]
        count = len(servers) + len(hopeless)
        return Loss(hosts, count, dict(demand), (*left, *hopeless))

    def each_alone(self) -> dict[str, Loss]:
        """What would be lost if one host died, by its name."""
        return {name: self.die(name) for name in self.mortal}


def _protected(host: Host) -> bool:
    flags = host.facts.flags
    return vocabulary.HA in flags and vocabulary.MAINTENANCE not in flags
