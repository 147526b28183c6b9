# SPDX-License-Identifier: Apache-2.0
"""Several hosts that are meant by one order; asks the cloud, which takes long to
import."""

import sys
from collections.abc import Sequence

from nova_ha_scheduler.cli.app import Configured
from nova_ha_scheduler.cli.quick_look import QuickLook, require_zone
from nova_ha_scheduler.cluster import host_names
from nova_ha_scheduler.cluster.errors import CloudUnreachable, Refused
from nova_ha_scheduler.cluster.host_names import UnknownName


def named(app: Configured, hosts: Sequence[str]) -> None:
    """Make sure that Nova knows all of them; while the cloud is out of order, that is
    left to the trigger.

    :raises UnknownName: it names those that it does not know.
    """
    try:
        known = QuickLook(app.conf).hosts().hosts
    except CloudUnreachable as error:
        print(f"warning: the names are not looked up: {error}", file=sys.stderr)
        return
    problems = []
    for host in hosts:
        try:
            host_names.require(host, known)
        except UnknownName as error:
            problems.append(str(error))
    if problems:
        raise UnknownName("; ".join([*problems, "nothing was ordered"]))


def members(app: Configured, zone: str | None, aggregate: str | None) -> list[str]:
    """The compute hosts in a storage zone, or in an aggregate, by name.

    :raises CloudUnreachable: who they are is not known.
    :raises Refused: there is none such, or no host is in it.
    """
    what = f"zone {zone}" if zone else f"aggregate {aggregate}"
    try:
        glance = QuickLook(app.conf)
        picture = glance.hosts()
        inside = glance.aggregate(aggregate) if aggregate else None
    except CloudUnreachable as error:
        words = f"which hosts are in {what} is not known, name them: {error}"
        raise CloudUnreachable(words) from error
    if zone:
        require_zone(picture, zone)
        hosts = picture.hosts.values()
        return sorted(host.name for host in hosts if zone in host.facts.zones)
    found = sorted(set(inside or ()) & picture.hosts.keys())
    if not found:
        raise Refused(f"no compute host is in {what}")
    return found
