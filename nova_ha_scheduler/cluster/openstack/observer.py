# SPDX-License-Identifier: Apache-2.0
"""A picture of the cloud from a number of requests that depends on hosts, not servers.

=========================  =========================================================
an overview                compute services, aggregates
each host in the scope     its evacuation records; its servers, unless they are
                           merely followed
each host that is left     its records of live and cold migrations and of resizes; its
                           servers; if some may come back, the cloud's in VERIFY_RESIZE
servers that landed        what changed in the cloud since they were asked for; their
                           ports; the volumes of each of their projects
destinations are wanted    allocation candidates; of each host in the scope the
                           allocations and ports; hypervisors, if hosts came or went;
                           images of servers that are younger than what is known
groups among the servers   all groups; the servers of each project with a group
=========================  =========================================================

What cannot be read of an answer costs what it is of, and stands in the picture.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Any

from oslo_log import log as logging

from nova_ha_scheduler.clock import Clock
from nova_ha_scheduler.cluster.errors import CloudUnreachable
from nova_ha_scheduler.cluster.openstack import attached, fields, images, lists, parse
from nova_ha_scheduler.cluster.openstack.api import Api
from nova_ha_scheduler.cluster.openstack.fields import BadAnswer, Notes
from nova_ha_scheduler.cluster.openstack.images import Booted, Image
from nova_ha_scheduler.cluster.openstack.lists import Lists
from nova_ha_scheduler.cluster.openstack.tags import HostTags, Said
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

LOG = logging.getLogger(__name__)

_MARGIN = 600.0
"""Seconds by which the clocks of Nova's hosts may differ."""

_AT_ONCE = 4
"""Requests that do not depend on each other."""

_PORTS_AT_ONCE = 40
"""Servers whose ports are asked for in one request: it has to fit an address line."""

_RESIZING = ("RESIZE", "VERIFY_RESIZE", "REVERT_RESIZE")
"""Nova's words for a server on its way, that waits to be confirmed, on its way back."""

Json = dict[str, Any]


class Observer:
    """Takes pictures; remembers which hypervisor belongs to which service, what images
    required of a host that were not changed since, and whose aggregates were whose."""

    def __init__(self, api: Api, clock: Clock) -> None:
        self._api, self._clock = api, clock
        self._pool = ThreadPoolExecutor(_AT_ONCE)
        self._nodes: dict[str, str] = {}
        self._nodes_of: Mapping[str, str] = {}
        self._images: dict[str, Image] = {}
        self.services: Mapping[str, str] = {}
        """The ids of the newest picture's services, by host."""
        self.names: Mapping[str, str] = {}
        """What the machines call themselves, by host, as far as that was asked for."""
        self.aggregates: Mapping[str, Said] = {}
        """As they were when they could be read."""

    def observe(self, scope: Scope) -> Picture:
        """:raises CloudUnreachable: if any part of it could not be had."""
        return _Look(self, self._api, scope, self._clock.now()).picture()

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
                LOG.warning("What images require of a host is not known: %s", error)
        return self._images

    def close(self) -> None:
        """Take no more pictures."""
        self._pool.shutdown(wait=False)

    def together(self, *questions: Callable[[], Any]) -> list[Any]:
        """The answers to questions that are asked at the same time."""
        asked = [self._pool.submit(question) for question in questions]
        return [answer.result() for answer in asked]


