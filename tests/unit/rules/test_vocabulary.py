# SPDX-License-Identifier: Apache-2.0
"""Parsing fails closed, with a sentence that names the key and the value."""

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oslo_utils import strutils

from nova_ha_scheduler import host_facts
from nova_ha_scheduler.rules import booleans, vocabulary
from nova_ha_scheduler.rules.terms import HostFacts


@pytest.mark.parametrize("text", ["true", "True", " yes ", "1", "on", "t", "y"])
def test_true(text):
    assert vocabulary.boolean({"ha": text}, "ha") is True


@pytest.mark.parametrize("text", ["false", "False", "no", "0", "off", "f", "n"])
def test_false(text):
    assert vocabulary.boolean({"ha": text}, "ha") is False


_WORDS = [*strutils.TRUE_STRINGS, *strutils.FALSE_STRINGS, "", "none", "2", "ja"]


@pytest.mark.parametrize("said", [*_WORDS, True, False, 1, 0, 2, None])
def test_booleans_are_those_of_oslo_utils(said):
    spellings = [said]
    if isinstance(said, str):
        spellings += [said.upper(), said.title(), f" {said}\t", f"{said}\u00a0\n"]
    for spelling in spellings:
        assert booleans.read(spelling) is _of_oslo_utils(spelling)


@given(st.text(max_size=5))
def test_any_text_is_read_as_by_oslo_utils(text):
    assert booleans.read(text) is _of_oslo_utils(text)


def _of_oslo_utils(said):
    try:
        return strutils.bool_from_string(said, strict=True)
    except ValueError:
        return None


def test_absent_is_false():
    assert vocabulary.boolean({"ha:reserved": "true"}, "ha") is False


@pytest.mark.parametrize("text", ["", "maybe", "ture", "2", "true,false", "None"])
def test_bad_boolean(text):
    with pytest.raises(vocabulary.BadValue) as caught:
        vocabulary.boolean({"ha:reserved": text}, "ha:reserved")
    assert str(caught.value) == (
        f"ha:reserved={text!r} is not a boolean (true or false)"
    )
    assert (caught.value.key, caught.value.value) == ("ha:reserved", text)


def test_storage_zone():
    assert vocabulary.storage_zone({}) is None
    assert vocabulary.storage_zone({"storage_zone": " nfs-a "}) == "nfs-a"


@pytest.mark.parametrize("text", ["", "  ", "nfs-a,nfs-b", ","])
def test_bad_storage_zone(text):
    with pytest.raises(vocabulary.BadValue, match="is not the name of one zone"):
        vocabulary.storage_zone({"storage_zone": text})


def test_facts_join_all_aggregates_of_a_host():
    facts = HostFacts.of(
        [
            {"storage_zone": "nfs-a", "ha": "true"},
            {"ha": "false", "ha:reserved": "yes"},
            {"availability_zone": "az1", "ha:maintenance": "soon"},
        ]
    )
    assert facts.zones == {"nfs-a"}
    assert facts.flags == {"ha", "ha:reserved"}
    assert facts.bad == (
        (
            "ha:maintenance",
            "ha:maintenance='soon' is not a boolean (true or false)",
        ),
    )
    assert facts.may_be("ha:maintenance")
    assert not HostFacts.of([{"ha": "no"}]).may_be("ha")


def test_one_name_in_two_aggregates_is_one_zone():
    facts = HostFacts.of([{"storage_zone": "nfs-a"}, {"storage_zone": "nfs-a"}])
    assert facts.zone_words == "nfs-a"


@pytest.mark.parametrize(
    ("names", "words"),
    [([], "no zone"), (["b"], "b"), (["b", "a"], "several zones (a, b)")],
)
def test_zone_words(names, words):
    assert HostFacts.of({"storage_zone": n} for n in names).zone_words == words


@given(
    st.dictionaries(
        st.sampled_from(vocabulary.AGGREGATE_KEYS), st.text(max_size=8), max_size=4
    )
)
def test_no_metadata_whatever_raises(metadata):
    """A key is read, absent, or reported: nothing else, for any text."""
    facts = HostFacts.of([metadata])
    for key, text in metadata.items():
        if facts.bad_value(key):
            assert repr(text) in facts.bad_value(key)
        elif key == vocabulary.STORAGE_ZONE:
            assert facts.zones == {text.strip()}
        else:
            assert (key in facts.flags) == vocabulary.boolean(metadata, key)


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("ha_reserved", "ha:reserved"),
        ("ha:reserve", "ha:reserved"),
        ("ha:maintenence", "ha:maintenance"),
        ("ha:maintainance", "ha:maintenance"),
        ("ha-maintenance", "ha:maintenance"),
        ("storage-zone", "storage_zone"),
        ("Storage Zone", "storage_zone"),
        ("storagezone", "storage_zone"),
        ("storage_zones", "storage_zone"),
    ],
)
def test_misspelt_keys(key, meant):
    assert vocabulary.misspelt(key) == meant


