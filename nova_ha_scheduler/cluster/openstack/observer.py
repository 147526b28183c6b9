# SPDX-License-Identifier: Apache-2.0
"""A picture of the cloud from a number of requests that depends on hosts, not servers.

=========================  =========================================================
an overview                compute services, aggregates
each host in the scope     its evacuation records; its servers, unless they are
                           merely followed; its allocations, and each server that has
                           one and is in no list
each host that is left     its records of live and cold migrations and of resizes; its
                           servers; if some may come back, the cloud's in VERIFY_RESIZE
servers that landed        what changed in the cloud since they were asked for; their
                           ports; the volumes of each of their projects
destinations are wanted    of each kind of server in the scope the allocations of one
                           and the allocation candidates (more, if none is a host that
                           can be used); the ports of the hosts in the scope;
                           hypervisors, if hosts came or went; images of servers that
                           are younger than what is known
each host of servers_only  its servers
groups among the servers   all groups; the servers of each project with a group
=========================  =========================================================

What cannot be read of an answer costs what it is of, and stands in the picture.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Any

from oslo_log import log as logging

from nova_ha_scheduler.clock import Clock
from nova_ha_scheduler.cluster.errors import CloudUnreachable
from nova_ha_scheduler.cluster.openstack import (
    attached,
    fields,
    images,
    kinds,
    lists,
    parse,
    unlisted,
)
from nova_ha_scheduler.cluster.openstack.api import Api
from nova_ha_scheduler.cluster.openstack.fields import BadAnswer, Notes
from nova_ha_scheduler.cluster.openstack.images import Booted, Image
from nova_ha_scheduler.cluster.openstack.kinds import ServerKind
from nova_ha_scheduler.cluster.openstack.lists import Lists
from nova_ha_scheduler.cluster.openstack.tags import HostTags, Said
from nova_ha_scheduler.cluster.openstack.unlisted import Unlisted
from nova_ha_scheduler.cluster.picture import (
    UNCONFIRMED,
    UNDER_WAY,
    Host,
    Migration,
    MoveKind,
    Picture,
    Scope,
    Server,
    Unconfirmed,
)
from nova_ha_scheduler.rules.terms import Policy, TaggedAggregate

LOG = logging.getLogger(__name__)

_MARGIN = 600.0
"""Seconds by which the clocks of Nova's hosts may differ."""

_AT_ONCE = 4
"""Requests that do not depend on each other."""

_RESIZING = ("RESIZE", "VERIFY_RESIZE", "REVERT_RESIZE")
"""Nova's words for a server on its way, that waits to be confirmed, on its way back."""

Json = dict[str, Any]


class Observer:
    """Takes pictures; remembers which hypervisor belongs to which service, what images
    required of a host that were not changed since, and whose aggregates were whose."""

    def __init__(
        self,
        api: Api,
        clock: Clock,
        policy: Policy | None = None,
        thorough: bool = False,
    ) -> None:
        """
        :param policy: the scheduler plugin's options; None: whatever zone a server is
            bound to, Placement is asked about all hosts.
        :param thorough: learn of each host why Placement does not offer it.
        """
        self._api, self._clock = api, clock
        self.policy, self.thorough = policy, thorough
        self._pool = ThreadPoolExecutor(_AT_ONCE)
        self._nodes: dict[str, str] = {}
        self._nodes_of: Mapping[str, str] = {}
        self._images: dict[str, Image] = {}
        self.kinds: dict[ServerKind, ServerKind] = {}
        """As they are allocated."""
        self.services: Mapping[str, str] = {}
        """The ids of the newest picture's services, by host."""
        self.unlisted = Unlisted(clock)
        self.names: Mapping[str, str] = {}
        """What the machines call themselves, by host, as far as that was asked for."""
        self.aggregates: Mapping[str, Said] = {}
        """As they were when they could be read."""

    def observe(self, scope: Scope) -> Picture:
        """:raises CloudUnreachable: if any part of it could not be had."""
        return _Observation(self, self._api, scope, self._clock.now()).picture()

    def nodes(self, notes: Notes) -> Mapping[str, str]:
        """Compute nodes, which are Placement's providers, to service hosts. A host that
        was installed anew has another one, and another service; one that starts for
        the first time has a service first."""
        services = self.services
        if services != self._nodes_of:
            found = Lists(self._api, notes).hypervisors()
            self._nodes = {one.node: one.host for one in found}
            self.names = {one.host: one.name for one in found if one.name}
            whole = services.keys() <= set(self._nodes.values())
            self._nodes_of = services if whole else {}
        return self._nodes

    def images(self, wanted: Collection[Booted]) -> Mapping[str, Image]:
        """What is known of images. An image service that does not answer holds no
        recovery up: Nova's scheduler knows what they require."""
        if unknown := images.unknown(wanted, self._images):
            try:
                self._images |= Lists(self._api).images(unknown, self._clock.now())
            except CloudUnreachable as error:
                LOG.warning("The requirements of images cannot be read: %s", error)
        return self._images

    def close(self) -> None:
        """Take no more pictures."""
        self._pool.shutdown(wait=False)

    def together(self, *questions: Callable[[], Any]) -> list[Any]:
        """The answers to questions that are asked at the same time."""
        asked = [self._pool.submit(question) for question in questions]
        return [answer.result() for answer in asked]


