# SPDX-License-Identifier: Apache-2.0
"""How many hosts of a storage zone may die, zone by zone: what is wanted then, what
there is, and who would be left.

One host, and as many more as can be tried in all combinations, is exact: each is the
trigger's own plan. Beyond that stands a safe bound (:mod:`.bound`): what it says
survives does; what it does not may.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations

from nova_ha_scheduler.cluster.picture import Host, Server
from nova_ha_scheduler.cluster.providers import Resources
from nova_ha_scheduler.planner import bound
from nova_ha_scheduler.planner.ground import Ground
from nova_ha_scheduler.planner.losses import Loss, WhatIf
from nova_ha_scheduler.rules import vocabulary

PLANS = 20_000
"""How many combinations are tried, in all zones together, before a bound is used."""


@dataclass(frozen=True)
class ZoneCapacity:
    """
    :ivar name: as in 'nfs-a', or 'no zone'.
    :ivar hosts: what would be lost if one of them died, by name.
    :ivar reserve: the hosts that are kept free, by name.
    :ivar largest: the protected server that needs most, if there is one.
    :ivar survivable: how many hosts may die together, whichever they are.
    :ivar exact: whether one more would be too many; else it is at least as many.
    :ivar worst: so many hosts as were asked about, which would leave somebody.
    :ivar proven: whether that there is no such loss is known.
    :ivar small: hosts of the reserve that are smaller than the largest server, with
        what they lack.
    """

    name: str
    hosts: Mapping[str, Loss]
    reserve: tuple[Host, ...]
    largest: Server | None
    survivable: int
    exact: bool
    worst: Loss | None
    proven: bool
    small: Mapping[str, tuple[str, ...]]

    @property
    def ok(self) -> bool:
        """Whether nobody would be left, for want of room or for any other reason."""
        left = any(loss.left for loss in self.hosts.values())
        return self.proven and self.worst is None and not left


def zones(
    ground: Ground,
    servers: Mapping[str, Server],
    failures: int = 1,
    only: str | None = None,
) -> Iterator[ZoneCapacity]:
    """Look at each storage zone, while the others are whole, one after the other.

    :param failures: how many hosts shall be able to die together.
    :param only: look at this one alone.
    """
    what_if = WhatIf(ground, servers)
    members: dict[str, list[Host]] = {}
    for _, host in sorted(ground.hosts.items()):
        members.setdefault(host.facts.zone_words, []).append(host)
    chosen = sorted(members) if only is None else [only]
    plans = PLANS // max(1, len(members))
    return (_Zone(what_if, n, members[n], plans).look(failures) for n in chosen)


class _Zone:
    def __init__(
        self, what_if: WhatIf, name: str, members: Iterable[Host], plans: int
    ) -> None:
        self._what_if, self._name, self._plans = what_if, name, plans
        self._members = list(members)
        names = {host.name for host in self._members}
        self._mortal = [host for host in what_if.mortal if host in names]
        self._losses = {name: what_if.die(name) for name in self._mortal}
        self._wanted = [s for host in names for s in what_if.wanted(host)]

    def look(self, failures: int) -> ZoneCapacity:
        reserve = [h for h in self._members if vocabulary.RESERVED in h.facts.flags]
        largest = max(self._wanted, key=_largeness, default=None)
        survivable, exact = self._survivable()
        worst = self._worst(failures)
        proven = worst is not None or exact or survivable >= failures
        small = {h.name: _lacks(h, largest) for h in reserve if largest}
        return ZoneCapacity(
            self._name,
            self._losses,
            tuple(reserve),
            largest,
            survivable,
            exact,
            worst,
            proven or not self._wanted,
            {name: lacks for name, lacks in small.items() if lacks},
        )

    def _survivable(self) -> tuple[int, bool]:
        """How many hosts may die, and whether one more may not."""
        plans = self._plans
        for count in range(1, len(self._mortal) + 1):
            plans -= math.comb(len(self._mortal), count)
            if plans < 0 and count > 1:
                return self._by_bound(count), False
            if self._find(count) is not None:
                return count - 1, True
        return len(self._mortal), True

    def _by_bound(self, count: int) -> int:
        """The same, if one less than this many surely may die."""
        largest: dict[str, int] = {}
        for server in self._wanted:
            for what, n in server.needs.items():
                largest[what] = max(n, largest.get(what, 0))
        stands = self._stands(largest)
        counts = range(count, len(self._mortal) + 1 if stands else count)
        broken = (n for n in counts if not bound.survives(stands, largest, n))
        return next(broken, counts.stop) - 1

    def _stands(self, largest: Resources) -> list[bound.Stand]:
        """The zone for the bound, which knows nothing of groups, of portions and of a
        cloud that has lost hosts already: none then."""
        if self._what_if.down or any(s.group or s.portions for s in self._wanted):
            return []
        kinds: dict[object, Server] = {}
        for server in self._wanted:
            kind = server.host, server.availability_zone
            kinds[*kind, server.traits, server.forbidden_traits] = server
        open_to_all = {host.name for host in self._members}
        for server in kinds.values():
            open_to_all &= self._what_if.open_to(server)
        asked = {server.kind for server in self._wanted} - {0}
        open_to_all -= {
            host.name
            for host in self._members
            if not self._what_if.ground.room(host).sums_suffice(largest)
            or not (host.offers is None or asked <= host.offers)
        }
        return [
            bound.Stand(
                self._losses[host.name].demand if host.name in self._losses else {},
                self._losses[host.name].servers if host.name in self._losses else 0,
                host.free if host.name in open_to_all else None,
            )
            for host in self._members
        ]

    def _worst(self, failures: int) -> Loss | None:
        """So many hosts whose death would leave somebody, if any were found."""
        count = min(failures, len(self._mortal))
        if math.comb(len(self._mortal), count) <= self._plans or count <= 1:
            return self._find(count)
        heaviest = sorted(self._mortal, key=self._weight, reverse=True)[:count]
        loss = self._what_if.die(*heaviest)
        return loss if loss.homeless else self._find(1)

    def _find(self, count: int) -> Loss | None:
        """The first of all combinations that leaves somebody, the heavy ones first."""
        if count == 1:
            bad = [loss for loss in self._losses.values() if loss.homeless]
            return max(bad, key=lambda loss: len(loss.homeless), default=None)
        ordered = sorted(self._mortal, key=self._weight, reverse=True)
        losses = (self._what_if.die(*names) for names in combinations(ordered, count))
        return next((loss for loss in losses if loss.homeless), None)

    def _weight(self, host: str) -> tuple[int, int]:
        demand = self._losses[host].demand
        return demand.get("MEMORY_MB", 0), demand.get("VCPU", 0)


def _largeness(server: Server) -> tuple[int, int, int, str]:
    needs = server.needs
    amounts = (needs.get(what, 0) for what in ("MEMORY_MB", "VCPU", "DISK_GB"))
    memory, vcpus, disk = amounts
    return memory, vcpus, disk, server.name


def _lacks(host: Host, server: Server) -> tuple[str, ...]:
    """What an empty host is too small in for a server, in words."""
    size: Resources = host.capacity or host.free or {}
    return tuple(
        f"{size.get(what, 0)} of {n} {what}"
        for what, n in sorted(server.needs.items())
        if size.get(what, 0) < n
    )
