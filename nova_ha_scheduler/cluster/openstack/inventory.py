# SPDX-License-Identifier: Apache-2.0
"""Servers, all at once: what a picture, which shows dead hosts, has no need for."""

import re
from collections.abc import Iterator

from oslo_utils import uuidutils

from nova_ha_scheduler.cluster.openstack import parse
from nova_ha_scheduler.cluster.openstack.api import Api
from nova_ha_scheduler.cluster.openstack.fields import Notes
from nova_ha_scheduler.cluster.openstack.lists import Lists
from nova_ha_scheduler.cluster.picture import Server


def servers(
    api: Api, host: str | None = None, soft_deleted: bool = False
) -> Iterator[Server]:
    """The servers of a host, or all that are on some host, page by page.

    :param soft_deleted: with those that their owner can still restore.
    :raises CloudUnreachable: a page could not be had.
    """
    filters = {"host": host} if host else {}
    if soft_deleted:
        filters["soft_deleted"] = "true"
    for raw in Lists(api).servers(**filters):
        server = parse.shown(raw, Notes(), host or "")
        # Databases may match a name without regard to case.
        if server.host and host in (None, server.host):
            yield server


def named(api: Api, said: str) -> list[Server]:
    """The servers on some host with this id or exactly this name.

    :raises CloudUnreachable: they could not be had.
    """
    key, value = "name", f"^{re.escape(said)}$"  # Nova takes a regular expression
    if uuidutils.is_uuid_like(said):
        key, value = "uuid", said
    found = (parse.shown(raw, Notes()) for raw in Lists(api).servers(**{key: value}))
    on_hosts = (server for server in found if server.host)
    return [server for server in on_hosts if said in (server.uuid, server.name)]
