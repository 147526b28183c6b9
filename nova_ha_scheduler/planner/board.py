# SPDX-License-Identifier: Apache-2.0
"""A place for one server after the other, while what is taken grows.

The planner names the destination of each evacuation, and of each other move. Nova
then schedules within that one host, with all its filters (no force), so it has the
last word; yet requests that run at the same moment do not stack up on the host that
looks emptiest to each of them, and a server that fits nowhere is not asked for: an
evacuation would set it to ERROR.

Higher priorities choose first. A server that does not fit lets smaller ones pass:
it waits for room that they could not make.
"""

from collections import Counter
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, replace

from nova_ha_scheduler.cluster.model import Host, Migration, Resources, Server
from nova_ha_scheduler.planner.preferences import Preferences
from nova_ha_scheduler.reasons import Reason
from nova_ha_scheduler.rules import (
    failover_host,
    ha_flavor,
    maintenance,
    storage_zone,
    vocabulary,
)
from nova_ha_scheduler.rules.model import Operation, Request, Rule
from nova_ha_scheduler.rules.vocabulary import BadValue

RULES: tuple[Rule, ...] = (storage_zone, failover_host, ha_flavor, maintenance)


@dataclass(frozen=True)
class Limits:
    """How many may be under way: at all, and to each storage zone."""

    total: int
    per_zone: int


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
class Decision:
    """Where a server is to go; or why it waits, and in detail."""

    destination: str | None = None
    reason: Reason | None = None
    detail: str = ""


_FULL = Decision(reason=Reason.IN_FLIGHT_LIMIT)


