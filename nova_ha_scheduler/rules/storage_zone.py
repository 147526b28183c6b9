# SPDX-License-Identifier: Apache-2.0
"""Storage zones: a server never leaves the shared storage that holds its disk.

========================================  =====================================
operation                                 the destination must be in
========================================  =====================================
boot, unshelve of an offloaded server     any zone, or none: its disk is made there
live migrate, cold migrate, resize,       exactly the source host's zone; for a
evacuate                                  source in no zone: no zone
evacuate, ha:recovery=recreate            any zone, or none: its disk may be lost
the others, source in several zones or    nowhere
unreadable, or the operation unknown
rebuild in place                          the host that it is on
========================================  =====================================

Options: ``exempt_volume_backed`` lets a server without a local disk go anywhere;
``zoneless_source`` says what may leave a host in no zone.
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
    ZonelessSource,
)


def concerns(request: Request, policy: Policy) -> bool:
    if request.operation.makes_disk:
        return False
    if request.operation is Operation.EVACUATE and request.disposable:
        return False
    # An unknown operation is never exempt: not even its disks are known then.
    return (
        request.operation is Operation.UNKNOWN
        or request.local_disk
        or not policy.exempt_volume_backed
    )


def _nowhere(request: Request, policy: Policy) -> Refusal | None:
    """The refusal of every host, where the zone to stay in cannot be known."""
    source = request.source_facts
    if request.operation is Operation.UNKNOWN:
        return Refusal(RefusalReason.OPERATION_UNKNOWN, request.problem, "refused")
    if unreadable := source.bad_value(vocabulary.STORAGE_ZONE):
        return Refusal(
            RefusalReason.SOURCE_ZONE_UNKNOWN, f"{request.source} has {unreadable}"
        )
    if len(source.zones) > 1:
        return Refusal(
            RefusalReason.SOURCE_ZONE_UNKNOWN,
            f"{request.source} is in {source.zone_words}",
        )
    if not source.zones and (
        policy.zoneless_source is ZonelessSource.REFUSE
        or policy.zoneless_source is ZonelessSource.NO_EVACUATION
        and request.operation is Operation.EVACUATE
    ):
        return Refusal(
            RefusalReason.NO_ZONE_TO_KEEP,
            f"source host {request.source} is in no zone and zoneless_source = "
            f"{policy.zoneless_source.value}",
        )
    return None


def refusal(
    request: Request, host: HostFacts, stays: bool, policy: Policy
) -> Refusal | None:
    if not concerns(request, policy):
        return None
    if request.operation is Operation.REBUILD and stays:
        return None
    if nowhere := _nowhere(request, policy):
        return nowhere
    if unreadable := host.bad_value(vocabulary.STORAGE_ZONE):
        return Refusal(RefusalReason.BAD_METADATA, found=unreadable)
    if host.zones == request.source_facts.zones:
        return None
    if not request.source_facts.zones:
        return Refusal(RefusalReason.HOST_WITH_ZONE, found=host.zone_words)
    return Refusal(
        RefusalReason.OTHER_ZONE, request.source_facts.zone_words, host.zone_words
    )


def query(
    request: Request, aggregates: Sequence[TaggedAggregate], policy: Policy
) -> AggregateQuery:
    if not concerns(request, policy) or _nowhere(request, policy):
        return AggregateQuery()
    source = request.source_facts
    if source.zones:
        return AggregateQuery(
            Refusal(RefusalReason.OTHER_ZONE, source.zone_words).requirement,
            required=frozenset(
                a.uuid for a in aggregates if a.facts.zones == source.zones
            ),
        )
    return AggregateQuery(
        Refusal(RefusalReason.HOST_WITH_ZONE).requirement,
        forbidden=frozenset(
            a.uuid
            for a in aggregates
            if a.facts.zones or a.facts.bad_value(vocabulary.STORAGE_ZONE)
        ),
    )
