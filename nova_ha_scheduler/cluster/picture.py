# SPDX-License-Identifier: Apache-2.0
"""What the cloud shows at one moment. Plain, frozen data; all times are seconds
since the epoch, UTC.
"""

import enum
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from nova_ha_scheduler.cluster.providers import Portion, Provider, Resources
from nova_ha_scheduler.rules import vocabulary
from nova_ha_scheduler.rules.terms import HostFacts


@dataclass(frozen=True)
class Host:
    """One nova-compute service and what is known of its host.

    :ivar name: the service host, exactly; a hypervisor's name can differ.
    :ivar facts: what its aggregates say.
    :ivar up: the service's state, as Nova judges it; False while forced down.
    :ivar updated_at: the service's record was last written: by its heartbeat, or by
        whoever changed the record (Nova's API does not tell these apart).
    :ivar free: what Placement would still give here; None where it is not known.
    :ivar capacity: what it would give if the host were empty; None as well.
    :ivar traits: what its resource providers are said to have, all together.
    :ivar providers: these, if they say more than the sums in free and capacity: there
        are several, or one server cannot have all that is free.
    :ivar offers: the kinds of servers (see Server.kind) to which Placement gives a
        place here; None: Placement was not asked.
    :ivar unfenceable: why the trigger has no method to fence it; "": it has one, or
        this picture does not tell.
    :ivar unreadable: why nothing is known of its service but its name; "": all is.
    """

    name: str
    facts: HostFacts = HostFacts()
    up: bool = True
    forced_down: bool = False
    disabled: bool = False
    disabled_reason: str = ""
    updated_at: float = 0.0
    availability_zone: str = "nova"
    free: Resources | None = None
    capacity: Resources | None = None
    traits: frozenset[str] = frozenset()
    unfenceable: str = ""
    unreadable: str = ""
    providers: tuple[Provider, ...] = ()
    offers: frozenset[int] | None = None

    @property
    def heard(self) -> bool:
        """Whether Nova is known to hold the service for up."""
        return self.up and not self.unreadable

    def with_providers(self, found: tuple[Provider, ...]) -> "Host":
        """The host as Placement shows it.

        :param found: the compute node first.
        """
        free: Counter[str] = Counter()
        capacity: Counter[str] = Counter()
        for provider in found:
            for what, one in provider.inventories.items():
                # What is used too much of one provider is not missing at another.
                free[what] += one.free if len(found) == 1 else max(0, one.free)
                capacity[what] += one.capacity
        inventories = [one for p in found for one in p.inventories.values()]
        plain = len(found) == 1 and not any(i.refuses(i.capacity) for i in inventories)
        return replace(
            self,
            free=dict(free),
            capacity=dict(capacity) or None,
            traits=frozenset[str]().union(*(one.traits for one in found)),
            providers=() if plain else found,
        )


UNNAMED = "(a service without a readable host name)"
"""Stands for whatever host it may be."""


@dataclass(frozen=True)
class Server:
    """One server, as ``GET /servers/detail`` shows it and Placement counts it.

    :ivar host: the service host (``OS-EXT-SRV-ATTR:host``).
    :ivar running: whether power_state is RUNNING, as Nova last saw it.
    :ivar local_disk: whether any of its disks lies on the host's own storage path
        (not on a volume).
    :ivar needs: what it takes of Placement; volume-backed: no DISK_GB for its root.
    :ivar portions: the parts of that which one provider alone has to give.
    :ivar isolated: whether each portion is another provider's.
    :ivar kind: servers of one kind need and require the same, from the same hosts;
        0: Placement was not asked for it.
    :ivar refused_by_nova: a sentence on a property for which Nova refuses every
        evacuation (a vTPM, a share mapping, a port with an accelerator), or "".
    :ivar refused_live, refused_cold: the same for live and for cold migration.
    :ivar traits: what its flavor and its image require of the providers that give it
        anything but the portions.
    :ivar forbidden_traits: what none of these may have.
    :ivar availability_zone: the zone that it is pinned to, if it is.
    :ivar group: its server group, if that has a hard policy.
    :ivar group_apart: whether that policy is anti-affinity; else it is affinity.
    :ivar group_hosts: where the group's other members are.
    :ivar missing: sentences on volumes and ports that are not attached as they
        should be; None if nobody looked (see Scope.landed).
    :ivar unreadable: why nothing is known of it but where it is; "": all is.
    :ivar changed_at: when Nova last wrote its record; None: that is not known.
    """

    uuid: str
    name: str
    host: str
    vm_state: str = "active"
    task_state: str | None = None
    running: bool = True
    locked: bool = False
    extra_specs: Mapping[str, str] = field(default_factory=dict)
    metadata: Mapping[str, str] = field(default_factory=dict)
    local_disk: bool = True
    needs: Resources = field(default_factory=dict)
    refused_by_nova: str = ""
    refused_live: str = ""
    refused_cold: str = ""
    traits: frozenset[str] = frozenset()
    forbidden_traits: frozenset[str] = frozenset()
    availability_zone: str | None = None
    group: str | None = None
    group_apart: bool = True
    group_hosts: frozenset[str] = frozenset()
    missing: tuple[str, ...] | None = None
    unreadable: str = ""
    changed_at: float | None = None
    portions: tuple[Portion, ...] = ()
    isolated: bool = False
    kind: int = 0


