# SPDX-License-Identifier: Apache-2.0
"""Servers stay in their storage zone."""

from typing import ClassVar

from nova_ha_scheduler.filters import rule_filter
from nova_ha_scheduler.rules import storage_zone
from nova_ha_scheduler.rules.terms import Rule


class StorageZoneFilter(rule_filter.RuleFilter):
    """Passes hosts that mount the storage on which the server's disk lies.

    The decision table stands in :mod:`nova_ha_scheduler.rules.storage_zone`.
    """

    RULE: ClassVar[Rule] = storage_zone
