# SPDX-License-Identifier: Apache-2.0
"""A picture of the cloud from a number of requests that depends on hosts, not servers.

=========================  =========================================================
an overview                compute services, aggregates
each host in the scope     its evacuation records; its servers, unless they are
                           merely followed
each host that is left     its records of live and cold migrations, its servers
servers that landed        what changed in the cloud since they were asked for; their
                           ports; the volumes of each of their projects
destinations are wanted    allocation candidates; of each host in the scope the
                           allocations and ports; hypervisors, if hosts came or went;
                           images that were not asked for before
groups among the servers   all groups; the servers of each project with a group
=========================  =========================================================
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Any

from oslo_log import log as logging

from nova_ha_scheduler.clock import Clock
from nova_ha_scheduler.cluster.errors import CloudUnreachable
from nova_ha_scheduler.cluster.model import Host, MoveKind, Picture, Scope, Server
from nova_ha_scheduler.cluster.openstack import lists, parse
from nova_ha_scheduler.cluster.openstack.api import PLACEMENT, Api
from nova_ha_scheduler.cluster.openstack.lists import Lists

LOG = logging.getLogger(__name__)

_MARGIN = 600.0
"""Seconds by which the clocks of Nova's hosts may differ."""

_AT_ONCE = 4
"""Requests that do not depend on each other."""

_PORTS_AT_ONCE = 40
"""Servers whose ports are asked for in one request: it has to fit an address line."""

Json = dict[str, Any]


class Observer:
    """Takes pictures; remembers which hypervisor belongs to which service, and what
    images require of a host: servers go by what they were at the boot."""

    def __init__(self, api: Api, clock: Clock) -> None:
        self._api, self._clock = api, clock
        self._pool = ThreadPoolExecutor(_AT_ONCE)
        self._nodes: dict[str, str] = {}
        self._nodes_of: Mapping[str, str] = {}
        self._images: dict[str, frozenset[str]] = {}
        self.services: Mapping[str, str] = {}
        """The ids of the newest picture's services, by host."""

    def observe(self, scope: Scope) -> Picture:
        """:raises CloudUnreachable: if any part of it could not be had."""
        return _Look(self, self._api, scope, self._clock.now()).picture()

    def nodes(self) -> Mapping[str, str]:
        """Compute nodes, which are Placement's providers, to service hosts. A host that
        was installed anew has another one, and another service; one that starts for
        the first time has a service first."""
        services = self.services
        if services != self._nodes_of:
            self._nodes = Lists(self._api).nodes()
            whole = services.keys() <= set(self._nodes.values())
            self._nodes_of = services if whole else {}
        return self._nodes

    def image_traits(self, wanted: frozenset[str]) -> Mapping[str, frozenset[str]]:
        """Of images. An image service that does not answer holds no recovery up: Nova's
        filters know what they require."""
        if unknown := wanted - self._images.keys():
            try:
                found = Lists(self._api).image_traits(unknown)
            except CloudUnreachable as error:
                LOG.warning("What images require of a host is not known: %s", error)
                return self._images
            self._images |= dict.fromkeys(unknown, frozenset()) | found
        return self._images

    def together(self, *questions: Callable[[], Any]) -> list[Any]:
        """The answers to questions that are asked at the same time."""
        asked = [self._pool.submit(question) for question in questions]
        return [answer.result() for answer in asked]


