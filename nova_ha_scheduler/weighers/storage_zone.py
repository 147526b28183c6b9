# SPDX-License-Identifier: Apache-2.0
"""Boots spread over the storage zones, or pack into one."""

import collections
from typing import Any

from nova_ha_scheduler import host_facts
from nova_ha_scheduler.operation import describe
from nova_ha_scheduler.weighers import weigher


class StorageZoneWeigher(weigher.Weigher):
    """The free memory (MB) of all candidates in the host's storage zone.

    It weighs only where a server gets its zone: boots and unshelves. A host in no
    zone, or in several, counts for itself alone. A positive multiplier spreads over
    the zones by their room, a negative one fills the fullest first.
    """

    MULTIPLIER = "storage_zone_weight_multiplier"

    def weigh_objects(
        self, weighed_obj_list: list[Any], weight_properties: Any
    ) -> list[float]:
        request = describe(weight_properties, self._timeout).request
        if not request.operation.makes_disk:
            return [0.0] * len(weighed_obj_list)
        hosts = [weighed.obj for weighed in weighed_obj_list]
        facts_of = host_facts.memo()
        zones = [facts_of(host).zones for host in hosts]
        free: collections.Counter[frozenset[str]] = collections.Counter()
        for host, zone in zip(hosts, zones, strict=True):
            free[zone] += host.free_ram_mb
        return [
            float(free[zone] if len(zone) == 1 else host.free_ram_mb)
            for host, zone in zip(hosts, zones, strict=True)
        ]
