# SPDX-License-Identifier: Apache-2.0
"""What belongs to a server, and whether it is attached as it should be.

Whoever may make a port may write any server's id into it: Neutron holds that for no
more than a note, and databases find it whatever its case and the blanks at its end. A
port is a server's if it names exactly that server, is of the same project, and is bound
to a host, which no tenant can do. And a volume is attached if Cinder shows the server
among its attachments: its status tells what else is done to it, as a backup.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from nova_ha_scheduler.cluster.openstack import fields
from nova_ha_scheduler.cluster.openstack.fields import Notes
from nova_ha_scheduler.cluster.openstack.lists import Lists
from nova_ha_scheduler.cluster.picture import Server
from nova_ha_scheduler.cluster.providers import Portion
from nova_ha_scheduler.printable import plain

ACCELERATED = ("accelerator-direct", "accelerator-direct-physical")
"""Types of ports (binding:vnic_type) that are accelerators."""

_PORTS_AT_ONCE = 40
"""Servers whose ports are asked for in one request: it has to fit an address line."""

_RESOURCES = "resource_request"
_HOST, _VNIC, _VIF = "binding:host_id", "binding:vnic_type", "binding:vif_type"

Json = Mapping[str, Any]


def normal(said: Any) -> str:
    """An id as databases compare it."""
    return said.strip().lower() if isinstance(said, str) else ""


def of_servers(
    ports: Iterable[Any], projects: Mapping[str, str]
) -> Iterable[tuple[str, Json]]:
    """The ports that belong to servers, each with its server's id.

    :param projects: of the servers.
    """
    known = {normal(uuid): uuid for uuid in projects}
    for port in ports:
        if not isinstance(port, dict):
            continue
        uuid = known.get(normal(port.get("device_id")))
        bound = isinstance(port.get(_HOST), str) and port[_HOST].strip()
        if uuid and bound and _project(port) == projects[uuid]:
            yield uuid, port


def _project(found: Json) -> Any:
    return found.get("project_id") or found.get("tenant_id")


def with_ports(
    servers: Iterable[Server], ports: Iterable[Any], projects: Mapping[str, str]
) -> Iterator[Server]:
    """The servers, with what their ports take of Placement (guaranteed bandwidth,
    packets) and with those for which Nova refuses to move them. A port is one of
    theirs only where it is bound to their host.
    """
    of: dict[str, list[Json]] = defaultdict(list)
    for uuid, port in of_servers(ports, projects):
        of[uuid].append(port)
    for server in servers:
        for port in of[server.uuid]:
            if port[_HOST] == server.host:
                server = _with(server, port)
        yield server


def _with(server: Server, port: Json) -> Server:
    if port.get(_VNIC) in ACCELERATED:
        why = f"port {fields.words(port, 'id')} has an accelerator"
        server = replace(
            server,
            refused_by_nova=server.refused_by_nova or why,
            refused_live=server.refused_live or why,
            refused_cold=server.refused_cold or why,
        )
    found = next(fields.each([port], _portions), ()) if port.get(_RESOURCES) else ()
    needs = Counter(server.needs)
    for portion in found:
        needs.update(portion.needs)
    return replace(server, needs=dict(needs), portions=(*server.portions, *found))


def _portions(port: Json) -> tuple[Portion, ...]:
    """Neutron's extension port-resource-request-groups; groups of one port come from
    below one provider where it says so."""
    asked = fields.inside(port, _RESOURCES)
    together = set(map(str, asked.get("same_subtree") or ()))
    name = fields.identity(port)
    return tuple(
        Portion(
            {what: fields.amount(needs, what) for what in needs},
            frozenset(map(str, fields.items(group, "required"))),
            subtree=name if fields.identity(group) in together else "",
        )
        for raw in fields.items(asked, "request_groups")
        for group in [fields.fields(raw)]
        for needs in [fields.inside(group, "resources")]
    )


def missing(
    asked: Lists,
    landed: Sequence[Server],
    projects: Mapping[str, str],
    volumes_of: Mapping[str, Iterable[str]],
) -> dict[str, list[str]]:
    """By server, sentences on ports and volumes that are not attached as they should
    be.

    :param projects, volumes_of: of the servers: their projects, and their volumes.
    """
    found: dict[str, list[str]] = defaultdict(list)
    servers = {server.uuid: server for server in landed}
    for first in range(0, len(landed), _PORTS_AT_ONCE):
        uuids = [server.uuid for server in landed[first : first + _PORTS_AT_ONCE]]
        for uuid, port in of_servers(asked.ports(device_id=uuids), projects):
            if words := bad_port(port, servers[uuid]):
                found[uuid].append(words)
    wanted = {projects[uuid] for uuid, some in volumes_of.items() if some}
    shown: dict[str, frozenset[str]] = {}
    for project in sorted(wanted):
        shown |= volumes(asked.volumes(project), asked.notes)
    for uuid, some in volumes_of.items():
        found[uuid] += bad_volumes(some, uuid, shown)
    return found


def bad_port(port: Json, server: Server) -> str | None:
    """A sentence on a server's port that is not bound as it should be."""
    name = fields.words(port, "id") or "?"
    if port[_HOST] != server.host:
        return f"port {name} is bound to {plain(port[_HOST], fields.NAME)}"
    if port.get(_VIF) in ("unbound", "binding_failed"):
        return f"port {name} is {port[_VIF]}"
    ordinary = port.get(_VNIC) == "normal" and port.get("admin_state_up")
    if server.running and ordinary and port.get("status") == "DOWN":
        return f"port {name} is down"
    return None


def volumes(found: Iterable[Any], notes: Notes) -> dict[str, frozenset[str]]:
    """By volume, the servers that it is attached to."""
    return dict(notes.read("volume", found, _attachments))


def _attachments(found: Any) -> tuple[str, frozenset[str]]:
    uuid = fields.identity(fields.fields(found))
    attached = fields.items(found, "attachments")
    servers = (normal(fields.fields(one).get("server_id")) for one in attached)
    return normal(uuid), frozenset(servers)


def bad_volumes(
    expected: Iterable[str], server: str, found: Mapping[str, frozenset[str]]
) -> list[str]:
    """Sentences on volumes of a server that are not attached to it.

    :param found: what :func:`volumes` has found in its project.
    """
    lacking = []
    for uuid in expected:
        attached = found.get(normal(uuid))
        if attached is None:
            lacking.append(f"volume {uuid} is not shown")
        elif normal(server) not in attached:
            lacking.append(f"volume {uuid} is not attached to it")
    return lacking