class Board:
    """What is taken while the plan grows."""

    def __init__(
        self,
        hosts: Mapping[str, Host],
        dead: frozenset[str],
        claims: Iterable[Claim],
        preferences: Preferences,
        limits: Limits | None = None,
        others: Iterable[Claim] = (),
    ) -> None:
        """
        :param hosts: all of the cloud, by name.
        :param dead: those in recovery: nobody's destination.
        :param claims: all that is under way of the kind that is planned.
        :param limits: for that; None: those of evacuations.
        :param others: what else is under way, and takes room, too.
        """
        self._preferences = preferences
        of_evacuations = preferences.max_in_flight, preferences.max_in_flight_per_zone
        self._limits = limits or Limits(*of_evacuations)
        self._hosts = hosts
        alive = (host for name, host in sorted(hosts.items()) if name not in dead)
        self._usable = [host for host in alive if host.up and not host.disabled]
        self._free = {name: Counter(h.free) for name, h in hosts.items() if h.free}
        self._moving: Counter[str] = Counter()
        self._moving_to_zone: Counter[str] = Counter()
        self._groups: set[tuple[str | None, str]] = set()
        self._permitted: dict[Request, tuple[list[Host], Counter[str]]] = {}
        for claim in claims:
            self._take(claim)
        for claim in others:
            self._reserve(claim)

    def place(
        self,
        server: Server,
        tried: Container[str] = (),
        operation: Operation = Operation.EVACUATE,
        only: str | None = None,
    ) -> Decision:
        """Decide about the next server, the most urgent one first.

        :param tried: destinations that refused it, not to be asked again while there
            are others.
        :param only: the one destination that is wanted.
        """
        if self._moving.total() >= self._limits.total:
            return _FULL
        request = request_for(
            server, self._hosts[server.host], self._preferences, operation
        )
        permitted, refusals = self._permit(request)
        permitted = [host for host in permitted if host.name != server.host]
        if only is not None:
            permitted = [host for host in permitted if host.name == only]
            refusals = (
                Counter() if permitted else Counter([self._why_not(request, only)])
            )
        open_to = [host for host in permitted if not self._zone_full(host)]
        if permitted and not open_to:
            return _FULL
        unfit = {host.name: self._unfit(server, host) for host in open_to}
        fitting = [host for host in open_to if unfit[host.name] is None]
        if not fitting:
            found = refusals + Counter(filter(None, unfit.values()))
            why = _words(found) if only is None else next(iter(found))
            return Decision(reason=Reason.NO_ROOM, detail=why)
        untried = [h for h in fitting if h.name not in tried]
        best = min(untried or fitting, key=lambda host: self._rank(request, host))
        self._take(Claim(best.name, server.needs, server.group))
        return Decision(best.name)

    def _permit(self, request: Request) -> tuple[list[Host], Counter[str]]:
        """The usable hosts that all rules permit, and why not the others."""
        if request not in self._permitted:
            no = {h.name: refusal(request, h, self._preferences) for h in self._usable}
            permitted = [host for host in self._usable if no[host.name] is None]
            self._permitted[request] = permitted, Counter(filter(None, no.values()))
        return self._permitted[request]

    def _why_not(self, request: Request, name: str) -> str:
        """Why one host is not permitted, in words."""
        host = self._hosts.get(name)
        if host is None or not host.up:
            return "down"
        no = refusal(request, host, self._preferences)
        return no or ("disabled" if host.disabled else "in recovery")

    def _unfit(self, server: Server, host: Host) -> str | None:
        """Why a permitted host cannot take this server now, in words."""
        pinned = server.availability_zone
        if pinned is not None and host.availability_zone != pinned:
            return f"outside availability zone {pinned}"
        there = host.name in server.group_hosts
        if server.group_apart and (there or (server.group, host.name) in self._groups):
            return "with a server of its anti-affinity group"
        if not server.group_apart and server.group_hosts and not there:
            return "without its affinity group"
        free = self._free.get(host.name)
        if free is None:
            return "whose free room is unknown"
        lacking = [what for what, n in sorted(server.needs.items()) if free[what] < n]
        return f"without enough {', '.join(lacking)}" if lacking else None

    def _zone_full(self, host: Host) -> bool:
        moving = self._moving_to_zone[host.facts.zone_words]
        return moving >= self._limits.per_zone

    def _rank(self, request: Request, host: Host) -> tuple[bool, bool, int, int, str]:
        """First where the disk is seen; there the reserve first (or last, as for all
        that is no evacuation), the least busy, the emptiest, by name."""
        blind = request.local_disk and host.facts.zones != request.source_facts.zones
        reserved = vocabulary.RESERVED in host.facts.flags
        memory = self._free[host.name]["MEMORY_MB"]
        evacuated = request.operation is Operation.EVACUATE
        spared = reserved is not (self._preferences.prefer_reserve and evacuated)
        return blind, spared, self._moving[host.name], -memory, host.name

    def _take(self, claim: Claim) -> None:
        host = self._hosts.get(claim.destination)
        self._moving[claim.destination] += 1
        if host is not None:
            self._moving_to_zone[host.facts.zone_words] += 1
        self._reserve(claim)

    def _reserve(self, claim: Claim) -> None:
        if claim.destination in self._free:
            self._free[claim.destination].subtract(claim.needs)
        if claim.group:
            self._groups.add((claim.group, claim.destination))


def request_for(
    server: Server,
    source: Host,
    preferences: Preferences,
    operation: Operation = Operation.EVACUATE,
) -> Request:
    """The server's move, as the scheduler plugin's rules will be asked."""
    try:
        ha: bool | str = vocabulary.boolean(server.extra_specs, vocabulary.HA)
    except BadValue as error:
        ha = str(error)
    # Without a name: the same verdicts hold for all servers of a kind.
    move = Request(operation, "", ha, source.name, source.facts)
    return replace(
        move,
        local_disk=server.local_disk,
        disposable=_disposable(server, preferences),
    )


def _disposable(server: Server, preferences: Preferences) -> bool:
    """Whether its disk may be lost, as its flavor says and its tenant does not deny."""
    specs, metadata = server.extra_specs, server.metadata
    try:
        policy = vocabulary.recovery_policy(specs, metadata, preferences.tenant_raises)
    except BadValue:
        return False
    return vocabulary.disposable(specs) and policy == "recreate"


def refusal(request: Request, host: Host, preferences: Preferences) -> str | None:
    """Why the rules keep the server off the host, in words."""
    for rule in RULES:
        if no := rule.refusal(request, host.facts, False, preferences.policy):
            return no.finding if no.found else str(no)
    return None


def _words(why: Counter[str]) -> str:
    """'2 hosts under maintenance, 1 without enough VCPU', most first."""
    if not why:
        return "no host is up and enabled"
    ordered = sorted(why.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{n} {finding}" for finding, n in ordered)
