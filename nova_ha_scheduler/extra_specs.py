# SPDX-License-Identifier: Apache-2.0
"""Validators of the flavor extra specs, for nova-api.

Loaded through the entry point group nova.api.extra_spec_validators: from API
microversion 2.86 on, a bad value, or an unknown name that begins with ``ha:``, is
refused with 400.
"""

from nova.api.validation.extra_specs import base

from nova_ha_scheduler.rules import vocabulary


def register() -> list[base.ExtraSpecValidator]:
    return [
        base.ExtraSpecValidator(
            name=vocabulary.HA,
            description=(
                "Whether the servers are protected: they run only on hosts of "
                "aggregates with ha=true and come back when such a host dies."
            ),
            value={"type": bool},
        ),
        base.ExtraSpecValidator(
            name=vocabulary.RECOVERY,
            description=(
                "How a server of a dead host comes back: evacuate it with its disk; "
                "recreate it from its image anywhere, its disk may be lost; or none."
            ),
            value={"type": str, "enum": list(vocabulary.RECOVERY_POLICIES)},
        ),
        base.ExtraSpecValidator(
            name=vocabulary.PRIORITY,
            description="Who is recovered first: higher before lower.",
            value={
                "type": int,
                "min": vocabulary.MIN_PRIORITY,
                "max": vocabulary.MAX_PRIORITY,
            },
        ),
        base.ExtraSpecValidator(
            name=vocabulary.FAILBACK,
            description=(
                "Whether the servers go home, by live migration, when a host that "
                "died has returned."
            ),
            value={"type": bool},
        ),
    ]
