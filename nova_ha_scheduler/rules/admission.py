# SPDX-License-Identifier: Apache-2.0
"""Admission: no server that its zone could not recover, whichever hosts die.

A server is admitted to a host only if so many reserve hosts of its zone as hosts may
die each have room for all that is on the host, and for the server, too.

=============================================  ==================================
a host                                         a server that would be recovered
=============================================  ==================================
reserved; without ``ha=true``; not in exactly  no
one zone
of whose zone nothing is published             no
with enough such reserve hosts in its zone     pass
any other                                      no
=============================================  ==================================

Why that is enough. One host dies: what is on it fits on one reserve host that lives.
Whoever places its servers one after the other, in any order, never finds that host
full, so nobody is left. Several die, k of them reserve hosts: each of the others has
as many reserve hosts that live, and would take all of it, as there are such others; so
each can have one of its own (Hall's theorem), and the planner looks for that
(:mod:`nova_ha_scheduler.planner.pairing`).

What each server requires beside room, the whole reserve of its zone must have. Else
one of two servers on a host could need the one reserve host, and one the other.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from nova_ha_scheduler.rules import vocabulary
from nova_ha_scheduler.rules.terms import (
    HostFacts,
    Operation,
    Refusal,
    RefusalReason,
    Request,
)

Amounts = Mapping[str, int]
"""By Placement resource class."""

COUNTED = ("VCPU", "MEMORY_MB", "DISK_GB")
"""The classes that Nova shows of what is on a host."""

_OPERATIONS = (
    Operation.BOOT,
    Operation.UNSHELVE,
    Operation.RESIZE,
    Operation.UNKNOWN,
)


@dataclass(frozen=True)
class ReserveHost:
    """A host of the reserve that is empty and could take servers.

    :ivar free: what Placement would give there.
    """

    name: str
    free: Amounts
    traits: frozenset[str] = frozenset()
    availability_zone: str = "nova"


@dataclass(frozen=True)
class ZoneReserve:
    """
    :ivar reserve: the hosts that can be counted on.
    :ivar unusable: why the others cannot, by name.
    :ivar dead: hosts that are down, and whose servers still want a place: they will
        take reserve hosts of their own.
    """

    name: str
    reserve: tuple[ReserveHost, ...] = ()
    unusable: Mapping[str, str] = field(default_factory=dict)
    dead: tuple[str, ...] = ()


@dataclass(frozen=True)
class Demand:
    """What a server takes, and requires of a host.

    :ivar needs: as Placement will count it.
    :ivar availability_zone: the one that it is pinned to, if it is.
    :ivar obstacle: why it cannot be recovered, or why that cannot be told, as a
        sentence; or "".
    """

    needs: Amounts = field(default_factory=dict)
    traits: frozenset[str] = frozenset()
    forbidden_traits: frozenset[str] = frozenset()
    availability_zone: str | None = None
    obstacle: str = ""


def concerns(request: Request, extra_specs: Mapping[str, str]) -> bool:
    """Whether the server would be recovered, and grows what its host has to lose.

    Evacuations never wait for admission. Migrations do not either: what moves a
    server off a host before it is switched off must not fail for want of a reserve.
    """
    if request.operation not in _OPERATIONS or request.ha is False:
        return False
    return not vocabulary.left_alone(extra_specs)


class Admission:
    """The rule for one request, and what is the same for many hosts of it.

    :param zones: by name.
    :param failures: how many hosts of a zone may die together.
    """

    def __init__(
        self,
        request: Request,
        demand: Demand,
        zones: Mapping[str, ZoneReserve],
        failures: int,
    ) -> None:
        self._request = request
        self._demand = demand
        self._zones = zones
        self._failures = failures
        self._unshared: dict[str, str] = {}

    def refusal(self, name: str, facts: HostFacts, load: Amounts) -> Refusal | None:
        """Judge one host.

        :param load: what is on the host, all of it.
        """
        request, demand = self._request, self._demand
        if isinstance(request.ha, str):
            return Refusal(RefusalReason.FLAVOR_UNREADABLE, request.ha)
        if demand.obstacle:
            return Refusal(RefusalReason.NOT_RECOVERABLE, demand.obstacle)
        if facts.bad:
            return Refusal(RefusalReason.BAD_METADATA, found=facts.bad[0][1])
        if vocabulary.HA not in facts.flags:
            return Refusal(RefusalReason.NOT_HA)
        if vocabulary.RESERVED in facts.flags and name != request.source:
            return Refusal(RefusalReason.RESERVED)
        if len(facts.zones) != 1:
            return Refusal(RefusalReason.ONE_ZONE, found=facts.zone_words)
        return self._in_zone(name, next(iter(facts.zones)), load)

    def _in_zone(self, host: str, name: str, load: Amounts) -> Refusal | None:
        zone = self._zones.get(name)
        if zone is None:
            return self._short(1, f"{name}, of which nothing is published")
        if name not in self._unshared:
            self._unshared[name] = _unshared(self._demand, zone)
        if lacks := self._unshared[name]:
            return Refusal(RefusalReason.RESERVE_DIFFERS, lacks, name)
        wanted = self._failures + sum(dead != host for dead in zone.dead)
        needs = self._demand.needs
        lacking: set[str] = set()
        found = 0
        for reserve in zone.reserve:
            if reserve.name == host:
                continue
            missing = [
                what
                for what in COUNTED
                if load.get(what, 0) + needs.get(what, 0) > reserve.free.get(what, 0)
            ]
            lacking.update(missing)
            found += not missing
            if found >= wanted:
                return None
        return self._short(wanted, _finding(zone, found, lacking))

    def _short(self, wanted: int, found: str) -> Refusal:
        hosts = "1 reserve host" if wanted == 1 else f"{wanted} reserve hosts"
        return Refusal(RefusalReason.RESERVE_SHORT, hosts, found)


def _unshared(demand: Demand, zone: ZoneReserve) -> str:
    """What the server requires that not all of the reserve has, in words."""
    for host in zone.reserve:
        if missing := demand.traits - host.traits:
            return f"trait {', '.join(sorted(missing))}"
        if present := demand.forbidden_traits & host.traits:
            return f"no trait {', '.join(sorted(present))}"
        pinned = demand.availability_zone
        if pinned is not None and host.availability_zone != pinned:
            return f"availability zone {pinned}"
    return ""


def _finding(zone: ZoneReserve, found: int, lacking: set[str]) -> str:
    """'nfs-a, where 0 of 2 have it (too little MEMORY_MB; not spare-b: in use)'"""
    words = [f"too little {', '.join(sorted(lacking))}"] if lacking else []
    words += [f"not {name}: {why}" for name, why in sorted(zone.unusable.items())]
    if zone.dead:
        words.append(f"dead: {', '.join(zone.dead)}")
    more = f" ({'; '.join(words)})" if words else ""
    return f"{zone.name}, where {found} of {len(zone.reserve)} have it{more}"
