# SPDX-License-Identifier: Apache-2.0
"""The reserve is for evacuations."""

from typing import ClassVar

from nova_ha_scheduler.filters import rule_filter
from nova_ha_scheduler.rules import failover_host
from nova_ha_scheduler.rules.terms import Rule


class FailoverHostFilter(rule_filter.RuleFilter):
    """Passes reserved failover hosts to evacuations only.

    The decision table stands in :mod:`nova_ha_scheduler.rules.failover_host`.
    """

    RULE: ClassVar[Rule] = failover_host