class MoveKind(enum.Enum):
    """How a server moves: Nova's word for the type of the migration record."""

    LIVE = "live-migration"
    COLD = "migration"


@dataclass(frozen=True)
class Migration:
    """One migration record: the truth about a server's fate.

    :ivar id: grows with time, within a source host's cell.
    :ivar kind: Nova's migration_type.
    :ivar changed_at: when Nova last wrote it; None: that is not known.
    """

    id: int
    server: str
    source: str
    destination: str | None
    status: str
    kind: str = "evacuation"
    changed_at: float | None = None

    @property
    def landed(self) -> bool:
        """Whether it has ended well; neither landed nor failed: it is under way."""
        return self.status in ("done", "completed", "confirmed")

    @property
    def is_source_back(self) -> bool:
        """Of an evacuation: whether its source has come back. nova-compute ends what
        was evacuated from its host when it starts, also what has not begun."""
        return self.status == "completed"

    @property
    def arrived(self) -> bool:
        """Whether it is a cold migration that waits to be confirmed."""
        return self.status == "finished"

    @property
    def failed(self) -> bool:
        return self.status in ("error", "failed", "cancelled", "reverted")

    @property
    def claimed(self) -> bool:
        """Whether Placement surely counts the server on its destination already.

        A cold migration's record is made before its host is claimed.
        """
        cold = self.kind == "migration" and self.status == "pre-migrating"
        return self.status != "accepted" and not cold


UNCONFIRMED = ("finished", "reverting")
"""The states in which the record of a cold migration or a resize may stay for long."""

UNDER_WAY = ("pre-migrating", "migrating", "post-migrating", "confirming")
"""Those in which Nova works on it."""


@dataclass(frozen=True)
class Unconfirmed:
    """A server that leaves a host, or has left it, by a cold migration or a resize, and
    that comes back to it, without a question to nova-scheduler, if that is reverted.

    :ivar server: as it was just before the host's servers were listed.
    """

    record: Migration
    server: Server

    @property
    def place(self) -> str:
        """Where it is, or will be."""
        return self.record.destination or self.server.host or "?"


@dataclass(frozen=True)
class Unread:
    """An object that the cloud shows, and that cannot be read.

    :ivar kind: what it is, as a word; name: what it is called, as far as that is known.
    :ivar why: what is wrong with it.
    :ivar source: the host that a migration record is of; "": it is none.
    :ivar server: the server that it is of; "": that cannot be read either.
    :ivar at: when the record was made; None: that cannot be read either.
    """

    kind: str
    name: str
    why: str
    source: str = ""
    server: str = ""
    at: float | None = None

    def __str__(self) -> str:
        return f"{self.kind} {self.name} ({self.why})"


@dataclass(frozen=True)
class Scope:
    """What the engine needs to be looked at in detail, beyond all hosts.

    :ivar hosts: list their servers and the evacuation records that they are the
        source of.
    :ivar landed: servers to be shown where they have landed, with ``missing``.
    :ivar destinations: whether ``Host.free`` is needed.
    :ivar followed: hosts of which the records say enough: all of their servers that
        are not accounted for are under way.
    :ivar overview: whether the cloud's hosts are needed; if not, there are none.
    :ivar leaving: hosts whose servers move, or shall: list them, and the records of
        moves that they are the source of, and who may come back to them.
    :ivar servers_only: hosts whose servers alone are wanted, apart from all others.
    :ivar moves_since: records of moves that have not changed since then are of no
        interest.
    """

    hosts: frozenset[str] = frozenset()
    landed: frozenset[str] = frozenset()
    destinations: bool = False
    followed: frozenset[str] = frozenset()
    overview: bool = True
    leaving: frozenset[str] = frozenset()
    moves_since: float = 0.0
    servers_only: frozenset[str] = frozenset()

    @property
    def listed(self) -> frozenset[str]:
        """The hosts whose servers are listed."""
        return self.hosts | self.leaving


