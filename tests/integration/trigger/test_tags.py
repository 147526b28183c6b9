# SPDX-License-Identifier: Apache-2.0
"""Tags are set and removed on a real Nova, by one, by many, and not at all."""

from tests.integration.trigger.conftest import HOSTS, OUTSIDE, PROTECTED, MakeTrigger  # isort: skip

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from nova.conf import CONF

from nova_ha_scheduler.cluster.errors import Refused
from nova_ha_scheduler.cluster.openstack.aggregates import Action, Aggregates
from nova_ha_scheduler.cluster.openstack.api import Api
from nova_ha_scheduler.rules.vocabulary import HA, MAINTENANCE, RESERVED, STORAGE_ZONE
from tests.lib.cloud import Cloud

pytestmark = pytest.mark.usefixtures("tidy")

ALL = {
    "ha-zone-nfs-b": {"storage_zone": "nfs-b"},
    "ha-protected": {"ha": "true"},
    "ha-reserved": {"ha:reserved": "true"},
}


@pytest.fixture
def aggregates(cloud: Cloud) -> Aggregates:
    return Aggregates(Api(cloud.openstack()))


def tags(cloud: Cloud, host: str = OUTSIDE) -> dict[str, Any]:
    """The metadata of the aggregates that a host is in, by name."""
    found = cloud.nova("GET", "/os-aggregates").json()["aggregates"]
    return {a["name"]: a["metadata"] for a in found if host in a["hosts"]}


def names(cloud: Cloud) -> set[str]:
    found = cloud.nova("GET", "/os-aggregates").json()["aggregates"]
    return {aggregate["name"] for aggregate in found}


def test_one_command_there_and_back(cloud: Cloud, trigger: MakeTrigger) -> None:
    configured = trigger()
    order = ("tag", OUTSIDE, "--zone", "nfs-b", "--ha", "--reserved")
    planned = configured.json(*order, "--dry-run")
    assert names(cloud) == {PROTECTED}
    done = configured.json(*order)
    assert done == planned
    assert tags(cloud) == ALL
    assert {row["aggregate"]: row["metadata"] for row in done} == ALL
    # Closed before it offers anything.
    assert [row["tag"] for row in done] == ["ha:reserved", "storage_zone", "ha"]
    assert {(row["change"], row["created"]) for row in done} == {("added", True)}
    again = configured.json(*order)
    assert {(row["change"], row["created"]) for row in again} == {("none", False)}
    assert {row["aggregate"] for row in again} == set(ALL)
    assert "storage_zone=nfs-b" in configured.nova_ha(*order), "for people"

    order = ("untag", OUTSIDE, "--ha", "--reserved")
    assert configured.json(*order, "--dry-run") == configured.json(*order)
    assert tags(cloud) == {"ha-zone-nfs-b": {"storage_zone": "nfs-b"}}
    done = configured.json("untag", OUTSIDE, "--zone", "--ha")
    assert [(row["tag"], row["change"]) for row in done] == [
        ("ha", "none"),
        ("storage_zone", "removed"),
    ]
    assert tags(cloud) == {}
    (row,) = configured.json("tag", OUTSIDE, "--ha")
    assert (row["aggregate"], row["created"]) == ("ha-protected", False)


def test_a_key_in_another_spelling_is_the_tag(
    cloud: Cloud, aggregates: Aggregates
) -> None:
    """It is found, kept, and taken away; a new aggregate spells it right."""
    cloud.aggregate("odd", {"HA:Reserved ": "true"}, [OUTSIDE])
    assert aggregates.tag(OUTSIDE, RESERVED) == []
    (step,) = aggregates.untag(OUTSIDE, RESERVED)
    assert (step.action, step.aggregate) == (Action.REMOVE, "odd")
    cloud.aggregate("flagged", {"HA:maintenance": "true"}, [])
    cloud.aggregate("ha-maintenance", {"ha:maintenance": "true"}, [])
    aggregates.tag(OUTSIDE, MAINTENANCE)
    aggregates.tag(OUTSIDE, HA)
    assert tags(cloud) == {
        "ha-maintenance": {"ha:maintenance": "true"},
        "ha-protected": {"ha": "true"},
    }


