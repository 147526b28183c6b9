# SPDX-License-Identifier: Apache-2.0
"""What no sum of free amounts tells, on a real Nova: devices below the compute node,
max_unit, a bounded answer of Placement.
"""

from tests.lib.cloud import Cloud, CloudError, Size  # isort: skip  (prepares the process for Nova)

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nova_ha_scheduler.clock import SystemClock
from nova_ha_scheduler.cluster import snapshot
from nova_ha_scheduler.cluster.openstack import whole
from nova_ha_scheduler.cluster.openstack.api import Api
from tests.lib import rig
from tests.lib.cloud.config import Conf
from tests.lib.cloud.hardware import node_uuid

OTHERS = [f"a{number}" for number in range(1, 7)]
"""In another zone, and the first that Placement comes to know."""
HOSTS = ["n1", "n2", "n3", "n4"]
GPU = "CUSTOM_GPU"
WITH_GPU = ("n1", "n4")
"""These are the least empty ones."""
MOST = len(HOSTS)
"""Candidates in one answer of Placement."""

CONF: Conf = {
    "detection": {"poll_interval": 2},
    "evacuation": {"follow_interval": 1, "retry_interval": 2, "check_time": 40},
    "guard": {"max_hosts": 9, "max_zone_percent": 100, "max_cloud_percent": 100},
    "journal": {"lease_timeout": 3},
}
WIDE = ("--max-width", "400")


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """8 cores with a ratio of 4 on all but n1: 32 are free, and 8 for one server."""
    sizes = {
        host: Size(vcpus=8, memory_mb=8192 - 512 * number)
        for number, host in enumerate(HOSTS)
    }
    sizes["n1"] = Size(vcpus=16)
    zones = dict.fromkeys(HOSTS, "nfs-a") | dict.fromkeys(OTHERS, "nfs-b")
    bounded = {"placement": {"max_allocation_candidates": MOST}}
    state = tmp_path_factory.mktemp("cloud")
    hosts = {"cell1": [*OTHERS, *HOSTS]}
    with Cloud(state, hosts, zones, sizes=sizes, placement=bounded) as cloud:
        protected = {"ha": "true", "storage_zone": "nfs-a"}
        cloud.aggregate("nfs-a", protected, HOSTS)
        cloud.aggregate("nfs-b", {**protected, "storage_zone": "nfs-b"}, OTHERS)
        cloud.placement("PUT", f"/resource_classes/{GPU}")
        for host in WITH_GPU:
            _below(cloud, host, GPU)
        yield cloud


def _below(cloud: Cloud, host: str, what: str) -> None:
    """A device of its own, as an agent or nova-compute makes its provider."""
    body = {"name": f"{host}-gpu", "parent_provider_uuid": node_uuid(host)}
    made = cloud.placement("POST", "/resource_providers", body).json()
    path = f"/resource_providers/{made['uuid']}/inventories"
    inventories = {what: {"total": 1, "max_unit": 1}}
    body = {"resource_provider_generation": made["generation"]}
    assert cloud.placement("PUT", path, {**body, "inventories": inventories}).ok


@pytest.fixture
def trigger(cloud: Cloud, tmp_path: Path) -> rig.Trigger:
    found = rig.Trigger(tmp_path, cloud.clouds_yaml, CONF)
    found.fencing_file.touch(0o600)
    manual = ", ".join(f"{host}: {{method: manual}}" for host in [*HOSTS, *OTHERS])
    found.fencing_file.write_text(f"hosts: {{{manual}}}\n")
    return found


@pytest.fixture(autouse=True)
def n1_returns(cloud: Cloud) -> Iterator[None]:
    """And no server is left."""
    yield
    for server in cloud.nova("GET", "/servers?all_tenants=1").json()["servers"]:
        cloud.delete(server["id"])
    if cloud.is_running("n1"):
        return
    cloud.revive("n1")
    cloud.wait("clean-up", lambda: _lifted(cloud))
    # Of one that is down, Nova does not tell Placement that it is enabled.
    cloud.wait("a heartbeat", lambda: _service(cloud)["state"] == "up")
    path, enabled = f"/os-services/{_service(cloud)['id']}", {"status": "enabled"}
    assert cloud.nova("PUT", path, enabled).ok


def _lifted(cloud: Cloud) -> bool:
    try:
        cloud.force_down("n1", False)
    except CloudError:
        return False
    return True


def _service(cloud: Cloud) -> dict[str, Any]:
    path = "/os-services?binary=nova-compute&host=n1"
    (found,) = cloud.nova("GET", path).json()["services"]
    return dict(found)


def _json(trigger: rig.Trigger, *arguments: str) -> Any:
    import json

    return json.loads(trigger.ask(*arguments, "-f", "json").stdout)


def _recover(cloud: Cloud, trigger: rig.Trigger) -> str:
    """Let n1 die, and a person say so; what the command says."""
    cloud.crash("n1")
    cloud.force_down("n1")
    word = ("--confirm-fenced", "--by", "J. Doe", "--reason", "pulled both cords")
    done = trigger.ask("evacuate", "n1", *word, "--wait", "--timeout", "30s")
    return done.stdout + done.stderr


