# SPDX-License-Identifier: Apache-2.0
"""Clusters and scenarios for the simulated cloud, nova_ha_scheduler/simulation."""


class Killed(BaseException):
    """The trigger dies here; what it had in memory is gone."""