def test_a_host_that_nothing_can_fence(cloud: Cloud, trigger: MakeTrigger) -> None:
    """Whoever protects it is told at once, before and when it is done."""
    configured = trigger({HOSTS[0]: {"method": "manual"}})
    for more in (("--dry-run",), ()):
        _, said = configured.both("tag", OUTSIDE, "--zone", "nfs-b", "--ha", *more)
        assert f"warning: {OUTSIDE}: it is protected, but nothing can fence it" in said
        assert "fencing.yaml has no entry for it" in said
        assert "nova-ha confirm-fenced" in said
    assert configured.both("tag", OUTSIDE, "--zone", "nfs-b")[1] == ""
    configured.conf.with_name("fencing.yaml").chmod(0o644)
    _, said = configured.both("tag", OUTSIDE, "--ha")
    assert "whether it can be fenced cannot be told" in said
    _, said = configured.both("untag", OUTSIDE, "--ha", "--zone")
    assert "fence" not in said


@pytest.mark.parametrize(
    ("order", "code", "words"),
    [
        ("tag nod --ha", 4, "exactly this host name (perhaps node1 or node2 or node3"),
        ("tag ALONE --ha", 4, "ALONE: no nova-compute service has exactly"),
        ("untag alone.example --ha", 4, "(perhaps alone?)"),
        ("tag alone", 2, "one or more of --zone, --ha and --reserved are needed"),
        ("untag alone", 2, "one or more of --zone, --ha and --reserved are needed"),
        ("tag alone --zone a,b", 2, "storage_zone='a,b' is not the name of one zone"),
        ("tag alone --zone=", 2, "storage_zone='' is not the name of one zone"),
        (
            f"tag {HOSTS[0]} --zone nfs-b --ha",
            4,
            "has storage_zone=nfs-a already, from aggregate protected",
        ),
        (
            f"untag {HOSTS[0]} --ha",
            4,
            "from aggregate protected, which says storage_zone=nfs-a, too",
        ),
    ],
)
def test_refused(
    cloud: Cloud, trigger: MakeTrigger, order: str, code: int, words: str
) -> None:
    said = trigger().nova_ha(*order.split(" "), code=code)
    assert words in " ".join(said.split())
    assert "Traceback" not in said
    assert names(cloud) == {PROTECTED}


def test_a_host_with_servers_stays_in_its_zone(
    cloud: Cloud, flavor: str, trigger: MakeTrigger
) -> None:
    """Their disks do, also those of servers that can still be restored."""
    configured = trigger()
    configured.nova_ha("tag", OUTSIDE, "--zone", "nfs-b")
    server = cloud.boot("heavy", flavor, host=OUTSIDE)["id"]
    said = configured.nova_ha("untag", OUTSIDE, "--zone", "--ha", code=4)
    words = f"Servers on {OUTSIDE} have their disks in its zone: 1. Move or delete"
    assert words in said
    said = configured.nova_ha("tag", OUTSIDE, "--zone", "nfs-c", code=4)
    assert "has storage_zone=nfs-b already, from aggregate ha-zone-nfs-b" in said
    assert words in said
    assert configured.json("tag", OUTSIDE, "--zone", "nfs-b")[0]["change"] == "none"
    configured.nova_ha("tag", OUTSIDE, "--ha")
    assert set(tags(cloud)) == {"ha-zone-nfs-b", "ha-protected"}
    CONF.set_override("reclaim_instance_interval", 3600)
    cloud.nova("DELETE", f"/servers/{server}")
    cloud.wait_status(server, "SOFT_DELETED")
    CONF.clear_override("reclaim_instance_interval")
    assert words in configured.nova_ha("untag", OUTSIDE, "--zone", code=4)
    cloud.nova("POST", f"/servers/{server}/action", {"forceDelete": None})
    cloud.wait("deletion", lambda: not cloud.nova("GET", f"/servers/{server}").ok)
    configured.nova_ha("untag", OUTSIDE, "--zone")
    configured.nova_ha("tag", OUTSIDE, "--zone", "nfs-c")
    assert set(tags(cloud)) == {"ha-zone-nfs-c", "ha-protected"}


