# SPDX-License-Identifier: Apache-2.0
"""A picture of the whole cloud, from a number of requests that depends on the pages of
its lists, not on its servers or hosts.

====================  ==============================================================
Nova                  compute services, aggregates, hypervisors; evacuation records
                      that are under way or of hosts that are not back; all servers;
                      all groups, if any server may be in one
Placement             allocation candidates, for memory and for VCPU: what is left,
                      what there is, traits
Neutron               ports with an accelerator
Glance                the images of the servers, for the traits that they required at
                      the boot, as far as that is known
====================  ==============================================================

A server's needs are its flavor's and image's here, as its allocation would take a
request for each host: what a port adds (guaranteed bandwidth) is not known.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from nova_ha_scheduler.clock import Clock
from nova_ha_scheduler.cluster.openstack import attached, images, lists, parse
from nova_ha_scheduler.cluster.openstack.api import Api
from nova_ha_scheduler.cluster.openstack.fields import Notes
from nova_ha_scheduler.cluster.openstack.images import Booted
from nova_ha_scheduler.cluster.openstack.lists import Lists
from nova_ha_scheduler.cluster.openstack.observer import Observer
from nova_ha_scheduler.cluster.openstack.tags import HostTags
from nova_ha_scheduler.cluster.picture import Picture, Scope, Server

_OPEN = ("accepted", "pre-migrating", "done")
"""An evacuation record in one of these has its source still dead, or busy."""

_ACCELERATED = {"binding:vnic_type": list(attached.ACCELERATED)}


def take(api: Api, clock: Clock) -> Picture:
    """:raises CloudUnreachable: a part of it could not be had: there is no picture
    then, not a smaller one."""
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
    seen = _Servers.of(asked.servers(), notes)
    wanted = images.unknown(filter(None, seen.booted.values()), {})
    full, memory, ports, groups, known = observer.together(
        partial(asked.rooms, "VCPU"),
        asked.rooms,
        lambda: list(asked.ports(**_ACCELERATED)),
        lambda: list(asked.groups()) if seen.grouped else [],
        partial(asked.images, wanted, clock.now()),
    )
    host_of = {uuid: server.host for uuid, server in seen.servers.items()}
    with_accelerator = attached.accelerated(ports, seen.projects, host_of)
    servers = {
        uuid: lists.with_port(
            replace(
                server,
                traits=server.traits | images.traits(seen.booted.get(uuid), known),
            ),
            with_accelerator.get(uuid, ""),
        )
        for uuid, server in seen.servers.items()
    }
    servers |= lists.grouped(servers, seen.grouped, host_of, groups, notes)
    with_rooms = lists.with_rooms(hosts, nodes, full | memory)
    return Picture(
        now,
        Scope(hosts=frozenset(with_rooms), destinations=True),
        with_rooms,
        servers,
        tuple(
            migration
            for some in records
            for migration in notes.read("migration record", some, parse.migration)
        ),
        unread=tuple(notes.unread),
    )


def _records(asked: Lists, status: str) -> list[Any]:
    found = asked.migrations(migration_type="evacuation", status=status)
    return [one for one in found if _status(one) in (status, None)]


def _status(record: Any) -> Any:
    return record.get("status") if isinstance(record, dict) else None


@dataclass
class _Servers:
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
    def of(cls, found: Iterable[Any], notes: Notes) -> "_Servers":
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
