# SPDX-License-Identifier: Apache-2.0
"""Evacuations prefer the reserve, or spare it."""

from typing import Any

from nova_ha_scheduler import host_facts
from nova_ha_scheduler.operation import describe
from nova_ha_scheduler.rules import vocabulary
from nova_ha_scheduler.rules.terms import Operation
from nova_ha_scheduler.weighers import weigher


class FailoverHostWeigher(weigher.Weigher):
    """1 for a reserved failover host in an evacuation, else 0.

    A positive multiplier fills the reserve first, a negative one spares it while
    ordinary hosts have room.
    """

    MULTIPLIER = "failover_host_weight_multiplier"
    # Not scaled by the hosts at hand: either a host is reserved or it is not.
    minval, maxval = 0, 1

    def weigh_objects(
        self, weighed_obj_list: list[Any], weight_properties: Any
    ) -> list[float]:
        request = describe(weight_properties, self._timeout).request
        if request.operation is not Operation.EVACUATE:
            return [0.0] * len(weighed_obj_list)
        facts_of = host_facts.memo()
        return [
            float(vocabulary.RESERVED in facts_of(weighed.obj).flags)
            for weighed in weighed_obj_list
        ]
