# SPDX-License-Identifier: Apache-2.0
"""Where servers of a kind may go, before anything is taken: worked out once for a
picture, and used by every plan that is made on it.

The rules see a host's tags alone, so they are asked once for each combination of
them; and the rules see the same in most servers on the hosts of one zone.
"""

from collections import Counter, defaultdict
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from nova_ha_scheduler.cluster.picture import Host, Server
from nova_ha_scheduler.planner.preferences import Preferences
from nova_ha_scheduler.planner.room import Room, Wish
from nova_ha_scheduler.rules import (
    failover_host,
    ha_flavor,
    maintenance,
    storage_zone,
    vocabulary,
)
from nova_ha_scheduler.rules.terms import HostFacts, Operation, Request, Rule
from nova_ha_scheduler.rules.vocabulary import BadValue

CLOSED = "COMPUTE_STATUS_DISABLED"
"""The trait of a disabled host. One that is enabled while it is down keeps it until
its nova-compute has looked around, and Nova asks Placement for hosts without it."""

RULES: Mapping[str, Rule] = {
    "storage zone": storage_zone,
    "failover host": failover_host,
    "ha flavor": ha_flavor,
    "maintenance": maintenance,
}
"""Each with the name of what it is about."""


@dataclass(frozen=True)
class Spot:
    """A host that the rules permit for servers of one kind.

    :ivar blind: whether the server's disk is not seen there.
    :ivar spared: whether its being reserved, or not, makes it a later choice.
    """

    host: Host
    blind: bool
    spared: bool

    @cached_property
    def rank(self) -> tuple[bool, bool, int, str]:
        """The order of choice where nothing is under way."""
        memory = (self.host.free or {}).get("MEMORY_MB", 0)
        return self.blind, self.spared, -memory, self.host.name


class Ground:
    """All hosts of a picture, prepared.

    :ivar hosts: all of the cloud, by name.
    """

    def __init__(self, hosts: Mapping[str, Host], preferences: Preferences) -> None:
        self.hosts = hosts
        self.preferences = preferences
        self._alike: dict[HostFacts, list[Host]] = defaultdict(list)
        self._unusable: dict[HostFacts, list[Host]] = defaultdict(list)
        for _, host in sorted(hosts.items()):
            usable = host.up and not host.disabled
            (self._alike if usable else self._unusable)[host.facts].append(host)
        self._verdicts: dict[Request, Mapping[HostFacts, str | None]] = {}
        self._spots: dict[Request, Mapping[str, Spot]] = {}
        self._rooms: dict[str, Room] = {}

    def room(self, host: Host) -> Room:
        """What a host has left, before anything is taken; not to be changed."""
        if host.name not in self._rooms:
            self._rooms[host.name] = Room(host)
        return self._rooms[host.name]

    def permitted(self, request: Request, dead: Container[str]) -> list[Host]:
        """The usable hosts that all rules permit, without the dead ones."""
        return [
            host
            for facts, no in self._judge(request).items()
            if no is None
            for host in self._alike.get(facts, ())
            if host.name not in dead
        ]

    def refusals(self, request: Request, dead: Container[str]) -> Counter[str]:
        """Why the rules refuse the other usable hosts, in words."""
        return Counter(
            no
            for facts, no in self._judge(request).items()
            if no is not None
            for host in self._alike.get(facts, ())
            if host.name not in dead
        )

    def unusable(self, request: Request, dead: Container[str]) -> Mapping[str, str]:
        """Why a host that the rules permit cannot be used, in words, by its name."""
        found: dict[str, str] = {}
        for facts, no in self._judge(request).items():
            if no is None:
                off = self._unusable.get(facts, ())
                found |= {h.name: "disabled" if h.up else "down" for h in off}
                known = (*off, *self._alike.get(facts, ()))
                found |= {h.name: "dead" for h in known if h.name in dead}
        return found

    def spots(self, request: Request) -> Mapping[str, Spot]:
        """The permitted hosts, the best one first; those in recovery, too.

        :param request: a server's move, see :func:`request_for`.
        """
        if request not in self._spots:
            spots = [self._spot(request, host) for host in self.permitted(request, ())]
            spots.sort(key=lambda spot: spot.rank)
            self._spots[request] = {spot.host.name: spot for spot in spots}
        return self._spots[request]

    def _spot(self, request: Request, host: Host) -> Spot:
        blind = request.local_disk and host.facts.zones != request.source_facts.zones
        reserved = vocabulary.RESERVED in host.facts.flags
        evacuated = request.operation is Operation.EVACUATE
        wanted = self.preferences.prefer_reserve and evacuated
        return Spot(host, blind, reserved is not wanted)

    def _judge(self, request: Request) -> Mapping[HostFacts, str | None]:
        if request not in self._verdicts:
            self._verdicts[request] = {
                facts: refusal(request, alike[0], self.preferences)
                for facts, alike in {**self._unusable, **self._alike}.items()
            }
        return self._verdicts[request]


