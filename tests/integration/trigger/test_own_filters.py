# SPDX-License-Identifier: Apache-2.0
"""A filter of Nova's that Placement does not know keeps hosts from a server."""

from tests.integration.trigger.conftest import HOSTS, boot_on  # isort: skip

from collections.abc import Iterator

import pytest

from tests.integration.trigger.conftest import MakeTrigger
from tests.lib.cloud import Cloud

OFF = ("--confirm-fenced", "--by", "Bob", "--reason", "I pulled the plug")
SOURCE, FREE = "node1", "node7"


@pytest.fixture
def theirs(cloud: Cloud) -> Iterator[None]:
    """All hosts but two are kept for another tenant."""
    filters = "ComputeFilter", "AggregateMultiTenancyIsolation"
    cloud.restart_scheduler({"filter_scheduler": {"enabled_filters": list(filters)}})
    kept = [host for host in HOSTS if host not in (SOURCE, FREE)]
    made = cloud.aggregate("theirs", {"filter_tenant_id": "0" * 32}, kept)
    yield
    compute = cloud.openstack().compute
    for host in kept:
        compute.remove_host_from_aggregate(made, host)
    compute.delete_aggregate(made)
    cloud.restart_scheduler()


def test_the_next_host_is_named_until_one_is_taken(
    cloud: Cloud, flavor: str, trigger: MakeTrigger, theirs: None
) -> None:
    """One attempt, however many hosts refuse; what was stopped is so afterwards."""
    runs, stopped = boot_on(cloud, SOURCE, flavor, "runs", "stopped")
    cloud.nova("POST", f"/servers/{stopped}/action", {"os-stop": None})
    cloud.wait_status(stopped, "SHUTOFF")
    cloud.crash(SOURCE)
    cloud.force_down(SOURCE)
    used = trigger(evacuation={"attempts": 1, "retry_interval": 1})
    done = used.json("evacuate", SOURCE, *OFF, "--wait")
    assert {row["outcome"] for row in done} == {"recovered"}
    assert cloud.wait_status(runs, "ACTIVE")["OS-EXT-SRV-ATTR:host"] == FREE
    assert cloud.wait_status(stopped, "SHUTOFF")["OS-EXT-SRV-ATTR:host"] == FREE
    told = used.json("history", "events", "--kind", "server.recovered")
    (how,) = (event["how"] for event in told if event["server_name"] == "stopped")
    assert "it stays stopped" in how
    waited = used.json("history", "events", "--kind", "server.waiting")
    assert any("for a reason of its own" in event["reason"] for event in waited)
    explained = used.both("explain", "runs", "-f", "json", code=0)[0]
    assert '"nova-scheduler"' in explained
    for server in (runs, stopped):
        cloud.delete(server)
