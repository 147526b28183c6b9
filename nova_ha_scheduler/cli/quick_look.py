# SPDX-License-Identifier: Apache-2.0
"""A look at the cloud by commands that are needed most when it does not answer."""

from contextlib import AbstractContextManager

from oslo_config import cfg

from nova_ha_scheduler.cli import progress
from nova_ha_scheduler.clock import SystemClock
from nova_ha_scheduler.cluster import host_names
from nova_ha_scheduler.cluster.errors import CloudUnreachable
from nova_ha_scheduler.cluster.host_names import UnknownName
from nova_ha_scheduler.cluster.picture import Picture, Scope, Server

SECONDS = 5.0
"""For each request; [cloud] timeout may be longer."""


class QuickLook:
    """The cloud as it is now. Every method raises CloudUnreachable, and soon."""

    def __init__(self, conf: cfg.ConfigOpts) -> None:
        # Not every command that may look here does.
        from nova_ha_scheduler.cluster.openstack.api import Api
        from nova_ha_scheduler.cluster.openstack.login import connect, login_place
        from nova_ha_scheduler.service.openstack_world import OpenStackCloud

        try:
            connection = connect(conf)
        except cfg.Error as error:
            raise CloudUnreachable(str(error)) from error
        limit = min(conf.cloud.timeout or SECONDS, SECONDS)
        connection.session.timeout = limit  # for logging in, too
        self._api = Api(connection, limit, login_place(conf))
        self._cloud = OpenStackCloud(self._api, SystemClock())

    def hosts(self) -> Picture:
        """All compute hosts: two requests."""
        with self._seen():
            return self._cloud.observe(Scope())

    def servers_named(self, said: str) -> list[Server]:
        """The servers with this id or exactly this name: one request."""
        from nova_ha_scheduler.cluster.openstack import inventory

        with self._seen():
            return inventory.named(self._api, said)

    def aggregate(self, name: str) -> list[str]:
        """The hosts in an aggregate, by its exact name: one request.

        :raises UnknownName: there is none.
        """
        from nova_ha_scheduler.cluster.openstack.aggregates import Aggregates

        with self._seen():
            known = {a["name"]: a["hosts"] for a in Aggregates(self._api).all()}
        if name not in known:
            hint = host_names.hint(name, known)
            raise UnknownName(f"there is no aggregate {name}{hint}")
        return list(known[name])

    def servers_on(self, hosts: frozenset[str]) -> Picture:
        """The servers on some hosts: two requests each."""
        with self._seen():
            return self._cloud.observe(Scope(hosts=hosts, overview=False))

    def _seen(self) -> AbstractContextManager[None]:
        return progress.shown(lambda: self._api.progress)


def require_zone(picture: Picture, zone: str) -> None:
    """:raises UnknownName: no host is in that storage zone."""
    zones = {zone for host in picture.hosts.values() for zone in host.facts.zones}
    if zone not in zones:
        hint = host_names.hint(zone, zones)
        raise UnknownName(f"no host is in a storage zone {zone}{hint}")
