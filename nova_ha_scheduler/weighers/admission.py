# SPDX-License-Identifier: Apache-2.0
"""Protected servers prefer hosts whose servers could be recovered."""

from typing import Any

from nova_ha_scheduler.admission.judge import Judge
from nova_ha_scheduler.weighers import weigher


class HAAdmissionWeigher(weigher.Weigher):
    """0 for a host that admission would refuse, else 1.

    It judges as HAAdmissionFilter does, from the same file. With admission = audit a
    positive multiplier prefers a zone that could survive to one that could not, and
    refuses nobody; with off it does nothing; with enforce the filter has left nothing
    to weigh. A negative multiplier fills what cannot survive, which nobody wants.
    """

    MULTIPLIER = "admission_weight_multiplier"
    # Not scaled by the hosts at hand: either a host is refused or it is not.
    minval, maxval = 0, 1

    def __init__(self) -> None:
        super().__init__()
        self._judge = Judge(weigher.CONF)

    def weigh_objects(
        self, weighed_obj_list: list[Any], weight_properties: Any
    ) -> list[float]:
        hosts = [weighed.obj for weighed in weighed_obj_list]
        if self._judge.mode != "audit" or not any(map(self.weight_multiplier, hosts)):
            return [0.0] * len(hosts)
        _, refusals = self._judge.ask(weight_properties, hosts)
        return [float(refusal is None) for refusal in refusals]