@dataclass(frozen=True)
class Picture:
    """All of the above at one moment.

    The records are read before the servers, and both before the free amounts: what
    a record shows as claimed is then claimed in the amounts, too. It is whole: a
    cell that does not answer makes no picture, not a smaller one, and whom Nova's lists
    leave out is asked for by id. A host or server that cannot be read is there all the
    same, and says so.

    :ivar taken_at: when the first request for it was sent.
    :ivar scope: what was asked for; hosts outside it have no servers here.
    :ivar hosts_at: the taken_at of the older picture that the hosts are from, if
        they are.
    :ivar unread: what could not be read.
    :ivar unconfirmed: who may come back to the hosts that are left.
    :ivar servers_only: the servers of the hosts of Scope.servers_only, by host.
    """

    taken_at: float
    scope: Scope
    hosts: Mapping[str, Host]
    servers: Mapping[str, Server] = field(default_factory=dict)
    migrations: tuple[Migration, ...] = ()
    hosts_at: float | None = None
    unread: tuple[Unread, ...] = ()
    unconfirmed: tuple[Unconfirmed, ...] = ()
    servers_only: Mapping[str, tuple[Server, ...]] = field(default_factory=dict)

    def with_hosts_of(self, older: "Picture") -> "Picture":
        """This picture, whose scope is without an overview, completed."""
        return replace(self, hosts=older.hosts, hosts_at=older.hosts_seen_at)

    @property
    def hosts_seen_at(self) -> float:
        """The taken_at that holds for the hosts."""
        return self.taken_at if self.hosts_at is None else self.hosts_at

    def host(self, name: str) -> Host | None:
        """A host; one whose service may be that without a readable name stands for it.
        None: it has no service."""
        return self.hosts.get(name) or self.hosts.get(UNNAMED)

    def zones_of(self, host: str) -> frozenset[str]:
        """The storage zones of a host; none, of one that is not known."""
        seen = self.hosts.get(host)
        return seen.facts.zones if seen else frozenset()

    def servers_of(self, host: str) -> list[Server]:
        """The servers on a host, by name."""
        found = (s for s in self.servers.values() if s.host == host)
        return sorted(found, key=lambda s: (s.name, s.uuid))

    def newest_record(self, server: str, source: str) -> Migration | None:
        """The newest evacuation record of a server off a host."""
        return self._newest.get((server, source, True))

    def record(self, server: str, source: str, id: int) -> Migration | None:
        """A record, by its id: each cell numbers its own."""
        return self._by_id.get((server, source, id))

    def first_accepted(self, server: str, source: str) -> int:
        """The oldest evacuation record that Nova has not taken up; 0: there is none."""
        return self._accepted.get((server, source), 0)

    @cached_property
    def _by_id(self) -> Mapping[tuple[str, str, int], Migration]:
        return {(m.server, m.source, m.id): m for m in self.migrations}

    @cached_property
    def _accepted(self) -> Mapping[tuple[str, str], int]:
        open_ = (m for m in self.migrations if m.status == "accepted")
        by_age = sorted(open_, key=lambda record: record.id, reverse=True)
        return {(m.server, m.source): m.id for m in by_age if m.kind == "evacuation"}

    def newest_move(self, server: str, source: str) -> Migration | None:
        """The same of its live and cold migrations."""
        return self._newest.get((server, source, False))

    def may_return(self, host: str) -> list[Unconfirmed]:
        """The servers that are not on a host, and may come back to it, by name."""
        here = {server.uuid for server in self.servers_of(host)}
        found = (u for u in self.unconfirmed if u.record.source == host)
        away = (u for u in found if u.server.uuid not in here)
        return sorted(away, key=lambda u: (u.server.name, u.server.uuid))

    @cached_property
    def _newest(self) -> Mapping[tuple[str, str, bool], Migration]:
        by_age = sorted(self.migrations, key=lambda record: record.id)
        return {(m.server, m.source, m.kind == "evacuation"): m for m in by_age}

    def under_maintenance(self, hosts: Collection[str]) -> "Picture":
        """The same, in which these hosts are flagged, whatever their aggregates say."""
        if not hosts:
            return self
        flagged = dict(self.hosts)
        for name in flagged.keys() & set(hosts):
            facts = flagged[name].facts
            flags = facts.flags | {vocabulary.MAINTENANCE}
            facts = replace(facts, flags=flags)
            flagged[name] = replace(flagged[name], facts=facts)
        return replace(self, hosts=flagged)
