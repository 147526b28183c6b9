# SPDX-License-Identifier: Apache-2.0
"""``ha`` flavors: protected servers go to protected hosts.

==========================  ===================  ==========
flavor, on boot and on      host in an ha=true   other host
every move                  aggregate
==========================  ===================  ==========
``ha=true``                 pass                 no
``ha=false``, or absent     pass                 pass
unreadable                  no                   no
==========================  ===================  ==========

A rebuild in place passes. Option: ``isolate_ha_hosts`` keeps servers without
``ha=true`` off the protected hosts.
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
    return request.ha is not False or policy.isolate_ha_hosts


def refusal(
    request: Request, host: HostFacts, stays: bool, policy: Policy
) -> Refusal | None:
    if not concerns(request, policy):
        return None
    if stays and request.operation is Operation.REBUILD:
        return None
    if isinstance(request.ha, str):
        return Refusal(RefusalReason.FLAVOR_UNREADABLE, request.ha)
    if unreadable := host.bad_value(vocabulary.HA):
        return Refusal(RefusalReason.BAD_METADATA, found=unreadable)
    protected = vocabulary.HA in host.flags
    if request.ha and not protected:
        return Refusal(RefusalReason.NOT_HA)
    if not request.ha and protected:
        return Refusal(RefusalReason.HA_ISOLATED)
    return None


def query(
    request: Request, aggregates: Sequence[TaggedAggregate], policy: Policy
) -> AggregateQuery:
    if (
        not concerns(request, policy)
        or isinstance(request.ha, str)
        or request.operation is Operation.REBUILD
    ):
        return AggregateQuery()
    if not request.ha:
        return AggregateQuery(
            Refusal(RefusalReason.HA_ISOLATED).requirement,
            forbidden=that_may_be(vocabulary.HA, aggregates),
        )
    return AggregateQuery(
        Refusal(RefusalReason.NOT_HA).requirement,
        required=frozenset(
            a.uuid for a in aggregates if vocabulary.HA in a.facts.flags
        ),
        forbidden=frozenset(
            a.uuid for a in aggregates if a.facts.bad_value(vocabulary.HA)
        ),
    )
