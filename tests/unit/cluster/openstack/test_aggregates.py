# SPDX-License-Identifier: Apache-2.0
"""Which aggregates a tag may touch. On a real Nova: tests/integration/trigger."""

from typing import Any

import pytest

from nova_ha_scheduler.cluster.errors import Refused
from nova_ha_scheduler.cluster.openstack.aggregates import (
    Action,
    tagging,
    that_say,
    untagging,
)
from nova_ha_scheduler.rules.vocabulary import HA, MAINTENANCE, STORAGE_ZONE


def aggregate(name: str, *hosts: str, **metadata: str) -> dict[str, Any]:
    """:param metadata: with __ for the colon in a key."""
    said = {key.replace("__", ":"): value for key, value in metadata.items()}
    return {"id": hash(name), "name": name, "hosts": list(hosts), "metadata": said}


AZ = {"availability_zone": "az1"}


@pytest.mark.parametrize(
    ("found", "action", "name"),
    [
        ([], Action.CREATE, "ha-protected"),
        ([aggregate("ha-protected")], Action.DESCRIBE, "ha-protected"),
        ([aggregate("pets", ha="true")], Action.ADD, "pets"),
        ([aggregate("pets", "other", ha="Yes")], Action.ADD, "pets"),
        ([aggregate("pets", ha="false")], Action.CREATE, "ha-protected"),
        ([aggregate("a", ha="1"), aggregate("ha-protected", ha="1")], Action.ADD, None),
        ([aggregate("az", ha="true", **AZ)], Action.CREATE, "ha-protected"),
        ([aggregate("both", ha="true", storage_zone="a")], Action.CREATE, None),
        ([aggregate("no", "node1", ha="false")], Action.CREATE, "ha-protected"),
        ([aggregate("bad", ha="maybe")], Action.CREATE, "ha-protected"),
        ([aggregate("a", HA="true"), aggregate("z", ha="true")], Action.ADD, "z"),
        ([aggregate("ha-protected", HA="true")], Action.ADD, "ha-protected"),
        ([aggregate("x", HA="true", ha="no")], Action.CREATE, "ha-protected"),
    ],
)
def test_the_next_step_to_a_flag(
    found: list[dict[str, Any]], action: Action, name: str | None
) -> None:
    (step,) = tagging(found, "node1", HA)
    assert (step.action, step.host) == (action, "node1")
    assert step.aggregate == (name or "ha-protected")


@pytest.mark.parametrize("said", ["true", "YES", "1", "on"])
def test_nothing_to_do(said: str) -> None:
    found = [aggregate("az", "node1", ha=said, **AZ), aggregate("ha-protected")]
    assert tagging(found, "node1", HA) == []
    assert untagging([aggregate("az", "node1", ha="no", **AZ)], "node1", HA) == []


def test_a_zone_has_an_aggregate_of_its_own() -> None:
    found = [aggregate("b", storage_zone="nfs-b"), aggregate("a", ha="true")]
    (step,) = tagging(found, "node1", STORAGE_ZONE, "nfs-a")
    assert (step.action, step.aggregate) == (Action.CREATE, "ha-zone-nfs-a")
    assert step.metadata == {STORAGE_ZONE: "nfs-a"}
    (step,) = tagging(found, "node1", STORAGE_ZONE, "nfs-b")
    assert (step.action, step.aggregate) == (Action.ADD, "b")


@pytest.mark.parametrize(
    ("found", "key", "value", "words"),
    [
        (
            [aggregate("a", "node1", storage_zone="nfs-a")],
            STORAGE_ZONE,
            "nfs-b",
            "node1 has storage_zone=nfs-a already, from aggregate a",
        ),
        (
            [aggregate("a", "node1", storage_zone="x,y")],
            STORAGE_ZONE,
            "x",
            "aggregate a, whose storage_zone='x,y' is not the name of one zone",
        ),
        (
            [aggregate("ha-maintenance", "node2")],
            MAINTENANCE,
            "true",
            "says nothing (its hosts: node2)",
        ),
        (
            [aggregate("ha-maintenance", **AZ)],
            MAINTENANCE,
            "true",
            "says availability_zone=az1 (its hosts: none)",
        ),
    ],
)
def test_a_person_has_to_solve_it(
    found: list[dict[str, Any]], key: str, value: str, words: str
) -> None:
    with pytest.raises(Refused) as refused:
        tagging(found, "node1", key, value)
    assert words in str(refused.value)


def test_untagged_from_every_aggregate() -> None:
    found = [
        aggregate("one", "node1", "node2", ha__maintenance="true"),
        aggregate("two", "node1", ha__maintenance="perhaps"),
        aggregate("other", "node2", ha__maintenance="true"),
        aggregate("az", "node1", **AZ),
    ]
    steps = untagging(found, "node1", MAINTENANCE)
    assert [(s.action, s.aggregate) for s in steps] == [
        (Action.REMOVE, "one"),
        (Action.REMOVE, "two"),
    ]
    assert [a["name"] for a in that_say(found, "node1", MAINTENANCE)] == ["one", "two"]


def test_an_aggregate_that_says_more_is_left_to_its_owner() -> None:
    found = [
        aggregate("plain", "node1", ha="true"),
        aggregate("my az", "node1", ha="true", **AZ),
    ]
    with pytest.raises(Refused) as refused:
        untagging(found, "node1", HA)
    said = str(refused.value)
    assert "from aggregate my az, which says availability_zone=az1, too" in said
    assert "openstack aggregate remove host 'my az' node1" in said
    assert "openstack aggregate unset --property ha 'my az'" in said


def test_a_tag_counts_in_whatever_spelling() -> None:
    spelt = {"HA ": "true"}
    found = [aggregate("odd", "node1", **spelt), aggregate("both", "node2", **spelt)]
    found[1]["metadata"]["ha"] = "yes"
    assert tagging(found, "node1", HA) == tagging(found, "node2", HA) == []
    for host, name in (("node1", "odd"), ("node2", "both")):
        (step,) = untagging(found, host, HA)
        assert (step.action, step.aggregate) == (Action.REMOVE, name)


def test_a_tag_that_contradicts_itself_is_for_a_person() -> None:
    found = [aggregate("odd", "node1", ha="true", HA="false", **AZ)]
    with pytest.raises(Refused, match="ha='true' and HA='false' contradict each other"):
        tagging(found, "node1", HA)
    with pytest.raises(Refused, match="--property ha --property HA odd"):
        untagging(found, "node1", HA)
