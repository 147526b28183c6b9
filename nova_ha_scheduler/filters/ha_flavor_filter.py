# SPDX-License-Identifier: Apache-2.0
"""Protected servers go to protected hosts."""

from typing import ClassVar

from nova_ha_scheduler.filters import rule_filter
from nova_ha_scheduler.rules import ha_flavor
from nova_ha_scheduler.rules.terms import Rule


class HAFlavorFilter(rule_filter.RuleFilter):
    """Passes ``ha=true`` flavors to hosts of ``ha=true`` aggregates only.

    The decision table stands in :mod:`nova_ha_scheduler.rules.ha_flavor`.
    """

    RULE: ClassVar[Rule] = ha_flavor