class _Look:
    """One picture in the making."""

    def __init__(self, observer: Observer, api: Api, scope: Scope, now: float) -> None:
        self._observer, self._api, self._lists = observer, api, Lists(api)
        self._scope, self._now = scope, now
        self._raw: dict[str, Json] = {}
        self._servers: dict[str, Server] = {}

    def picture(self) -> Picture:
        listed = sorted(self._scope.listed)
        sources = sorted(self._scope.hosts | self._scope.followed)
        overview: tuple[Callable[[], Any], ...] = ()
        if self._scope.overview:
            overview = (self._lists.services, self._lists.aggregates)
        answers = self._observer.together(
            *overview,
            *(partial(self._of, host) for host in sources),
            *(partial(self._moves, host) for host in sorted(self._scope.leaving)),
        )
        hosts = self._hosts(*answers[:2]) if overview else {}
        found = answers[len(overview) :]
        records = [record for some in found for record in some]
        lists = self._observer.together(
            *(partial(self._list, host=host) for host in listed)
        )
        for host, some in zip(listed, lists, strict=True):
            self._add(some, only_on=host)
        self._find_landed(records)
        if self._scope.destinations:
            hosts = self._with_room(hosts)
        migrations = tuple(map(parse.migration, records))
        return Picture(self._now, self._scope, hosts, self._servers, migrations)

    def _hosts(self, services: list[Json], aggregates: list[Json]) -> dict[str, Host]:
        facts = parse.facts(aggregates)
        hosts = [parse.host(service, facts, self._now) for service in services]
        self._observer.services = {s["host"]: s["id"] for s in services}
        return {host.name: host for host in hosts}

    def _of(self, host: str) -> list[Json]:
        """The evacuation records of a host; databases may match without case."""
        found = self._lists.migrations(migration_type="evacuation", source_compute=host)
        return [record for record in found if record["source_compute"] == host]

    def _moves(self, host: str) -> list[Json]:
        """The same of its live and cold migrations; there may be years of them."""
        since = parse.isotime(self._scope.moves_since - _MARGIN)
        found = self._lists.migrations(source_compute=host, **{"changes-since": since})
        kinds = {kind.value for kind in MoveKind}
        wanted = (record for record in found if record["migration_type"] in kinds)
        return [record for record in wanted if record["source_compute"] == host]

    def _list(self, **filters: str) -> list[Json]:
        return list(self._lists.servers(**filters))

    def _add(self, found: Iterable[Json], only_on: str | None = None) -> None:
        for raw in found:
            host = raw.get("OS-EXT-SRV-ATTR:host")
            if host and only_on in (None, host):
                self._raw[raw["id"]] = raw
                self._servers[raw["id"]] = parse.server(raw)

    # Servers that have left their dead host.

    def _find_landed(self, records: Iterable[Json]) -> None:
        """Whatever moved has changed since it was asked to: one list shows them all."""
        wanted = self._scope.landed
        by_age = sorted(records, key=lambda record: record["id"])
        created = {r["instance_uuid"]: r["created_at"] for r in by_age}
        times = [parse.timestamp(created[s]) or 0.0 for s in wanted & set(created)]
        if not times:
            return
        since = parse.isotime(min(times) - _MARGIN)
        # Nova would also show what was deleted since.
        changed = self._list(**{"changes-since": since, "deleted": "false"})
        self._add(raw for raw in changed if raw["id"] in wanted)
        landed = [self._servers[uuid] for uuid in sorted(wanted & set(self._servers))]
        missing = self._missing(landed)
        for server in landed:
            words = tuple(missing[server.uuid])
            self._servers[server.uuid] = replace(server, missing=words)

    def _missing(self, landed: list[Server]) -> dict[str, list[str]]:
        missing: dict[str, list[str]] = defaultdict(list)
        for first in range(0, len(landed), _PORTS_AT_ONCE):
            uuids = [server.uuid for server in landed[first : first + _PORTS_AT_ONCE]]
            for port in self._lists.ports(device_id=uuids):
                server = self._servers[port["device_id"]]
                if words := parse.bad_port(port, server.host, server.running):
                    missing[server.uuid].append(words)
        attached = {server.uuid: self._volumes(server.uuid) for server in landed}
        projects = {self._raw[s]["tenant_id"] for s, found in attached.items() if found}
        volumes = {
            v["id"]: v for project in projects for v in self._of_project(project)
        }
        for uuid, expected in attached.items():
            for volume in expected:
                if words := parse.bad_volume(volumes.get(volume), volume, uuid):
                    missing[uuid].append(words)
        return missing

    def _volumes(self, uuid: str) -> list[str]:
        attached = self._raw[uuid]["os-extended-volumes:volumes_attached"]
        return [volume["id"] for volume in attached]

    def _of_project(self, project: str) -> Iterable[Json]:
        """Cinder has no filter for the servers that volumes are attached to."""
        return self._api.pages(
            "block_storage",
            "/volumes/detail",
            "volumes",
            all_tenants="1",
            project_id=project,
        )

    # Where servers could go, and what they need there.

    def _with_room(self, hosts: dict[str, Host]) -> dict[str, Host]:
        nodes = self._observer.nodes()
        of_listed = [n for n, host in nodes.items() if host in self._scope.listed]
        self._learn_groups()
        images = {
            uuid: str(raw["image"]["id"])
            for uuid, raw in self._raw.items()
            if raw["image"] and self._servers[uuid].host in self._scope.listed
        }
        room, ports, of_images, *taken = self._observer.together(
            self._lists.rooms,
            self._accelerators,
            partial(self._observer.image_traits, frozenset(images.values())),
            *(partial(self._allocations, node) for node in of_listed),
        )
        allocated = {uuid: found for some in taken for uuid, found in some.items()}
        for server in [
            s for s in self._servers.values() if s.host in self._scope.listed
        ]:
            needs = allocated.get(server.uuid, {}).get("resources", server.needs)
            server = lists.with_port(server, ports.get(server.uuid, ""))
            traits = of_images.get(images.get(server.uuid, ""), frozenset())
            traits |= server.traits
            self._servers[server.uuid] = replace(server, needs=needs, traits=traits)
        return lists.with_rooms(hosts, nodes, room)

    def _allocations(self, node: str) -> Any:
        path = f"/resource_providers/{node}/allocations"
        return self._api.get("placement", path, PLACEMENT)["allocations"]

    def _accelerators(self) -> dict[str, str]:
        bound: dict[str, Any] = {"binding:host_id": sorted(self._scope.listed)}
        if not self._scope.listed:
            return {}
        return parse.accelerated(self._lists.ports(**bound))

    def _learn_groups(self) -> None:
        grouped = {
            uuid: raw["tenant_id"]
            for uuid, raw in self._raw.items()
            if (raw.get("scheduler_hints") or {}).get("group")
            and self._servers[uuid].host in self._scope.listed
        }
        if not grouped:
            return
        host_of = {
            raw["id"]: raw["OS-EXT-SRV-ATTR:host"]
            for project in sorted(set(grouped.values()))
            for raw in self._list(project_id=project)
        }
        groups = self._lists.groups()
        self._servers |= lists.grouped(self._servers, grouped, host_of, groups)
