# SPDX-License-Identifier: Apache-2.0
"""What the operator's options say to the planner."""

from dataclasses import dataclass

from nova_ha_scheduler.rules.terms import Policy


@dataclass(frozen=True)
class Preferences:
    """
    :ivar policy: the scheduler plugin's options: the same, or the plan is wrong.
    :ivar recover_disabled: a host that dies while somebody has its service disabled is
        recovered, too.
    :ivar protect_all_servers: not only those whose flavor says ha=true.
    :ivar tenant_raises: server metadata may raise what the flavor grants.
    :ivar prefer_reserve: fill the reserve first, as a positive
        failover_host_weight_multiplier does.
    :ivar max_in_flight: how many evacuations may be under way; per zone: by the
        destination's storage zone; per destination: to one host.
    """

    policy: Policy = Policy()
    recover_disabled: bool = False
    protect_all_servers: bool = False
    tenant_raises: bool = False
    prefer_reserve: bool = True
    max_in_flight: int = 64
    max_in_flight_per_zone: int = 32
    max_in_flight_per_destination: int = 10
