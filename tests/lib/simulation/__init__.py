# SPDX-License-Identifier: Apache-2.0
"""Clusters and scenarios for the simulated cloud, nova_ha_scheduler/simulation."""

import os

DOWNTIMES = (0, 7, 100)
"""Seconds for which a trigger that was killed stays dead."""


class Killed(BaseException):
    """The trigger dies here; what it had in memory is gone."""


def moments_of(number: int, downtime: int) -> range:
    """The moments at which it is killed, one in each life, of so many.

    Each moment has one of the downtimes; with EVERY_MOMENT in the environment (make
    ci-long) each has all of them.
    """
    if os.environ.get("EVERY_MOMENT"):
        return range(number)
    return range(DOWNTIMES.index(downtime), number, len(DOWNTIMES))
