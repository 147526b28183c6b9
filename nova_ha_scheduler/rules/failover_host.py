# SPDX-License-Identifier: Apache-2.0
"""Reserved failover hosts: closed to everything but evacuation, at every moment.

==========================================  ==========  =============
operation                                   other host  reserved host
==========================================  ==========  =============
boot, unshelve, live migrate, cold          pass        no
migrate, resize to another host, unknown
evacuate                                    pass        pass
rebuild in place, resize in place, of a     pass        pass
server that is there already
==========================================  ==========  =============

Options: ``live_migrate_to_reserve`` adds live migration (to drain a host for
maintenance); ``reserve_for_ha_only`` keeps the reserve for ``ha=true`` servers.
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

IN_PLACE = (Operation.REBUILD, Operation.RESIZE)


def concerns(request: Request, policy: Policy) -> bool:
    return not _admitted(request, policy) or _kept_from(request, policy)


def _admitted(request: Request, policy: Policy) -> bool:
    """Whether the operation may use the reserve."""
    return request.operation is Operation.EVACUATE or (
        request.operation is Operation.LIVE_MIGRATE and policy.live_migrate_to_reserve
    )


def _kept_from(request: Request, policy: Policy) -> bool:
    """Whether the reserve is kept from this server; unreadable is not ha=true."""
    return policy.reserve_for_ha_only and request.ha is not True


def _refusal(request: Request, policy: Policy) -> Refusal:
    if _admitted(request, policy):
        return Refusal(RefusalReason.RESERVED_FOR_HA)
    return Refusal(RefusalReason.RESERVED)


def refusal(
    request: Request, host: HostFacts, stays: bool, policy: Policy
) -> Refusal | None:
    if not concerns(request, policy):
        return None
    if stays and request.operation in IN_PLACE:
        return None
    if unreadable := host.bad_value(vocabulary.RESERVED):
        return Refusal(RefusalReason.BAD_METADATA, found=unreadable)
    if vocabulary.RESERVED not in host.flags:
        return None
    return _refusal(request, policy)


def query(
    request: Request, aggregates: Sequence[TaggedAggregate], policy: Policy
) -> AggregateQuery:
    if not concerns(request, policy):
        return AggregateQuery()
    if request.operation in IN_PLACE and request.source_facts.may_be(
        vocabulary.RESERVED
    ):
        return AggregateQuery()  # Placement cannot say "but the host that it is on"
    return AggregateQuery(
        _refusal(request, policy).requirement,
        forbidden=that_may_be(vocabulary.RESERVED, aggregates),
    )
