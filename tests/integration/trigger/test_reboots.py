# SPDX-License-Identifier: Apache-2.0
"""A host that reboots faster than anybody can take it for dead, in a real Nova."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from nova.compute import power_state
from nova.conf import CONF

from tests.integration.trigger.conftest import MakeTrigger, Trigger, boot_on
from tests.integration.trigger.running import active, running
from tests.lib.cloud import Cloud

HOST = "node2"


def _events(configured: Trigger, kind: str) -> list[dict[str, Any]]:
    return [e for e in configured.json("history", "events") if e["kind"] == kind]


@pytest.fixture
def no_resume() -> Iterator[None]:
    """As by Nova's default: its hosts start nothing by themselves."""
    CONF.set_override("resume_guests_state_on_host_boot", False)
    yield
    CONF.clear_override("resume_guests_state_on_host_boot")


@pytest.mark.usefixtures("no_resume")
def test_its_servers_are_named_and_started(
    cloud: Cloud, flavor: str, trigger: MakeTrigger, tmp_path: Path
) -> None:
    """Nova shows the others as running, and never looks: its sync_power_states is off
    here. What the owner has stopped stays stopped."""
    path = f"/servers/detail?all_tenants=1&host={HOST}"
    for server in cloud.nova("GET", path).json()["servers"]:  # of other tests
        cloud.delete(server["id"])
    ids = boot_on(cloud, HOST, flavor, "quick1", "quick2", "halted1")
    cloud.openstack().compute.stop_server(ids[2])
    cloud.wait_status(ids[2], "SHUTOFF")
    options = {"return": {"restart": True}, "detection": {"reboot_looks": 1}}
    configured = trigger(**options)
    with running(configured, tmp_path / "evacuator.log"):
        cloud.wait("the service", lambda: active(configured))
        cloud.crash(HOST)
        cloud.revive(HOST)
        assert cloud.server(ids[0])["status"] == "ACTIVE"
        cloud.wait(
            "restarts",
            lambda: len(_events(configured, "server.restarted")) == 2,
            120,
        )
    (told,) = _events(configured, "host.rebooted")
    assert told["host"] == HOST
    assert "quick1, quick2" in told["reason"]
    assert "halted1" not in told["reason"]
    guests = cloud.hardware.guests(HOST)
    states = [guests[server].state for server in ids]
    running_, off = power_state.RUNNING, power_state.SHUTDOWN
    assert states == [running_, running_, off]
    assert cloud.server(ids[2])["status"] == "SHUTOFF"
