# SPDX-License-Identifier: Apache-2.0
"""What belongs to a server, and whether it is attached as it should be.

Whoever may make a port may write any server's id into it: Neutron holds that for no
more than a note, and databases find it whatever its case and the blanks at its end. A
port is a server's if it names exactly that server, is of the same project, and is bound
to a host, which no tenant can do. And a volume is attached if Cinder shows the server
among its attachments: its status tells what else is done to it, as a backup.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from nova_ha_scheduler.cluster.openstack import fields
from nova_ha_scheduler.cluster.openstack.fields import Notes
from nova_ha_scheduler.cluster.picture import Server
from nova_ha_scheduler.printable import plain

ACCELERATED = ("accelerator-direct", "accelerator-direct-physical")
"""Types of ports (binding:vnic_type) that are accelerators."""

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


def accelerated(
    ports: Iterable[Any], projects: Mapping[str, str], hosts: Mapping[str, str]
) -> dict[str, str]:
    """By server, a sentence on its port with an accelerator.

    :param hosts: of the servers: only there is such a port one of theirs.
    """
    return {
        uuid: f"port {fields.words(port, 'id')} has an accelerator"
        for uuid, port in of_servers(ports, projects)
        if port.get(_VNIC) in ACCELERATED and port[_HOST] == hosts.get(uuid)
    }


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