class _Look:
    """One picture in the making."""

    def __init__(self, observer: Observer, api: Api, scope: Scope, now: float) -> None:
        self._observer, self._notes = observer, Notes()
        self._lists = Lists(api, self._notes)
        self._scope, self._now = scope, now
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
        kinds = {"evacuation", *(kind.value for kind in MoveKind)}
        records = [(record, at) for record, at in records if record.kind in kinds]
        servers = self._observer.together(
            *(partial(self._list, host=host) for host in listed)
        )
        for host, some in zip(listed, servers, strict=True):
            self._add(some, only_on=host)
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
        )

    def _hosts(self, services: list[Any], aggregates: list[Any]) -> dict[str, Host]:
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
        by_id = {m.id: m for m in records if m.status in states.get(m.kind, ())}
        if not by_id:
            return ()
        shown = {_id_of(raw): raw for raw in self._list(status=list(_RESIZING))}
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

    # Servers that have left their dead host.

    def _find_landed(self, records: Iterable[tuple[Migration, float | None]]) -> None:
        """Whatever moved has changed since it was asked to: one list shows them all."""
        wanted = self._scope.landed
        by_age = sorted(records, key=lambda record: record[0].id)
        created = {record.server: at or 0.0 for record, at in by_age}
        times = [created[uuid] for uuid in wanted & set(created)]
        times += [one.at or 0.0 for one in self._notes.unread if one.source and wanted]
        if not times:
            return
        since = parse.isotime(max(0.0, min(times) - _MARGIN))
        # Nova would also show what was deleted since.
        changed = self._list(**{"changes-since": since, "deleted": "false"})
        shown = {_id_of(raw): raw for raw in changed}
        self._add(raw for uuid, raw in shown.items() if uuid in wanted)
        if "" in shown:
            why = self._notes.add("server", shown[""], "its id cannot be read").why
            for uuid in wanted - shown.keys():
                self._servers[uuid] = parse.unreadable_server({"id": uuid}, why)
        found = (self._servers[uuid] for uuid in sorted(wanted & set(self._servers)))
        landed = [server for server in found if not server.unreadable]
        missing = self._missing(landed)
        for server in landed:
            words = tuple(missing[server.uuid])
            self._servers[server.uuid] = replace(server, missing=words)

    def _projects(self, servers: Iterable[Server]) -> dict[str, str]:
        """Of servers that can be read."""
        return {s.uuid: parse.project(self._raw[s.uuid]) for s in servers}

    def _missing(self, landed: list[Server]) -> dict[str, list[str]]:
        missing: dict[str, list[str]] = defaultdict(list)
        projects = self._projects(landed)
        for first in range(0, len(landed), _PORTS_AT_ONCE):
            uuids = [server.uuid for server in landed[first : first + _PORTS_AT_ONCE]]
            found = self._lists.ports(device_id=uuids)
            for uuid, port in attached.of_servers(found, projects):
                if words := attached.bad_port(port, self._servers[uuid]):
                    missing[uuid].append(words)
        expected = {server.uuid: self._volumes(server.uuid) for server in landed}
        wanted = {projects[uuid] for uuid, some in expected.items() if some}
        volumes: dict[str, frozenset[str]] = {}
        for project in sorted(wanted):
            volumes |= attached.volumes(self._lists.volumes(project), self._notes)
        for uuid, some in expected.items():
            missing[uuid] += attached.bad_volumes(some, uuid, volumes)
        return missing

    def _volumes(self, uuid: str) -> list[str]:
        return parse.volumes_of(self._raw[uuid])

    # Where servers could go, and what they need there.

    def _with_room(self, hosts: dict[str, Host]) -> dict[str, Host]:
        nodes = self._observer.nodes(self._notes)
        of_listed = [n for n, host in nodes.items() if host in self._scope.listed]
        self._learn_groups()
        listed = [
            server
            for server in self._servers.values()
            if server.host in self._scope.listed and not server.unreadable
        ]
        by_image = {s.uuid: images.booted(self._raw[s.uuid]) for s in listed}
        booted = [one for one in by_image.values() if one]
        room, ports, known, *taken = self._observer.together(
            self._lists.rooms,
            partial(self._accelerators, listed),
            partial(self._observer.images, booted),
            *(partial(self._lists.allocations, node) for node in of_listed),
        )
        allocated = {uuid: found for some in taken for uuid, found in some.items()}
        for server in listed:
            needs = allocated.get(server.uuid, server.needs)
            server = lists.with_port(server, ports.get(server.uuid, ""))
            traits = server.traits | images.traits(by_image[server.uuid], known)
            self._servers[server.uuid] = replace(server, needs=needs, traits=traits)
        return lists.with_rooms(hosts, nodes, room)

    def _accelerators(self, listed: list[Server]) -> dict[str, str]:
        bound: dict[str, Any] = {"binding:host_id": sorted(self._scope.listed)}
        if not self._scope.listed:
            return {}
        host_of = {server.uuid: server.host for server in listed}
        found = self._lists.ports(**bound)
        return attached.accelerated(found, self._projects(listed), host_of)

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
            for one in fields.each(self._list(project_id=project), _where)
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


def _where(raw: Any) -> tuple[str, str]:
    return fields.identity(raw), parse.place(raw)
