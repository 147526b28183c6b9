# SPDX-License-Identifier: Apache-2.0
"""What pictures are made of, each asked for as a list; what is read from several."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, NamedTuple

from nova_ha_scheduler.cluster.errors import CloudUnreachable
from nova_ha_scheduler.cluster.openstack import fields, images, parse, placement
from nova_ha_scheduler.cluster.openstack.api import HYPERVISORS, PLACEMENT, READ, Api
from nova_ha_scheduler.cluster.openstack.fields import Notes
from nova_ha_scheduler.cluster.openstack.images import Image
from nova_ha_scheduler.cluster.openstack.placement import Tree
from nova_ha_scheduler.cluster.openstack.tags import HostTags
from nova_ha_scheduler.cluster.picture import Host, Server
from nova_ha_scheduler.cluster.providers import Resources

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

    def servers_only(self, host: str) -> tuple[Server, ...]:
        """The servers of a host, as Nova shows them."""
        found = self.servers(host=host)
        return tuple(parse.shown(raw, self.notes, host) for raw in found)

    def server(self, uuid: str) -> Any:
        path = f"/servers/{uuid}"
        return self.api.get("compute", path, READ).get("server")

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

    def candidates(self, question: Mapping[str, Any]) -> dict[str, Tree]:
        """The compute nodes that can give all that is asked for, each with all that it
        has, and with what is below it."""
        path = "/allocation_candidates"
        try:
            found = self.placement(path, "provider_summaries", question)
        except CloudUnreachable as error:
            if error.status != 400:
                raise
            return {}  # Placement knows no such trait or resource class
        return placement.trees(found, self.notes)

    def allocations(self, server: str) -> dict[str, Resources]:
        """By provider, what a server has of it."""
        found = self.placement(f"/allocations/{server}", "allocations")
        return dict(placement.taken(found))

    def consumers(self, node: str) -> list[str]:
        """Who has an allocation of a compute node: servers, and migrations; nobody, of
        one that Placement does not know."""
        path = f"/resource_providers/{node}/allocations"
        try:
            return list(self.placement(path, "allocations"))
        except CloudUnreachable as error:
            if error.status != 404:
                raise
            return []

    def tree(self, node: str) -> frozenset[str]:
        """The providers of a compute node's tree, itself among them."""
        return frozenset(one.uuid for one in self.providers(in_tree=node))

    def providers(self, **filters: str) -> list[placement.Place]:
        path, key = "/resource_providers", "resource_providers"
        found = self.api.get("placement", path, PLACEMENT, filters)
        listed = fields.listed(found, key, f"placement GET {path}")
        return list(self.notes.read(placement.KIND, listed, placement.place))

    def placement(
        self, path: str, key: str, wanted: Mapping[str, Any] | None = None
    ) -> Json:
        """An object in one of Placement's answers."""
        found = self.api.get("placement", path, PLACEMENT, wanted).get(key)
        if not isinstance(found, dict):
            raise CloudUnreachable(f"placement GET {path}: it has no {key}")
        return found

    def traits(self, provider: str) -> frozenset[str]:
        path = f"/resource_providers/{provider}/traits"
        found = self.api.get("placement", path, PLACEMENT)
        return placement.traits(found)

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


def with_trees(
    hosts: Mapping[str, Host],
    nodes: Mapping[str, str],
    trees: Mapping[str, Tree],
    full: Collection[str],
) -> dict[str, Host]:
    """The hosts with what Placement says of them.

    :param full: those of which it says nothing, as they have nothing left.
    """
    found = dict(hosts)
    for node, name in nodes.items():
        if name not in found:
            continue
        if node in trees:
            found[name] = found[name].with_providers(trees[node])
        elif name in full:
            found[name] = replace(found[name], free={})
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
