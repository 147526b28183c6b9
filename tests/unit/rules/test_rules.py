# SPDX-License-Identifier: Apache-2.0
"""The decision tables of the rules, row by row, as data."""

import pytest

from nova_ha_scheduler.rules import (
    failover_host,
    ha_flavor,
    maintenance,
    storage_zone,
)
from nova_ha_scheduler.rules.terms import (
    HostFacts,
    Operation,
    Policy,
    RefusalReason,
    Request,
    ZonelessSource,
)

BOOT, UNSHELVE = Operation.BOOT, Operation.UNSHELVE
LIVE, COLD = Operation.LIVE_MIGRATE, Operation.COLD_MIGRATE
RESIZE, EVACUATE = Operation.RESIZE, Operation.EVACUATE
REBUILD, UNKNOWN = Operation.REBUILD, Operation.UNKNOWN
MOVES = (LIVE, COLD, RESIZE, EVACUATE)
EVERY = tuple(Operation)

PASS = None
DEFAULTS = Policy()
PLAIN = HostFacts()
RESERVE = HostFacts.of([{"ha:reserved": "true"}])
UNREADABLE = HostFacts.of(
    [
        {
            "ha": "x",
            "ha:reserved": "x",
            "ha:maintenance": "x",
            "storage_zone": "",
        }
    ]
)
PROTECTED = HostFacts.of([{"ha": "true"}])
DOWN = HostFacts.of([{"ha:maintenance": "true"}])
A, B = HostFacts.of([{"storage_zone": "a"}]), HostFacts.of([{"storage_zone": "b"}])
A_AND_B = HostFacts.of([{"storage_zone": "a"}, {"storage_zone": "b"}])


def verdict(rule, operation, host, *, stays=False, policy=DEFAULTS, **fields):
    if not operation.makes_disk and operation is not UNKNOWN:
        fields.setdefault("source", "source")
    request = Request(operation, "server", **fields)
    refusal = rule.refusal(request, host, stays, policy)
    return refusal and refusal.reason


def rows(*table):
    """(operations, further columns) -> a row for each operation."""
    return [(operation, *rest) for ops, *rest in table for operation in ops]


@pytest.mark.parametrize(
    ("operation", "host", "stays", "reason"),
    rows(
        ((BOOT, UNSHELVE, *MOVES, UNKNOWN), PLAIN, False, PASS),
        ((BOOT, UNSHELVE, LIVE, COLD, RESIZE), RESERVE, False, RefusalReason.RESERVED),
        ((UNKNOWN,), RESERVE, False, RefusalReason.RESERVED),
        ((EVACUATE,), RESERVE, False, PASS),
        ((REBUILD, RESIZE), RESERVE, True, PASS),
        ((REBUILD,), RESERVE, False, RefusalReason.RESERVED),
        ((UNKNOWN, LIVE, COLD), RESERVE, True, RefusalReason.RESERVED),
        (
            (BOOT, UNSHELVE, LIVE, COLD, RESIZE, UNKNOWN),
            UNREADABLE,
            False,
            RefusalReason.BAD_METADATA,
        ),
        ((EVACUATE,), UNREADABLE, False, PASS),
        ((REBUILD, RESIZE), UNREADABLE, True, PASS),
    ),
)
def test_failover_host(operation, host, stays, reason):
    assert verdict(failover_host, operation, host, stays=stays) is reason


@pytest.mark.parametrize(
    ("operation", "ha", "policy", "reason"),
    rows(
        ((LIVE,), False, Policy(live_migrate_to_reserve=True), PASS),
        (
            (BOOT, UNSHELVE, COLD, RESIZE, UNKNOWN),
            True,
            Policy(live_migrate_to_reserve=True),
            RefusalReason.RESERVED,
        ),
        ((EVACUATE,), True, Policy(reserve_for_ha_only=True), PASS),
        (
            (EVACUATE,),
            False,
            Policy(reserve_for_ha_only=True),
            RefusalReason.RESERVED_FOR_HA,
        ),
        (
            (EVACUATE,),
            "?",
            Policy(reserve_for_ha_only=True),
            RefusalReason.RESERVED_FOR_HA,
        ),
        ((BOOT, LIVE), True, Policy(reserve_for_ha_only=True), RefusalReason.RESERVED),
        (
            (LIVE,),
            False,
            Policy(live_migrate_to_reserve=True, reserve_for_ha_only=True),
            RefusalReason.RESERVED_FOR_HA,
        ),
    ),
)
def test_failover_host_options(operation, ha, policy, reason):
    assert verdict(failover_host, operation, RESERVE, ha=ha, policy=policy) is reason