class _Observation:
    """One picture in the making."""

    def __init__(self, observer: Observer, api: Api, scope: Scope, now: float) -> None:
        self._observer, self._notes = observer, Notes()
        self._lists = Lists(api, self._notes)
        self._scope, self._now = scope, now
        self._tagged: Sequence[TaggedAggregate] | None = None
        self._raw: dict[str, Json] = {}
        self._servers: dict[str, Server] = {}

    def picture(self) -> Picture:
        listed = sorted(self._scope.listed)
        sources = sorted(self._scope.hosts | self._scope.followed)
        overview: tuple[Callable[[], Any], ...] = ()
        if self._scope.overview:
            overview = (self._lists.services, self._lists.aggregates)
        leaving = sorted(self._scope.leaving)
        found = self._observer.together(
            *overview,
            *(partial(self._of, host) for host in sources),
            *(partial(self._moves, host) for host in leaving),
            *(
                partial(self._open, host, word)
                for host in leaving
                for word in UNCONFIRMED
            ),
        )
        hosts = self._hosts(*found[:2]) if overview else {}
        rest = len(found) - len(leaving) * len(UNCONFIRMED)
        records = [one for some in found[len(overview) : rest] for one in some]
        # Before the servers: who comes back meanwhile is among those.
        open_ = [one for some in found[rest:] for one in some]
        unconfirmed = self._unconfirmed([record for record, _ in (*records, *open_)])
        known = {"evacuation", *(kind.value for kind in MoveKind)}
        records = [(record, at) for record, at in records if record.kind in known]
        apart = sorted(self._scope.servers_only)
        servers = self._observer.together(
            *(partial(self._list, host=host) for host in listed),
            *(partial(self._lists.servers_only, host) for host in apart),
        )
        for host, some in zip(listed, servers, strict=False):
            self._add(some, only_on=host)
        self._add_unlisted([record for record, _ in records])
        self._find_landed(records)
        if self._scope.destinations:
            hosts = self._with_room(hosts)
        return Picture(
            self._now,
            self._scope,
            hosts,
            self._servers,
            tuple(migration for migration, _ in records),
            unread=tuple(self._notes.unread),
            unconfirmed=unconfirmed,
            servers_only=dict(zip(apart, servers[len(listed) :], strict=True)),
        )

    def _hosts(self, services: list[Any], aggregates: list[Any]) -> dict[str, Host]:
        self._tagged = kinds.tagged(aggregates)
        facts = HostTags(aggregates, self._notes, self._observer.aggregates)
        hosts, ids = lists.hosts_of(services, facts, self._now, self._notes)
        self._observer.services, self._observer.aggregates = ids, facts.seen
        return hosts

    def _of(self, host: str) -> list[tuple[Migration, float | None]]:
        """The evacuation records of a host; databases may match without case."""
        found = self._lists.migrations(migration_type="evacuation", source_compute=host)
        return self._records(found, host)

    def _moves(self, host: str) -> list[tuple[Migration, float | None]]:
        """The same of its moves; there may be years of them."""
        since = parse.isotime(self._scope.moves_since - _MARGIN)
        found = self._lists.migrations(source_compute=host, **{"changes-since": since})
        records = self._records(found, host)
        return [(record, at) for record, at in records if record.kind != "evacuation"]

    def _open(self, host: str, status: str) -> list[tuple[Migration, float | None]]:
        """Those that nobody has confirmed, however old."""
        found = self._lists.migrations(source_compute=host, status=status)
        return self._records(found, host)

    def _unconfirmed(self, records: Iterable[Migration]) -> tuple[Unconfirmed, ...]:
        """Who may come back. A record whose server was deleted, or is in no such state
        any more, is nothing: Nova reverts no other."""
        states = {
            "resize": (*UNCONFIRMED, *UNDER_WAY),
            MoveKind.COLD.value: UNCONFIRMED,
        }
        open_ = (m for m in records if m.status in states.get(m.kind, ()))
        by_id = {(m.source, m.id): m for m in open_}  # each cell numbers its own
        if not by_id:
            return ()
        shown = {_id_of(raw): raw for raw in self._list(status=list(_RESIZING))}
        missing = {record.server for record in by_id.values()} - shown.keys()
        shown |= {_id_of(raw): raw for raw in self._ask("resized", missing, _resizes)}
        return tuple(
            Unconfirmed(record, parse.shown(shown[record.server], self._notes))
            for record in by_id.values()
            if record.server in shown
        )

    def _records(
        self, found: Iterable[Any], host: str
    ) -> list[tuple[Migration, float | None]]:
        """Each with the time at which it was made."""
        records = []
        for raw in found:
            try:
                record = parse.migration(fields.fields(raw))
                at = parse.timestamp(raw.get("created_at"))
                if record.source == host:
                    records.append((record, at))
            except Exception as error:  # nobody knows all that it can be
                about = parse.unreadable_migration(raw, host)
                self._notes.add("migration record", raw, error, **about)
        return records

    def _list(self, **filters: Any) -> list[Any]:
        return list(self._lists.servers(**filters))

    def _add(self, found: Iterable[Any], only_on: str | None = None) -> None:
        for raw in found:
            server = parse.shown(raw, self._notes, only_on or "")
            lost = server.unreadable and not server.host and only_on is None
            if lost or (server.host and only_on in (None, server.host)):
                self._servers[server.uuid] = server
                if not server.unreadable:
                    self._raw[server.uuid] = raw

    def _add_unlisted(self, records: list[Migration]) -> None:
        """Those of the hosts that Nova's lists leave out."""
        hosts = self._scope.listed
        if not hosts:
            return
        nodes = self._observer.nodes(self._notes).items()
        there = [(node, host) for node, host in nodes if host in hosts]
        consumers = self._observer.together(
            *(partial(self._lists.consumers, node) for node, _ in there)
        )
        evacuated = [record for record in records if record.kind == "evacuation"]
        for (_, host), ids in zip(there, consumers, strict=True):
            left = unlisted.who_left(r for r in evacuated if r.source == host)
            missing = {*ids} - left - self._servers.keys()
            is_there = partial(unlisted.may_be_on, host=host)
            for raw in self._ask(host, missing, is_there):
                self._add([raw], only_on=host)

    def _ask(
        self, where: str, missing: Iterable[str], is_there: Callable[[Any], bool]
    ) -> list[Any]:
        """What Nova shows of those that a list leaves out, if they belong to it."""
        asked = self._observer.unlisted.asked(where, missing, self._lists, is_there)
        return [raw for raw in self._observer.together(*asked) if raw is not None]

    # Servers that have left their dead host.

    def _find_landed(self, records: Iterable[tuple[Migration, float | None]]) -> None:
        """Whatever moved has changed since it was asked to: one list shows them all."""
        wanted = self._scope.landed
        by_age = sorted(records, key=lambda record: record[0].id)
        created = {record.server: at or 0.0 for record, at in by_age}
        times = [created[uuid] for uuid in wanted & set(created)]
        times += [one.at or 0.0 for one in self._notes.unread if one.source and wanted]
        self._add_changed(wanted, times)
        missing_in = sorted(wanted - self._servers.keys())
        asked = (partial(unlisted.shown, uuid, self._lists) for uuid in missing_in)
        self._add(raw for raw in self._observer.together(*asked) if raw is not None)
        found = (self._servers[uuid] for uuid in sorted(wanted & set(self._servers)))
        landed = [server for server in found if not server.unreadable]
        projects = self._projects(landed)
        volumes_of = {s.uuid: parse.volumes_of(self._raw[s.uuid]) for s in landed}
        missing = attached.missing(self._lists, landed, projects, volumes_of)
        for server in landed:
            words = tuple(missing[server.uuid])
            self._servers[server.uuid] = replace(server, missing=words)

    def _add_changed(self, wanted: frozenset[str], times: list[float]) -> None:
        """:param times: when they were asked for."""
        if not times:
            return
        since = parse.isotime(max(0.0, min(times) - _MARGIN))
        # Nova would also show what was deleted since.
        changed = self._list(**{"changes-since": since, "deleted": "false"})
        listed = {_id_of(raw): raw for raw in changed}
        self._add(raw for uuid, raw in listed.items() if uuid in wanted)
        if "" in listed:
            self._notes.add("server", listed[""], "its id cannot be read")

    def _projects(self, servers: Iterable[Server]) -> dict[str, str]:
        """Of servers that can be read."""
        return {s.uuid: parse.project(self._raw[s.uuid]) for s in servers}

    # Where servers could go, and what they need there.

    def _with_room(self, hosts: dict[str, Host]) -> dict[str, Host]:
        nodes = self._observer.nodes(self._notes)
        self._learn_groups()
        listed = [
            server
            for server in self._servers.values()
            if server.host in self._scope.listed and not server.unreadable
        ]
        by_image = {s.uuid: images.booted(self._raw[s.uuid]) for s in listed}
        booted = [one for one in by_image.values() if one]
        ports, known = self._observer.together(
            self._ports, partial(self._observer.images, booted)
        )
        equipped = attached.with_ports(listed, ports, self._projects(listed))
        servers = [
            replace(s, traits=s.traits | images.traits(by_image[s.uuid], known))
            for s in equipped
        ]
        observer = self._observer
        asking = kinds.Asking(self._lists, observer.together, nodes, observer.kinds)
        bounds = kinds.Bounds(hosts, self._tagged, observer.policy)
        found, hosts = asking.ask(servers, bounds, self._scope.hosts, observer.thorough)
        self._servers |= found
        return hosts

    def _ports(self) -> list[Any]:
        bound: dict[str, Any] = {"binding:host_id": sorted(self._scope.listed)}
        return list(self._lists.ports(**bound)) if self._scope.listed else []

    def _learn_groups(self) -> None:
        grouped = {
            uuid
            for uuid, raw in self._raw.items()
            if parse.is_grouped(raw) and self._servers[uuid].host in self._scope.listed
        }
        if not grouped:
            return
        projects = self._projects(self._servers[uuid] for uuid in grouped)
        host_of = dict(
            one
            for project in sorted(set(projects.values()))
            for one in fields.each(self._list(project_id=project), parse.whereabouts)
        )
        found = lists.grouped(
            self._servers, grouped, host_of, self._lists.groups(), self._notes
        )
        self._servers |= found


def _id_of(raw: Any) -> str:
    try:
        return fields.identity(fields.fields(raw))
    except BadAnswer:
        return ""


def _resizes(raw: Any) -> bool:
    """Whether it is on its way, or that cannot be read."""
    return "status" not in raw or raw["status"] in _RESIZING