@pytest.mark.parametrize(
    "key",
    [
        *vocabulary.AGGREGATE_KEYS,
        "HA:Reserved ",  # read as meant
        "ha:recovery",
        "ha:priority",
        "ha:failback",
        "availability_zone",
        "storage",
        "zone",
        "hw",
        "haha",
        "maintenance",
        "reserved",
        "maintenance_contract",
        "filter_tenant_id",
        "trait:CUSTOM_HA",
        "storage_type",
        "cpu_allocation_ratio",
        "",
    ],
)
def test_keys_of_others_are_let_alone(key):
    assert vocabulary.misspelt(key) is None


def test_nova_scheduler_says_it_once(caplog):
    metadata = {"storage_zone": "nfs-a", "ha:reservd": "true"}
    aggregate = SimpleNamespace(name="a misspelt one", metadata=metadata)
    for _ in range(2):
        host_facts.of_host(SimpleNamespace(aggregates=[aggregate]))
    assert [record.getMessage() for record in caplog.records] == [
        "Host aggregate a misspelt one: 'ha:reservd' counts for nothing; ha:reserved "
        "may be meant."
    ]


SPELLINGS = [str.upper, str.title, "{} ".format, " {}".format, "{}\n".format, " ".join]


@pytest.mark.parametrize("spell", SPELLINGS)
@pytest.mark.parametrize("key", vocabulary.AGGREGATE_KEYS)
def test_case_and_blanks_of_a_key_do_not_count(key, spell):
    value = " nfs-a " if key == vocabulary.STORAGE_ZONE else " Yes "
    assert HostFacts.of([{spell(key): value}]) == HostFacts.of([{key: value}])
    assert not HostFacts.of([{spell(key): value}]).misspelt


def test_what_flavors_and_tenants_write_is_read_as_meant():
    specs = {"HA": "true", "ha:Recovery ": "recreate ", "HA:PRIORITY": "700"}
    assert vocabulary.boolean(specs, vocabulary.HA)
    assert vocabulary.recovery_policy(specs, {}, False) == "recreate"
    assert vocabulary.disposable(specs)
    assert vocabulary.left_alone({"HA:Recovery": "none"})
    assert vocabulary.priority(specs, {"Ha:Priority": "3"}, False) == 3
    assert not vocabulary.failback({"ha:FailBack": "true"}, {"HA:failback ": "no"}, *AS)


AS = False, False


@pytest.mark.parametrize(
    ("metadata", "key", "sentence"),
    [
        (
            {"ha:reserved": "true", "HA:Reserved": "false"},
            "ha:reserved",
            "ha:reserved='true' and HA:Reserved='false' contradict each other",
        ),
        (
            {"ha": "true", "ha ": "no"},
            "ha",
            "ha='true' and 'ha '='no' contradict each other",
        ),
        (
            {"storage_zone": "nfs-a", "Storage_Zone": "nfs-A"},
            "storage_zone",
            "storage_zone='nfs-a' and Storage_Zone='nfs-A' contradict each other",
        ),
        (
            {"ha:maintenance": "false", "HA:MAINTENANCE": "maybe"},
            "ha:maintenance",
            "HA:MAINTENANCE='maybe' is not a boolean (true or false)",
        ),
    ],
)
def test_two_spellings_that_say_different_things_fail_closed(metadata, key, sentence):
    facts = HostFacts.of([metadata])
    assert facts.bad_value(key) == sentence
    assert facts.may_be(key)
    assert facts.zones | facts.flags == set()


def test_two_spellings_may_say_the_same():
    twice = {"ha": "true", "HA": "Yes", "storage_zone": "a", "Storage_Zone": "a "}
    facts = HostFacts.of([twice])
    assert facts == HostFacts(frozenset("a"), frozenset({"ha"}))


@pytest.mark.parametrize("policy", ["recreate", "none"])
def test_a_flavor_that_contradicts_itself_grants_nothing(policy):
    specs = {"ha:recovery": "evacuate", "ha:Recovery": policy}
    assert not vocabulary.disposable(specs)
    assert not vocabulary.left_alone(specs)
    with pytest.raises(vocabulary.BadValue, match="contradict each other"):
        vocabulary.recovery_policy(specs, {}, False)


def test_what_is_misspelt_stands_in_the_facts():
    facts = HostFacts.of([{"ha:maintenence": "true"}, {"HA": "true"}])
    assert facts.misspelt == (
        "'ha:maintenence' counts for nothing; ha:maintenance may be meant",
    )
