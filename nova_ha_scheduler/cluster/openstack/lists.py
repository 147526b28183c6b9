# SPDX-License-Identifier: Apache-2.0
"""What pictures are made of, each asked for as a list; what is read from several."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, NamedTuple

from nova_ha_scheduler.cluster.errors import CloudUnreachable
from nova_ha_scheduler.cluster.openstack import fields, images, parse
from nova_ha_scheduler.cluster.openstack import rooms as placement
from nova_ha_scheduler.cluster.openstack.api import HYPERVISORS, PLACEMENT, READ, Api
from nova_ha_scheduler.cluster.openstack.fields import Notes
from nova_ha_scheduler.cluster.openstack.images import Image
from nova_ha_scheduler.cluster.openstack.rooms import Room
from nova_ha_scheduler.cluster.openstack.tags import HostTags
from nova_ha_scheduler.cluster.picture import Host, Server

_IMAGES_AT_ONCE = 40
"""Images that are asked for in one request: it has to fit an address line."""

_GROUP_PAGES = 10_000

Json = dict[str, Any]


class Hypervisor(NamedTuple):
    """:ivar node: Placement's provider. :ivar name: of the machine, as it calls itself;
    "" where Nova does not say."""

    node: str
    host: str
    name: str


@dataclass(frozen=True)
class Lists:
    """Every method raises CloudUnreachable if a part of the list could not be had.

    :ivar notes: get what is in a list and cannot be read.
    """

    api: Api
    notes: Notes = field(default_factory=Notes)

    def services(self) -> list[Any]:
        path, wanted = "/os-services", {"binary": "nova-compute"}
        found = self.api.get("compute", path, READ, wanted)
        return fields.listed(found, "services", f"compute GET {path}")

    def aggregates(self) -> list[Any]:
        path = "/os-aggregates"
        found = self.api.get("compute", path, READ)
        return fields.listed(found, "aggregates", f"compute GET {path}")

    def nodes(self) -> dict[str, str]:
        """Compute nodes, which are Placement's providers, to service hosts."""
        return {found.node: found.host for found in self.hypervisors()}

    def hypervisors(self) -> list[Hypervisor]:
        """All of them."""
        found = self.api.pages(
            "compute", "/os-hypervisors/detail", "hypervisors", HYPERVISORS
        )
        return list(self.notes.read("hypervisor", found, _hypervisor))

    def servers(self, **filters: Any) -> Iterator[Any]:
        """Without filters, Nova shows stubs of the servers in a cell that does not
        answer (nova.api.openstack.compute.views.servers); with some, it leaves them
        out.
        """
        found = self.api.pages(
            "compute", "/servers/detail", "servers", READ, all_tenants="1", **filters
        )
        yield from parse.servers_shown(found)

    def migrations(self, **filters: str) -> Iterator[Any]:
        return self.api.pages(
            "compute", "/os-migrations", "migrations", READ, **filters
        )

    def groups(self) -> Iterator[Any]:
        """Paged by offset, without links; the page's length is Nova's max_limit."""
        path, offset = "/os-server-groups", 0
        before: list[Any] = []
        for _ in range(_GROUP_PAGES):
            wanted = {"all_projects": "1", "offset": str(offset)}
            found = self.api.get("compute", path, READ, wanted)
            page = fields.listed(found, "server_groups", f"compute GET {path}")
            if not page:
                return
            if page == before:
                break
            yield from page
            offset, before = offset + len(page), page
        raise CloudUnreachable(f"compute GET {path}: its pages have no end")

    def ports(self, **filters: Any) -> Iterator[Any]:
        return self.api.pages("network", "/ports", "ports", **filters)

    def volumes(self, project: str) -> Iterator[Any]:
        """Cinder has no filter for the servers that volumes are attached to."""
        return self.api.pages(
            "block_storage",
            "/volumes/detail",
            "volumes",
            all_tenants="1",
            project_id=project,
        )

    def rooms(self, resource_class: str = "MEMORY_MB") -> dict[str, Room]:
        """By compute node. The smallest request that there is: the answer sums up
        every provider that has some of the class left, with all that it has."""
        path, wanted = "/allocation_candidates", {"resources": f"{resource_class}:1"}
        found = self.api.get("placement", path, PLACEMENT, wanted).get(
            "provider_summaries"
        )
        if not isinstance(found, dict):
            raise CloudUnreachable(f"placement GET {path}: it has no summaries")
        return placement.rooms(found, self.notes)

    def allocations(self, node: str) -> dict[str, Mapping[str, int]]:
        """By consumer, what it has of a compute node."""
        path = f"/resource_providers/{node}/allocations"
        found = self.api.get("placement", path, PLACEMENT).get("allocations")
        if not isinstance(found, dict):
            raise CloudUnreachable(f"placement GET {path}: it has no allocations")
        return dict(placement.taken(found))

    def images(self, wanted: Collection[str], now: float) -> dict[str, Image]:
        """Glance's images, by their ids; one that is deleted is not there."""
        found: dict[str, Image] = {}
        for hidden in ("false", "true"):
            missing = sorted(set(wanted) - found.keys())
            for first in range(0, len(missing), _IMAGES_AT_ONCE):
                ids = missing[first : first + _IMAGES_AT_ONCE]
                query = {"id": f"in:{','.join(ids)}", "os_hidden": hidden}
                query |= {"visibility": "all", "limit": str(_IMAGES_AT_ONCE)}
                # There are no more than were asked for, so they are one page.
                answer = self.api.get("image", "/images", None, query)
                page = fields.listed(answer, "images", "image GET /images")
                read = partial(images.read, asked=ids, now=now)
                found |= dict(fields.each(page, read))
        return dict.fromkeys(wanted, images.NOT_THERE) | found


