# SPDX-License-Identifier: Apache-2.0
"""A picture of the whole cloud, from a number of requests that depends on the pages of
its lists, and on how closely Placement is asked (see Closeness).

====================  ==============================================================
Nova                  compute services, aggregates, hypervisors; evacuation records
                      that are under way or of hosts that are not back; all servers;
                      all groups, if any server may be in one
Placement             allocation candidates, for memory and for VCPU: what is left,
                      what there is, traits; or, where more is needed, those of each
                      kind of server, too; or each resource provider
Neutron               ports; if sums are enough, without what they need
Glance                the images of the servers, for the traits that they required at
                      the boot, as far as that is known
====================  ==============================================================
"""

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from nova_ha_scheduler.clock import Clock
from nova_ha_scheduler.cluster.openstack import (
    attached,
    images,
    kinds,
    lists,
    parse,
    trees,
)
from nova_ha_scheduler.cluster.openstack.api import Api
from nova_ha_scheduler.cluster.openstack.fields import Notes
from nova_ha_scheduler.cluster.openstack.images import Booted
from nova_ha_scheduler.cluster.openstack.kinds import ServerKind
from nova_ha_scheduler.cluster.openstack.lists import Lists
from nova_ha_scheduler.cluster.openstack.observer import Observer
from nova_ha_scheduler.cluster.openstack.tags import HostTags
from nova_ha_scheduler.cluster.picture import Host, Picture, Scope, Server
from nova_ha_scheduler.rules.terms import AggregateQuery, Policy

_OPEN = ("accepted", "pre-migrating", "done")
"""An evacuation record in one of these has its source still dead, or busy."""

_OF_PORTS = (
    *("id", "device_id", "project_id", "tenant_id"),
    *("binding:host_id", "binding:vnic_type"),
)
"""Those with an accelerator cannot be asked for alone: Neutron refuses to filter by
binding:vnic_type."""


class Closeness(enum.Enum):
    """How closely Placement is asked."""

    SUMS = "what hosts have, in sum"
    KINDS = "where each kind of server has a place; requests grow with the kinds"
    PROVIDERS = "all that decides it; requests grow with the resource providers"


def take(
    api: Api,
    clock: Clock,
    closeness: Closeness = Closeness.SUMS,
    policy: Policy | None = None,
) -> Picture:
    """
    :param policy: the scheduler plugin's options, if kinds of servers are asked for.
    :raises CloudUnreachable: a part of it could not be had: there is no picture then,
        not a smaller one.
    """
    notes, observer = Notes(), Observer(api, clock)
    asked, now = Lists(api, notes), clock.now()
    # Records before servers, and both before the free amounts; see Picture.
    services, aggregates, nodes, *records = observer.together(
        asked.services,
        asked.aggregates,
        asked.nodes,
        *(partial(_records, asked, status) for status in _OPEN),
    )
    hosts, _ = lists.hosts_of(services, HostTags(aggregates, notes, {}), now, notes)
    seen = _ServerList.of(asked.servers(), notes)
    wanted = images.unknown(filter(None, seen.booted.values()), {})
    needs = () if closeness is Closeness.SUMS else ("resource_request",)
    ports, groups, known = observer.together(
        lambda: list(asked.ports(fields=[*_OF_PORTS, *needs])),
        lambda: list(asked.groups()) if seen.grouped else [],
        partial(asked.images, wanted, clock.now()),
    )
    host_of = {uuid: server.host for uuid, server in seen.servers.items()}
    servers = {
        server.uuid: replace(
            server,
            traits=server.traits | images.traits(seen.booted.get(server.uuid), known),
        )
        for server in attached.with_ports(seen.servers.values(), ports, seen.projects)
    }
    servers |= lists.grouped(servers, seen.grouped, host_of, groups, notes)
    look = _AllOfPlacement(asked, observer.together, nodes)
    if closeness is Closeness.PROVIDERS:
        servers, hosts = look.at_providers(servers, hosts)
    else:
        hosts = look.at_sums(hosts)
    if closeness is Closeness.KINDS:
        bounds = kinds.Bounds(hosts, kinds.tagged(aggregates), policy)
        readable = (s for s in servers.values() if not s.unreadable)
        found, hosts = look.ask(readable, bounds)
        servers |= found
    return Picture(
        now,
        Scope(hosts=frozenset(hosts), destinations=True),
        hosts,
        servers,
        tuple(
            migration
            for some in records
            for migration in notes.read("migration record", some, parse.migration)
        ),
        unread=tuple(notes.unread),
    )


class _AllOfPlacement(kinds.Asking):
    """What Placement knows of all."""

    def at_sums(self, hosts: Mapping[str, Host]) -> dict[str, Host]:
        """With what every host has that has anything left."""
        questions = ({"resources": f"{what}:1"} for what in ("VCPU", "MEMORY_MB"))
        for some in self._together(
            *(partial(self._lists.candidates, one) for one in questions)
        ):
            self.trees |= some
        self._sums = True
        return lists.with_trees(hosts, self._nodes, self.trees, hosts)

    def at_providers(
        self, servers: Mapping[str, Server], hosts: Mapping[str, Host]
    ) -> tuple[dict[str, Server], dict[str, Host]]:
        """With every provider; and every server with what it has of its host's."""
        seen = trees.take(self._lists, self._together, self._nodes)
        node_of = {host: node for node, host in self._nodes.items()}
        found = {}
        for uuid, server in servers.items():
            node = node_of.get(server.host, "")
            kind = ServerKind.of(server, AggregateQuery())
            kind = kind.refined(seen.allocated.get((uuid, node), {}), node)
            found[uuid] = kind.applied(server)
        return found, lists.with_trees(hosts, self._nodes, seen.found, hosts)


def _records(asked: Lists, status: str) -> list[Any]:
    found = asked.migrations(migration_type="evacuation", status=status)
    return [one for one in found if _status(one) in (status, None)]


def _status(record: Any) -> Any:
    return record.get("status") if isinstance(record, dict) else None


@dataclass
class _ServerList:
    """What is kept of the list of all servers.

    :ivar grouped: the ids of those that may be in a group.
    :ivar projects: of each that can be read.
    :ivar booted: by which image each was made, if by one.
    """

    servers: dict[str, Server] = field(default_factory=dict)
    grouped: set[str] = field(default_factory=set)
    projects: dict[str, str] = field(default_factory=dict)
    booted: dict[str, Booted | None] = field(default_factory=dict)

    @classmethod
    def of(cls, found: Iterable[Any], notes: Notes) -> "_ServerList":
        seen = cls()
        for raw in found:
            server = parse.shown(raw, notes)
            if not server.host:
                continue  # it is nowhere
            seen.servers[server.uuid] = server
            if server.unreadable:
                continue
            seen.projects[server.uuid] = parse.project(raw)
            seen.booted[server.uuid] = images.booted(raw)
            if parse.is_grouped(raw):
                seen.grouped.add(server.uuid)
        return seen
