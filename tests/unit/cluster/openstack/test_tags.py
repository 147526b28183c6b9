# SPDX-License-Identifier: Apache-2.0
"""What aggregates say of hosts, whatever the spelling."""

from typing import Any

from nova_ha_scheduler.cluster.openstack import tags
from nova_ha_scheduler.cluster.openstack.fields import Notes
from nova_ha_scheduler.rules.terms import HostFacts


def facts(metadata: Any) -> HostFacts:
    found = {"id": 1, "name": "odd", "hosts": ["c1"], "metadata": metadata}
    return tags.HostTags([found], Notes(), {}).of("c1")


def test_keys_count_in_any_spelling() -> None:
    assert facts({"HA ": "true", "Storage_Zone": " nfs-a"}) == HostFacts(
        frozenset({"nfs-a"}), frozenset({"ha"})
    )


def test_hosts_that_cannot_be_read_of_an_aggregate_that_is_new() -> None:
    """Nothing is known of before: it may be any host's."""
    found = {"id": 1, "name": "odd", "hosts": "c1", "metadata": {"ha": "true"}}
    notes = Notes()
    said = tags.HostTags([found], notes, {}).of("c1")
    assert said.bad_value("ha")
    assert len(notes.unread) == 1


def test_a_value_that_is_no_text_is_unknown_in_any_spelling() -> None:
    found = facts({"HA:Maintenance": ["true"]})
    assert found.bad_value("ha:maintenance") == (
        "ha:maintenance of aggregate odd cannot be read"
    )
