# SPDX-License-Identifier: Apache-2.0
"""The two faces of a rule agree: what Placement is asked hides no host that passes.

The other way round the query may be laxer, but where every aggregate is readable
and no host is in two zones it says exactly the same, but for a server that stays.
"""

from hypothesis import assume, given
from hypothesis import strategies as st

from nova_ha_scheduler.rules import (
    failover_host,
    ha_flavor,
    maintenance,
    storage_zone,
    vocabulary,
)
from nova_ha_scheduler.rules.terms import (
    HostFacts,
    Operation,
    Policy,
    RefusalReason,
    Request,
    TaggedAggregate,
    ZonelessSource,
)

RULES = (storage_zone, failover_host, ha_flavor, maintenance)
# No host is good: the filters say why, so Placement may find what it will.
LEFT_TO_THE_FILTERS = {
    RefusalReason.OPERATION_UNKNOWN,
    RefusalReason.NO_ZONE_TO_KEEP,
    RefusalReason.SOURCE_ZONE_UNKNOWN,
}

flags = st.sampled_from(["true", "false", "maybe"])
zones = st.sampled_from(["a", "b", "A", ""])


def in_a_spelling(keys):
    """Of each key, what people and databases take for the same."""
    return st.fixed_dictionaries(
        {},
        optional={
            spell(key): zones if key == vocabulary.STORAGE_ZONE else flags
            for key in keys
            for spell in (str, str.upper, "{} ".format)
        },
    )


metadata = in_a_spelling(vocabulary.AGGREGATE_KEYS)
clouds = st.lists(metadata, max_size=5)
policies = st.builds(
    Policy,
    live_migrate_to_reserve=st.booleans(),
    reserve_for_ha_only=st.booleans(),
    isolate_ha_hosts=st.booleans(),
    exempt_volume_backed=st.booleans(),
    zoneless_source=st.sampled_from(ZonelessSource),
)
operations = st.sampled_from(Operation)
flavors = st.sampled_from([True, False, "flavor f has ha='x'"])


def facts_of(cloud, members):
    return HostFacts.of(cloud[i] for i in members)


def asked_of_placement(query, members):
    uuids = {str(i) for i in members}
    return (query.required is None or bool(query.required & uuids)) and not (
        query.forbidden & uuids
    )


@st.composite
def cases(draw):
    cloud = draw(clouds)
    some = st.sets(st.sampled_from(range(len(cloud)))) if cloud else st.just(set())
    source, host = draw(some), draw(some)
    stays = draw(st.booleans())
    request = Request(
        draw(operations),
        "server",
        ha=draw(flavors),
        source="source",
        source_facts=facts_of(cloud, source),
        local_disk=draw(st.booleans()),
    )
    return cloud, request, source if stays else host, stays, draw(policies)


@given(cases())
def test_the_query_hides_no_host_that_passes(case):
    cloud, request, members, stays, policy = case
    tagged = [
        TaggedAggregate(str(i), str(i), HostFacts.of([m])) for i, m in enumerate(cloud)
    ]
    host = facts_of(cloud, members)
    for rule in RULES:
        if rule.refusal(request, host, stays, policy) is None:
            query = rule.query(request, tagged, policy)
            # Nobody requires an empty set: the adapter leaves it to the filters.
            if query.required != frozenset():
                assert asked_of_placement(query, members), rule.__name__


@given(cases())
def test_the_query_says_all_that_aggregates_can_say(case):
    cloud, request, members, stays, policy = case
    host = facts_of(cloud, members)
    assume(not stays and request.operation is not Operation.REBUILD)
    assume(not any(HostFacts.of([m]).bad for m in cloud))
    assume(len(host.zones) < 2 and len(request.source_facts.zones) < 2)
    assume(not isinstance(request.ha, str))
    tagged = [
        TaggedAggregate(str(i), str(i), HostFacts.of([m])) for i, m in enumerate(cloud)
    ]
    for rule in RULES:
        refusal = rule.refusal(request, host, stays, policy)
        if refusal is None or refusal.reason in LEFT_TO_THE_FILTERS:
            continue
        if rule is failover_host and request.operation is Operation.RESIZE:
            continue  # it may stay on its reserved host, which has no other name
        assert not asked_of_placement(rule.query(request, tagged, policy), members)


@given(cases())
def test_a_rule_without_concern_refuses_nothing(case):
    cloud, request, members, stays, policy = case
    for rule in RULES:
        if not rule.concerns(request, policy):
            assert (
                rule.refusal(request, facts_of(cloud, members), stays, policy) is None
            )
