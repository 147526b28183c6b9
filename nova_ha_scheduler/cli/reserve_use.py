# SPDX-License-Identifier: Apache-2.0
"""Which hosts of the reserve hold servers: it is not there for the next failure."""

from collections import Counter
from typing import Any

from oslo_config import cfg

from nova_ha_scheduler.cli.quick_look import QuickLook
from nova_ha_scheduler.rules import vocabulary


def in_use(conf: cfg.ConfigOpts) -> list[dict[str, Any]]:
    """The reserved hosts with servers, asked of the cloud: two requests, and two more
    for each reserved host.

    :raises CloudUnreachable: that is not known.
    """
    glance = QuickLook(conf)
    hosts = glance.hosts().hosts
    reserved = {
        name: host
        for name, host in hosts.items()
        if vocabulary.RESERVED in host.facts.flags
    }
    if not reserved:
        return []
    servers = glance.servers_on(frozenset(reserved)).servers.values()
    found = Counter(server.host for server in servers)
    return [
        {
            "host": name,
            "zone": ", ".join(sorted(host.facts.zones)),
            "servers": found[name],
        }
        for name, host in sorted(reserved.items())
        if found[name]
    ]
