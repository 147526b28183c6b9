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
from nova_ha_scheduler.rules.terms import (
    AggregateQuery,
    HostFacts,
    Operation,
    Policy,
    Refusal,
    RefusalReason,
    Request,
    TaggedAggregate,
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
        return Refusal(RefusalReason.BAD_METADATA, found=unreadable)
    if vocabulary.MAINTENANCE in host.flags:
        return Refusal(RefusalReason.MAINTENANCE)
    return None


def query(
    request: Request, aggregates: Sequence[TaggedAggregate], policy: Policy
) -> AggregateQuery:
    if request.operation is Operation.REBUILD:
        return AggregateQuery()
    return AggregateQuery(
        Refusal(RefusalReason.MAINTENANCE).requirement,
        forbidden=that_may_be(vocabulary.MAINTENANCE, aggregates),
    )
