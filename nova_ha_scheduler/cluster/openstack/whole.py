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
Glance                the images of the servers, for the traits that they require
====================  ==============================================================

A server's needs are its flavor's and image's here, as its allocation would take a
request for each host: what a port adds (guaranteed bandwidth) is not known.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from nova_ha_scheduler.clock import Clock
from nova_ha_scheduler.cluster.model import Picture, Scope, Server
from nova_ha_scheduler.cluster.openstack import lists, parse
from nova_ha_scheduler.cluster.openstack.api import Api
from nova_ha_scheduler.cluster.openstack.lists import Lists
from nova_ha_scheduler.cluster.openstack.observer import Observer

_OPEN = ("accepted", "pre-migrating", "done")
"""An evacuation record in one of these has its source still dead, or busy."""

_ACCELERATED = {"binding:vnic_type": list(parse.ACCELERATED)}

Json = Mapping[str, Any]


def take(api: Api, clock: Clock) -> Picture:
    """:raises CloudUnreachable: a part of it could not be had: there is no picture
    then, not a smaller one."""
    asked, observer = Lists(api), Observer(api, clock)
    now = clock.now()
    # Records before servers, and both before the free amounts; see Picture.
    services, aggregates, nodes, *records = observer.together(
        asked.services,
        asked.aggregates,
        asked.nodes,
        *(partial(_records, asked, status) for status in _OPEN),
    )
    facts = parse.facts(aggregates)
    hosts = [parse.host(service, facts, now) for service in services]
    seen = _Servers.of(asked.servers())
    full, memory, ports, groups, images = observer.together(
        partial(asked.rooms, "VCPU"),
        asked.rooms,
        lambda: parse.accelerated(asked.ports(**_ACCELERATED)),
        lambda: list(asked.groups()) if seen.grouped else [],
        partial(asked.image_traits, set(seen.images.values())),
    )
    servers = {
        uuid: lists.with_port(_with_traits(server, images, seen), ports.get(uuid, ""))
        for uuid, server in seen.servers.items()
    }
    host_of = {uuid: server.host for uuid, server in servers.items()}
    servers |= lists.grouped(servers, seen.grouped, host_of, groups)
    with_rooms = lists.with_rooms({h.name: h for h in hosts}, nodes, full | memory)
    scope = Scope(hosts=frozenset(with_rooms), destinations=True)
    migrations = tuple(parse.migration(found) for some in records for found in some)
    return Picture(now, scope, with_rooms, servers, migrations)


def _records(asked: Lists, status: str) -> list[Json]:
    found = asked.migrations(migration_type="evacuation", status=status)
    return [record for record in found if record["status"] == status]


@dataclass
class _Servers:
    """What is kept of the list of all servers.

    :ivar grouped: the ids of those that may be in a group.
    :ivar images: the image of each that was not booted from a volume.
    """

    servers: dict[str, Server] = field(default_factory=dict)
    grouped: set[str] = field(default_factory=set)
    images: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, found: Iterable[Json]) -> "_Servers":
        seen = cls()
        for raw in found:
            uuid = raw["id"]
            if not raw["OS-EXT-SRV-ATTR:host"]:
                continue  # it is nowhere
            seen.servers[uuid] = parse.server(raw)
            if (raw.get("scheduler_hints") or {}).get("group"):
                seen.grouped.add(uuid)
            if raw["image"]:
                seen.images[uuid] = raw["image"]["id"]
        return seen


def _with_traits(
    server: Server, of_images: Mapping[str, frozenset[str]], seen: _Servers
) -> Server:
    more = of_images.get(seen.images.get(server.uuid, ""))
    return replace(server, traits=server.traits | more) if more else server