def test_a_device_below_the_compute_node(cloud: Cloud, trigger: rig.Trigger) -> None:
    """Two hosts without it are emptier."""
    flavor = cloud.flavor("gpu", {"ha": "true", f"resources:{GPU}": "1"})
    uuid = cloud.boot("gpu1", flavor, host="n1")["id"]
    (zone,) = _json(trigger, "capacity", "--zone", "nfs-a")
    assert (zone["survivable"], zone["how"]) == (1, "exact")
    (row,) = _json(trigger, "plan", "n1")
    assert (row["to"], row["candidate_hosts"]) == ("n4", ["n4"])
    shown = {row["host"]: row for row in _json(trigger, "explain", "gpu1")}
    assert (shown["n2"]["check"], shown["n4"]["verdict"]) == (GPU, "yes")
    said = _recover(cloud, trigger)
    assert (cloud.host(uuid), cloud.server(uuid)["status"]) == ("n4", "ACTIVE"), said


def test_a_device_that_only_its_allocation_shows(
    cloud: Cloud, trigger: rig.Trigger
) -> None:
    """As PCI devices are: what an alias means stands in nova.conf."""
    flavor = cloud.flavor("alias", {"ha": "true"})
    uuid = cloud.boot("pci1", flavor, host="n1")["id"]
    path = f"/allocations/{uuid}"
    found = cloud.placement("GET", path).json()
    (device,) = (
        one["uuid"]
        for one in cloud.placement("GET", "/resource_providers").json()[
            "resource_providers"
        ]
        if one["name"] == "n1-gpu"
    )
    given = {u: {"resources": a["resources"]} for u, a in found["allocations"].items()}
    body = {k: found[k] for k in ("project_id", "user_id", "consumer_generation")}
    body["consumer_type"] = "INSTANCE"
    body["allocations"] = {**given, device: {"resources": {GPU: 1}}}
    answer = cloud.placement("PUT", path, body)
    assert answer.ok, answer.text
    (row,) = _json(trigger, "plan", "n1")
    assert (row["to"], row["candidate_hosts"]) == ("n4", ["n4"])


def test_more_than_one_server_may_have(cloud: Cloud, trigger: rig.Trigger) -> None:
    """32 VCPU are free on each host, of which no server gets more than 8."""
    flavor = cloud.flavor("wide", {"ha": "true"}, vcpus=10)
    uuid = cloud.boot("wide1", flavor, host="n1")["id"]
    (zone,) = _json(trigger, "capacity", "--zone", "nfs-a")
    assert zone["survivable"] == 0
    (row,) = _json(trigger, "plan", "n1")
    assert (row["to"], row["candidates"]) == (None, 0)
    assert (
        "Placement has no place for it, though the sums are enough" in row["reason"][0]
    )
    said = _recover(cloud, trigger)
    server = cloud.server(uuid)
    assert (server["status"], cloud.host(uuid)) == ("ACTIVE", "n1"), said
    assert server["OS-EXT-STS:task_state"] is None


def test_a_bounded_answer_of_placement(cloud: Cloud, trigger: rig.Trigger) -> None:
    """There are more hosts than it names at once."""
    flavor = cloud.flavor("plain", {"ha": "true"})
    cloud.boot("plain1", flavor, host="n1")
    for host in ("n2", "n3"):
        cloud.boot(f"more-{host}", flavor, host=host)
    asked = cloud.placement("GET", "/allocation_candidates?resources=VCPU:1").json()
    assert len(asked["allocation_requests"]) == MOST
    (row,) = _json(trigger, "plan", "n1")
    assert row["candidate_hosts"] == ["n2", "n3", "n4"]
    shown = _json(trigger, "explain", "plain1", "--operation", "boot")
    yes = {row["host"] for row in shown if row["verdict"] == "yes"}
    # Any zone will do; Placement names so many, whichever come first to it.
    assert len(yes) == MOST
    assert yes <= {row["host"] for row in shown} >= set(OTHERS)


def test_a_snapshot_says_the_same(cloud: Cloud, trigger: rig.Trigger) -> None:
    """Of all servers above, and with what Placement has of every provider."""
    flavors = {
        "gpu1": cloud.flavor("gpu2", {"ha": "true", f"resources1:{GPU}": "1"}),
        "wide1": cloud.flavor("wide2", {"ha": "true"}, vcpus=10),
        "plain1": cloud.flavor("plain2", {"ha": "true"}),
    }
    for name, flavor in flavors.items():
        cloud.boot(name, flavor, host="n1")
    live = {row["name"]: row for row in _json(trigger, "plan", "n1")}
    assert {name: row["to"] for name, row in live.items()}["gpu1"] == "n4"
    file = trigger.conf_file.with_name("cloud.json")
    trigger.nova_ha("snapshot", str(file))
    kept = _json(trigger, "plan", "n1", "--from-file", str(file))
    same = ("to", "candidate_hosts")
    assert {row["name"]: [row[key] for key in same] for row in kept} == {
        name: [row[key] for key in same] for name, row in live.items()
    }
    (wide,) = (row for row in kept if row["name"] == "wide1")
    assert "that give no server so many VCPU" in wide["reason"][0]
    picture = snapshot.load(file.read_text())
    root, device = picture.hosts["n4"].providers
    vcpu = root.inventories["VCPU"]
    assert (vcpu.capacity, vcpu.max_unit, vcpu.step_size) == (32, 8, 1)
    assert device.inventories[GPU].free == 1
    api = Api(cloud.openstack())
    whole.take(api, SystemClock(), whole.Closeness.KINDS)
    asked = api.sent
    whole.take(api, SystemClock(), whole.Closeness.PROVIDERS)
    assert api.sent - asked > 3 * len([*HOSTS, *OTHERS])
