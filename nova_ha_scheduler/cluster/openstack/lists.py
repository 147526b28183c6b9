# SPDX-License-Identifier: Apache-2.0
"""What pictures are made of, each asked for as a list; what is read from several."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from nova_ha_scheduler.cluster.errors import CloudUnreachable
from nova_ha_scheduler.cluster.model import Host, Server
from nova_ha_scheduler.cluster.openstack import parse
from nova_ha_scheduler.cluster.openstack.api import HYPERVISORS, PLACEMENT, READ, Api
from nova_ha_scheduler.cluster.openstack.parse import Room

_IMAGES_AT_ONCE = 40
"""Images that are asked for in one request: it has to fit an address line."""

_VM_STATE = "OS-EXT-STS:vm_state"

Json = dict[str, Any]


@dataclass(frozen=True)
class Lists:
    """Every method raises CloudUnreachable if a part of the list could not be had."""

    api: Api

    def services(self) -> list[Json]:
        wanted = {"binary": "nova-compute"}
        found = self.api.get("compute", "/os-services", READ, wanted)
        return list(found["services"])

    def aggregates(self) -> list[Json]:
        return list(self.api.get("compute", "/os-aggregates", READ)["aggregates"])

    def nodes(self) -> dict[str, str]:
        """Compute nodes, which are Placement's providers, to service hosts."""
        found = self.api.pages(
            "compute", "/os-hypervisors/detail", "hypervisors", HYPERVISORS
        )
        return {node["id"]: node["service"]["host"] for node in found}

    def servers(self, **filters: str) -> Iterator[Json]:
        """Nova saves that a server is deleted before it takes it off its lists
        (nova.compute.api.API._local_delete); there is nothing left to do for it.

        Without filters, Nova shows stubs of the servers in a cell that does not answer
        (nova.api.openstack.compute.views.servers); with some, it leaves them out.
        """
        found = self.api.pages(
            "compute", "/servers/detail", "servers", READ, all_tenants="1", **filters
        )
        for server in found:
            if _VM_STATE not in server:
                raise CloudUnreachable(f"the cell of {server['id']} does not answer")
            if server[_VM_STATE] != "deleted":
                yield server

    def migrations(self, **filters: str) -> Iterator[Json]:
        return self.api.pages(
            "compute", "/os-migrations", "migrations", READ, **filters
        )

    def groups(self) -> Iterator[Json]:
        """Paged by offset, without links; the page's length is Nova's max_limit."""
        offset = 0
        while True:
            page = self.api.get(
                "compute",
                "/os-server-groups",
                READ,
                {"all_projects": "1", "offset": str(offset)},
            )["server_groups"]
            yield from page
            offset += len(page)
            if not page:
                return

    def ports(self, **filters: Any) -> Iterator[Json]:
        return self.api.pages("network", "/ports", "ports", **filters)

    def rooms(self, resource_class: str = "MEMORY_MB") -> dict[str, Room]:
        """By compute node. The smallest request that there is: the answer sums up
        every provider that has some of the class left, with all that it has."""
        wanted = {"resources": f"{resource_class}:1"}
        found = self.api.get("placement", "/allocation_candidates", PLACEMENT, wanted)
        return parse.rooms(found["provider_summaries"])

    def image_traits(self, wanted: Collection[str]) -> dict[str, frozenset[str]]:
        """What the images require of a host, as they are now: Nova, which goes by what
        they were at the boot, does not show it. One that is deleted is not there."""
        found: dict[str, frozenset[str]] = {}
        for hidden in ("false", "true"):
            missing = sorted(set(wanted) - found.keys())
            for first in range(0, len(missing), _IMAGES_AT_ONCE):
                ids = missing[first : first + _IMAGES_AT_ONCE]
                query = {"id": f"in:{','.join(ids)}", "os_hidden": hidden}
                query |= {"visibility": "all", "limit": str(_IMAGES_AT_ONCE)}
                # There are no more than were asked for, so they are one page.
                for image in self.api.get("image", "/images", None, query)["images"]:
                    if image["id"] in ids:
                        found[image["id"]] = parse.image_traits(image)
        return found


def grouped(
    servers: Mapping[str, Server],
    wanted: Collection[str],
    host_of: Mapping[str, str | None],
    groups: Iterable[Json],
) -> dict[str, Server]:
    """The servers of groups with a hard policy, which they show then.

    :param wanted: the ids of those that may be in a group.
    :param host_of: where all members are.
    """
    found: dict[str, Server] = {}
    for group in groups:
        policy = parse.group(group)
        if policy is None:
            continue
        apart, members = policy
        for uuid in members & set(wanted):
            others = {host_of.get(m) for m in members if m != uuid} - {None, ""}
            if apart or others:  # alone, affinity binds it to nowhere
                found[uuid] = replace(
                    servers[uuid],
                    group=group["id"],
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
            room = rooms.get(node, parse.FULL)
            found[name] = replace(
                found[name],
                free=room.free,
                capacity=room.capacity or None,
                traits=room.traits,
            )
    return found