@pytest.mark.parametrize(
    ("operation", "source", "host", "reason"),
    rows(
        ((BOOT, UNSHELVE), PLAIN, PLAIN, PASS),
        ((BOOT, UNSHELVE), PLAIN, A, PASS),
        ((BOOT, UNSHELVE), PLAIN, A_AND_B, PASS),
        (MOVES, A, A, PASS),
        (MOVES, A, B, RefusalReason.OTHER_ZONE),
        (MOVES, A, PLAIN, RefusalReason.OTHER_ZONE),
        (MOVES, A, A_AND_B, RefusalReason.OTHER_ZONE),
        (MOVES, A, UNREADABLE, RefusalReason.BAD_METADATA),
        (MOVES, PLAIN, PLAIN, PASS),
        (MOVES, PLAIN, A, RefusalReason.HOST_WITH_ZONE),
        (MOVES, PLAIN, UNREADABLE, RefusalReason.BAD_METADATA),
        (MOVES, A_AND_B, A, RefusalReason.SOURCE_ZONE_UNKNOWN),
        (MOVES, A_AND_B, A_AND_B, RefusalReason.SOURCE_ZONE_UNKNOWN),
        (MOVES, UNREADABLE, PLAIN, RefusalReason.SOURCE_ZONE_UNKNOWN),
        ((UNKNOWN,), PLAIN, PLAIN, RefusalReason.OPERATION_UNKNOWN),
        ((UNKNOWN,), A, A, RefusalReason.OPERATION_UNKNOWN),
        ((REBUILD,), A, B, RefusalReason.OTHER_ZONE),
    ),
)
def test_storage_zone(operation, source, host, reason):
    assert verdict(storage_zone, operation, host, source_facts=source) is reason


@pytest.mark.parametrize("facts", [PLAIN, A, A_AND_B, UNREADABLE])
def test_rebuild_in_place_keeps_its_disk_in_any_zone(facts):
    for policy in (Policy(), Policy(zoneless_source=ZonelessSource.REFUSE)):
        reason = verdict(
            storage_zone,
            REBUILD,
            facts,
            stays=True,
            source_facts=facts,
            policy=policy,
        )
        assert reason is PASS


@pytest.mark.parametrize(
    ("operation", "policy", "reason"),
    rows(
        (MOVES, ZonelessSource.REFUSE, RefusalReason.NO_ZONE_TO_KEEP),
        ((EVACUATE,), ZonelessSource.NO_EVACUATION, RefusalReason.NO_ZONE_TO_KEEP),
        ((LIVE, COLD, RESIZE), ZonelessSource.NO_EVACUATION, PASS),
        (MOVES, ZonelessSource.ZONELESS, PASS),
        ((BOOT, UNSHELVE), ZonelessSource.REFUSE, PASS),
    ),
)
def test_zoneless_source(operation, policy, reason):
    policy = Policy(zoneless_source=policy)
    assert verdict(storage_zone, operation, PLAIN, policy=policy) is reason


@pytest.mark.parametrize(
    ("operation", "local_disk", "reason"),
    rows(
        (MOVES, False, PASS),
        (MOVES, True, RefusalReason.OTHER_ZONE),
        ((UNKNOWN,), False, RefusalReason.OPERATION_UNKNOWN),
    ),
)
def test_volume_backed_servers_may_be_exempt(operation, local_disk, reason):
    fields = {"source_facts": A, "local_disk": local_disk}
    policy = Policy(exempt_volume_backed=True)
    assert verdict(storage_zone, operation, B, policy=policy, **fields) is reason
    assert verdict(storage_zone, operation, B, **fields) is not PASS