def _hypervisor(found: Any) -> Hypervisor:
    node = fields.identity(fields.fields(found))
    host = fields.name(fields.inside(found, "service"), "host")
    return Hypervisor(node, host, fields.words(found, "hypervisor_hostname"))


def grouped(
    servers: Mapping[str, Server],
    wanted: Collection[str],
    host_of: Mapping[str, str | None],
    groups: Iterable[Any],
    notes: Notes,
) -> dict[str, Server]:
    """The servers of groups with a hard policy, which they show then.

    :param wanted: the ids of those that may be in a group.
    :param host_of: where all members are.
    """
    found: dict[str, Server] = {}
    for group in notes.read("server group", groups, parse.group):
        if group is None:
            continue
        name, apart, members = group
        for uuid in members & set(wanted):
            others = {host_of.get(m) for m in members if m != uuid} - {None, ""}
            if apart or others:  # alone, affinity binds it to nowhere
                found[uuid] = replace(
                    servers[uuid],
                    group=name,
                    group_apart=apart,
                    group_hosts=frozenset(map(str, others)),
                )
    return found


def with_port(server: Server, port: str) -> Server:
    """The server, of which a port is such that Nova refuses to move it.

    :param port: the sentence on it, or "".
    """
    if not port:
        return server
    return replace(
        server,
        refused_by_nova=server.refused_by_nova or port,
        refused_live=server.refused_live or port,
        refused_cold=server.refused_cold or port,
    )


def with_rooms(
    hosts: Mapping[str, Host], nodes: Mapping[str, str], rooms: Mapping[str, Room]
) -> dict[str, Host]:
    """The hosts with what Placement says of them; of one that is full, it says
    nothing."""
    found = dict(hosts)
    for node, name in nodes.items():
        if name in found:
            room = rooms.get(node, placement.FULL)
            found[name] = replace(
                found[name],
                free=room.free,
                capacity=room.capacity or None,
                traits=room.traits,
            )
    return found


def hosts_of(
    services: Iterable[Any], facts: HostTags, now: float, notes: Notes
) -> tuple[dict[str, Host], dict[str, str]]:
    """The hosts, by name, and the ids of their services."""
    hosts: dict[str, Host] = {}
    ids: dict[str, str] = {}
    for raw in services:
        name = parse.host_named(raw)
        try:
            hosts[name] = parse.host(raw, facts.of(name), now)
            ids[name] = fields.identity(raw)
        except CloudUnreachable:
            raise
        except Exception as error:  # nobody knows all that it can be
            why = notes.add("compute service", raw, error).why
            hosts[name] = parse.unreadable_host(raw, facts.of(name), why)
    return hosts, ids