def test_all_or_nothing(cloud: Cloud, trigger: MakeTrigger) -> None:
    """A name that is taken, and a value that cannot be read, are both told."""
    cloud.aggregate("ha-reserved", {"rack": "7"}, [])
    cloud.aggregate("odd", {"ha": "perhaps"}, [OUTSIDE])
    order = ("tag", OUTSIDE, "--zone", "nfs-b", "--ha", "--reserved")
    said = trigger().nova_ha(*order, code=4)
    assert "but one of that name says rack=7 (its hosts: none)" in said
    assert "in aggregate odd, whose ha='perhaps' is not a boolean" in said
    assert names(cloud) == {PROTECTED, "ha-reserved", "odd"}


def test_no_availability_zone_comes_with_a_tag(
    cloud: Cloud, aggregates: Aggregates
) -> None:
    compute = cloud.openstack().compute
    zone = compute.create_aggregate(name="az", availability_zone="az1")
    compute.set_aggregate_metadata(zone, {"ha": "true"})
    done = aggregates.tag(OUTSIDE, HA)
    assert [s.action for s in done] == [Action.CREATE, Action.DESCRIBE, Action.ADD]
    (service,) = compute.services(binary="nova-compute", host=OUTSIDE)
    assert service.availability_zone == "nova"
    cloud.aggregate("operators", {"ha:reserved": "yes"}, [])
    (step,) = aggregates.tag(OUTSIDE, RESERVED)
    assert (step.action, step.aggregate) == (Action.ADD, "operators")


def test_what_was_begun_is_ended(cloud: Cloud, aggregates: Aggregates) -> None:
    """Somebody was killed after the aggregate was made, before it said anything."""
    cloud.openstack().compute.create_aggregate(name="ha-maintenance")
    done = aggregates.tag(OUTSIDE, MAINTENANCE)
    assert [step.action for step in done] == [Action.DESCRIBE, Action.ADD]
    assert tags(cloud) == {"ha-maintenance": {"ha:maintenance": "true"}}
    assert aggregates.tag(OUTSIDE, MAINTENANCE) == []
    cloud.aggregate("another", {"ha:maintenance": "1"}, [OUTSIDE])
    assert len(aggregates.untag(OUTSIDE, MAINTENANCE)) == 2
    assert aggregates.untag(OUTSIDE, MAINTENANCE) == []
    assert tags(cloud) == {}


def test_novas_no(cloud: Cloud, aggregates: Aggregates) -> None:
    with pytest.raises(Refused, match="nowhere"):
        aggregates.tag("nowhere", HA)
    assert tags(cloud, "nowhere") == {}


def test_many_at_once(cloud: Cloud, aggregates: Aggregates) -> None:
    """Each host ends with its tag, in one aggregate, whoever was quicker."""
    hosts = [*HOSTS[:3], OUTSIDE] * 2
    with ThreadPoolExecutor(len(hosts)) as pool:
        list(pool.map(lambda host: aggregates.tag(host, RESERVED), hosts))
        for host in hosts:
            assert tags(cloud, host)["ha-reserved"] == {"ha:reserved": "true"}
        list(pool.map(lambda host: aggregates.untag(host, RESERVED), hosts))
        assert "ha-reserved" not in tags(cloud, OUTSIDE)
        zones = ["nfs-0"] * 4
        list(pool.map(lambda z: aggregates.tag(OUTSIDE, STORAGE_ZONE, z), zones))
    assert tags(cloud) == {"ha-zone-nfs-0": {"storage_zone": "nfs-0"}}
    assert names(cloud) == {PROTECTED, "ha-reserved", "ha-zone-nfs-0"}
