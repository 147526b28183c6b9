# SPDX-License-Identifier: Apache-2.0
"""Hosts under maintenance are left alone."""

from typing import ClassVar

from nova_ha_scheduler.filters import rule_filter
from nova_ha_scheduler.rules import maintenance
from nova_ha_scheduler.rules.terms import Rule


class HostMaintenanceFilter(rule_filter.RuleFilter):
    """Passes hosts that are not under maintenance.

    The decision table stands in :mod:`nova_ha_scheduler.rules.maintenance`.
    """

    RULE: ClassVar[Rule] = maintenance
