# SPDX-License-Identifier: Apache-2.0
"""Maintenance: a flagged host is nobody's destination.

=====================  ==================  ======================
operation              other host          host under maintenance
=====================  ==================  ======================
rebuild in place       pass                pass
everything else        pass                no
=====================  ==================  ======================
"""

from collections.abc import Sequence

from nova_ha_scheduler.rules import vocabulary
from nova_ha_scheduler.rules.model import (
    Aggregate,
    HostFacts,
    Operation,
    Policy,
    Query,
    Reason,
    Refusal,
    Request,
    that_may_be,
)


def concerns(request: Request, policy: Policy) -> bool:
    return True


def refusal(
    request: Request, host: HostFacts, stays: bool, policy: Policy
) -> Refusal | None:
    if stays and request.operation is Operation.REBUILD:
        return None
    if unreadable := host.bad_value(vocabulary.MAINTENANCE):
        return Refusal(Reason.BAD_METADATA, found=unreadable)
    if vocabulary.MAINTENANCE in host.flags:
        return Refusal(Reason.MAINTENANCE)
    return None


def query(request: Request, aggregates: Sequence[Aggregate], policy: Policy) -> Query:
    if request.operation is Operation.REBUILD:
        return Query()
    return Query(
        Refusal(Reason.MAINTENANCE).requirement,
        forbidden=that_may_be(vocabulary.MAINTENANCE, aggregates),
    )