@pytest.mark.parametrize(
    ("operation", "source", "host", "reason"),
    rows(
        ((EVACUATE,), A, B, PASS),
        ((EVACUATE,), A, PLAIN, PASS),
        ((EVACUATE,), A_AND_B, A, PASS),
        ((EVACUATE,), PLAIN, UNREADABLE, PASS),
        ((LIVE, COLD, RESIZE), A, B, RefusalReason.OTHER_ZONE),
        ((UNKNOWN,), A, B, RefusalReason.OPERATION_UNKNOWN),
    ),
)
def test_a_disk_that_may_be_lost(operation, source, host, reason):
    fields = {"source_facts": source, "disposable": True}
    assert verdict(storage_zone, operation, host, **fields) is reason


@pytest.mark.parametrize(
    ("operation", "ha", "host", "reason"),
    rows(
        ((*MOVES, BOOT, UNSHELVE, UNKNOWN), True, PROTECTED, PASS),
        ((*MOVES, BOOT, UNSHELVE, UNKNOWN), True, PLAIN, RefusalReason.NOT_HA),
        (
            (*MOVES, BOOT, UNSHELVE, UNKNOWN),
            True,
            UNREADABLE,
            RefusalReason.BAD_METADATA,
        ),
        ((*MOVES, BOOT, UNSHELVE, UNKNOWN), False, PROTECTED, PASS),
        ((*MOVES, BOOT, UNSHELVE, UNKNOWN), False, PLAIN, PASS),
        ((*MOVES, BOOT, UNSHELVE, UNKNOWN), False, UNREADABLE, PASS),
        (
            (*MOVES, BOOT, UNSHELVE, UNKNOWN),
            "?",
            PROTECTED,
            RefusalReason.FLAVOR_UNREADABLE,
        ),
        (
            (*MOVES, BOOT, UNSHELVE, UNKNOWN),
            "?",
            PLAIN,
            RefusalReason.FLAVOR_UNREADABLE,
        ),
    ),
)
def test_ha_flavor(operation, ha, host, reason):
    assert verdict(ha_flavor, operation, host, ha=ha) is reason


@pytest.mark.parametrize("operation", EVERY)
def test_isolated_ha_hosts(operation):
    policy = Policy(isolate_ha_hosts=True)
    assert (
        verdict(ha_flavor, operation, PROTECTED, policy=policy)
        is RefusalReason.HA_ISOLATED
    )
    assert verdict(ha_flavor, operation, UNREADABLE, policy=policy) is (
        RefusalReason.BAD_METADATA
    )
    assert verdict(ha_flavor, operation, PLAIN, policy=policy) is PASS
    assert verdict(ha_flavor, operation, PROTECTED, ha=True, policy=policy) is PASS


@pytest.mark.parametrize("ha", [True, False, "?"])
def test_ha_flavor_rebuild_in_place_passes(ha):
    for host in (PLAIN, PROTECTED, UNREADABLE):
        policy = Policy(isolate_ha_hosts=True)
        reason = verdict(ha_flavor, REBUILD, host, stays=True, ha=ha, policy=policy)
        assert reason is PASS


@pytest.mark.parametrize(
    ("operation", "host", "stays", "reason"),
    rows(
        (EVERY, PLAIN, False, PASS),
        (EVERY, DOWN, False, RefusalReason.MAINTENANCE),
        (EVERY, UNREADABLE, False, RefusalReason.BAD_METADATA),
        ((REBUILD,), DOWN, True, PASS),
        ((REBUILD,), UNREADABLE, True, PASS),
        ((RESIZE, UNKNOWN), DOWN, True, RefusalReason.MAINTENANCE),
    ),
)
def test_maintenance(operation, host, stays, reason):
    assert verdict(maintenance, operation, host, stays=stays) is reason


def test_a_refusal_reads_as_a_sentence():
    request = Request(LIVE, "server", source="h1", source_facts=A)
    refusal = storage_zone.refusal(request, B, False, Policy())
    assert str(refusal) == "zone a required: in b"
    request = Request(LIVE, "server", source="h1", source_facts=A_AND_B)
    refusal = storage_zone.refusal(request, A, False, Policy())
    assert str(refusal) == (
        "the source's zone cannot be known: h1 is in several zones (a, b): refused"
    )


def test_a_reason_with_braces_in_a_value_is_no_template():
    facts = HostFacts.of([{"ha": "{0}{x}"}])
    refusal = ha_flavor.refusal(Request(BOOT, "s", ha=True), facts, False, Policy())
    assert "ha='{0}{x}' is not a boolean" in str(refusal)