@dataclass(frozen=True)
class Obstacle:
    """
    :ivar check: what is asked: a resource class, or what explain calls it.
    :ivar brief: in words, for several hosts that are counted together.
    :ivar words: for one host.
    """

    check: str
    brief: str
    words: str


def obstacles(
    server: Server, host: Host, room: Room, near: bool = False
) -> Iterator[Obstacle]:
    """Why a permitted host cannot take a server: whether it fits is asked here alone.

    Placement's answer counts where it was asked for such a server; what was taken since
    is counted here.

    :param room: what it would still give.
    :param near: whether a member of its group is about to be there.
    """
    if server.group is not None:
        there = host.name in server.group_hosts
        if server.group_apart and (there or near):
            words = "with a server of its anti-affinity group"
            yield Obstacle("server group", words, words)
        elif not server.group_apart and server.group_hosts and not there:
            words = "without the others of its affinity group"
            yield Obstacle("server group", "without its affinity group", words)
    if CLOSED in host.traits:
        words = f"closed in Placement ({CLOSED})"
        yield Obstacle("status", words, words)
    pinned = server.availability_zone
    if pinned is not None and host.availability_zone != pinned:
        brief = f"outside availability zone {pinned}"
        yield Obstacle("availability zone", brief, f"it is pinned to {pinned}")
    offered = _offered(server, host)
    found = False
    for one in _unfitting(server, host, room, offered or False):
        found = True
        yield one
    if offered is False and not found:
        words = "Placement has no place for it"
        if host.free is not None:
            words += ", though the sums are enough (max_unit, step_size, devices)"
        yield Obstacle("Placement", f"where {words}", words)


def _offered(server: Server, host: Host) -> bool | None:
    """Whether Placement gave such a server a place here; None: it was not asked."""
    if not server.kind or host.offers is None:
        return None
    return server.kind in host.offers


def _unfitting(
    server: Server, host: Host, room: Room, offered: bool
) -> Iterator[Obstacle]:
    """What a server lacks here, of traits and of amounts."""
    if host.free is None and _offered(server, host) is False:
        return  # and nothing is known of it
    if host.free == {}:
        words = "less left of everything than is needed"
        yield Obstacle("room", f"with {words}", f"it has {words}")
        return
    choosy = server.traits or server.forbidden_traits or server.portions
    if choosy and not offered:  # else Placement has looked whose traits they are
        yield from _traits(server, host)
    if room.free is None:
        words = "free room is unknown"
        yield Obstacle("room", f"whose {words}", f"its {words}")
        return
    if offered and room.untouched:
        return
    lacking = room.lacks(server.needs)
    for what, wanted in sorted(lacking.items()):
        brief = f"without enough {', '.join(sorted(lacking))}"
        words = f"{wanted} needed, {room.free.get(what, 0)} free"
        yield Obstacle(what, brief, words)
    if (room.has_parts or server.portions) and server.needs and not lacking:
        yield from _in_pieces(server, room)


def _traits(server: Server, host: Host) -> Iterator[Obstacle]:
    wanted = server.traits.union(*(one.traits for one in server.portions))
    if missing := sorted(wanted - host.traits):
        words = ", ".join(f"without {trait}" for trait in missing)
        yield Obstacle("traits", f"without trait {', '.join(missing)}", words)
    present = sorted(server.forbidden_traits & host.traits)
    if present and not host.providers:  # else it depends on whose they are
        words = ", ".join(f"with {trait}, which is forbidden" for trait in present)
        yield Obstacle("traits", f"with forbidden trait {', '.join(present)}", words)


def _in_pieces(server: Server, room: Room) -> Iterator[Obstacle]:
    """What is there in sum, and yet not for one server."""
    wish = Wish.of(server)
    if room.place(wish) is not None:
        return
    alone = {what: n for what, n in wish.rest.items() if not room.gives(what, n)}
    free = room.free or Counter()
    for what, wanted in sorted(alone.items()):
        brief = f"that give no server so many {', '.join(sorted(alone))}"
        words = f"{wanted} needed, {free[what]} free, not for one"
        yield Obstacle(what, brief, words)
    if not alone:
        words = "all of it, but not on the resource providers where it belongs together"
        yield Obstacle("providers", f"without {words}", f"it has {words}")


def fits(server: Server, host: Host, room: Room, near: bool = False) -> bool:
    """Whether there is none."""
    return next(obstacles(server, host, room, near), None) is None


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
    # The same verdicts hold for all servers of a kind, on all hosts of one zone. A
    # source that is in no zone, or in several, is named in them.
    zone_known = len(source.facts.zones) == 1 and not source.facts.bad
    return Request(
        operation,
        "",
        ha,
        "" if zone_known else source.name,
        source.facts,
        server.local_disk,
        _disposable(server, preferences),
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
    for rule in RULES.values():
        if no := rule.refusal(request, host.facts, False, preferences.policy):
            return no.brief
    return None
