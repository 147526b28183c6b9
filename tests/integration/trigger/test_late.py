# SPDX-License-Identifier: Apache-2.0
"""A host that has lost its power, on a real Nova: its heartbeats and its BMC tell."""

from tests.integration.trigger.conftest import MakeTrigger, boot_on  # isort: skip

import time
from pathlib import Path

from tests.integration.trigger.running import active, recovered, running
from tests.lib.cloud import Cloud
from tests.lib.redfish import bmcs

HOST = "node5"
RHYTHM = 20
"""Seconds: report_interval in tests/lib/cloud/config.py."""


def test_it_is_recovered_long_before_down_time(
    cloud: Cloud, flavor: str, trigger: MakeTrigger, tmp_path: Path
) -> None:
    """Which is ten minutes here."""
    (id,) = boot_on(cloud, HOST, flavor, "soon")
    options = {"poll_interval": 2, "down_time": 600}
    with bmcs(tmp_path, [HOST]) as devices:
        configured = trigger({HOST: devices.method(HOST)}, detection=options)
        with running(configured, tmp_path / "evacuator.log"):
            cloud.wait("the service", lambda: active(configured))
            time.sleep(4.5 * RHYTHM)
            cloud.crash(HOST)
            devices.cut(HOST)
            row = recovered(cloud, configured, HOST)
    assert "power-off observed by redfish" in row["proof"]
    shown = configured.json("history", "show", HOST)
    stages = [stage["state"] for stage in shown["stages"]]
    assert stages[:4] == ["late", "confirmed", "fencing", "fenced"]
    (late,) = [e for e in shown["events"] if e["kind"] == "host.late"]
    assert "its fence device says off" in late["reason"]
    assert cloud.host(id) != HOST
