# SPDX-License-Identifier: Apache-2.0
"""What keeps a server from being evacuated, and stands in no list: shares, and volumes
with keys that the trigger's user may not read.

Asked by people who look beforehand, and not in a recovery: it takes requests for each
server, and for each encrypted volume.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from nova_ha_scheduler.cluster.errors import CloudUnreachable
from nova_ha_scheduler.cluster.openstack import fields, parse
from nova_ha_scheduler.cluster.openstack.api import READ, Api
from nova_ha_scheduler.cluster.openstack.fields import Notes
from nova_ha_scheduler.cluster.openstack.lists import Lists
from nova_ha_scheduler.cluster.picture import Picture, Server

_NO = (403, 404)
"""What Barbican answers who may not read a secret; and of one that is not there."""

_YES = (200, 204, 405, 406)
"""What it answers who may: it looks at who asks before it looks at the method."""


def with_shares(api: Api, picture: Picture, hosts: Collection[str]) -> Picture:
    """The picture, in which Nova refuses servers on some hosts that have shares; see
    nova.compute.api.block_shares_not_supported.

    :raises CloudUnreachable: Nova does not say.
    """
    found: dict[str, Server] = {}
    for uuid, server in picture.servers.items():
        looked_at = server.host in hosts and not server.unreadable
        if looked_at and not server.refused_by_nova and (shares := _shares(api, uuid)):
            many = "a share" if shares == 1 else f"{shares} shares"
            words = (
                f"it has {many}: detach what it has while its host lives (openstack "
                f"server remove share, with the server stopped); else {parse.STAYS}"
            )
            found[uuid] = replace(server, refused_by_nova=words)
    return replace(picture, servers={**picture.servers, **found})


def _shares(api: Api, uuid: str) -> int:
    path = f"/servers/{uuid}/shares"
    try:
        found = api.get("compute", path, READ)
    except CloudUnreachable as error:
        if error.status == 404:  # it was just deleted
            return 0
        raise
    return len(fields.listed(found, "shares", f"compute GET {path}"))


def locked(api: Api, servers: Mapping[str, Server]) -> dict[str, list[str]]:
    """Sentences on volumes whose keys the trigger's user cannot read, with the remedy,
    by server: nova-compute asks for a key as who asked for the evacuation.

    :raises CloudUnreachable: Cinder or Barbican does not say.
    """
    found: dict[str, list[str]] = defaultdict(list)
    hosts = {server.host for server in servers.values()}
    lists = Lists(api)
    projects = {
        parse.project(fields.fields(raw))
        for host in sorted(hosts)
        for raw in lists.servers(host=host)
        if raw.get("id") in servers and parse.volumes_of(raw)
    }
    for project in sorted(projects):
        for volume, attached in _encrypted(lists.volumes(project)):
            mine = [uuid for uuid in attached if uuid in servers]
            if mine and (why := _closed(api, volume)):
                for uuid in mine:
                    found[uuid].append(why)
    return dict(found)


def _encrypted(volumes: Iterable[Any]) -> Iterator[tuple[str, list[str]]]:
    """Those that are, with the servers that they are attached to."""
    for uuid, attached in Notes().read("volume", volumes, _attached):
        if attached is not None:
            yield uuid, attached


def _attached(found: Any) -> tuple[str, list[str] | None]:
    volume = fields.fields(found)
    uuid = fields.identity(volume)
    if volume.get("encrypted") is not True:
        return uuid, None
    each = map(fields.fields, fields.items(volume, "attachments"))
    return uuid, [str(one.get("server_id")) for one in each]


def _closed(api: Api, volume: str) -> str:
    """Why the key of a volume cannot be read, in words; "": it can.

    The payload is asked about, as an administrator of another project may see what a
    secret is and yet not the key in it; and by HEAD, so that no key comes here.
    """
    path = f"/volumes/{volume}/encryption"
    key = fields.words(api.get("block_storage", path), "encryption_key_id")
    if not key:
        return ""
    path = f"/secrets/{key}/payload"
    status = api.status("key_manager", "HEAD", path)
    if status in _YES:
        return ""
    if status not in _NO:
        raise CloudUnreachable(f"key_manager HEAD {path}: {status}", status)
    return (
        f"volume {volume} is encrypted, and Barbican lets the trigger's user not "
        f"read its key ({status}): openstack acl user add --user USER "
        f"--operation-type read, of the secret {key}"
    )
