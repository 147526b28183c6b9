# SPDX-License-Identifier: Apache-2.0
"""Whole recoveries on a real Nova, by the service and by hand."""

from tests.integration.trigger.conftest import MakeTrigger, boot_on  # isort: skip

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.integration.trigger.running import active, recovered, running
from tests.lib.cloud import Cloud
from tests.lib.redfish import PASSWORD
from tests.lib.waiting import PATIENCE

BY = ("--by", "me", "--reason", "I pulled the plug")


def test_redfish_and_the_history(
    cloud: Cloud,
    flavor: str,
    trigger: MakeTrigger,
    bmc: dict[str, Any],
    tmp_path: Path,
) -> None:
    """A host falls silent; nobody is awake; its BMC is asked; the history tells."""
    ids = boot_on(cloud, "node1", flavor, "db", "web")
    cloud.openstack().compute.stop_server(ids[1])
    cloud.wait_status(ids[1], "SHUTOFF")
    left = boot_on(cloud, "node1", cloud.flavor("unprotected"), "scratch")
    log = tmp_path / "evacuator.log"
    configured = trigger({"node1": bmc})
    with running(configured, log):
        cloud.wait("the service", lambda: active(configured))
        checks = {r["check"]: r for r in configured.json("check", "--all")}
        assert checks["broken-device"]["severity"] == "ok", checks
        assert checks["journal"]["severity"] == "ok", checks
        cloud.crash("node1")
        cloud.force_down("node1")
        row = recovered(cloud, configured, "node1")
    assert "power-off observed by redfish" in row["proof"]
    assert (row["recovered"] >= 2, row["left"], row["failed"]) == (True, 1, 0)
    assert cloud.server(ids[0])["OS-EXT-STS:vm_state"] == "active"
    assert cloud.server(ids[1])["OS-EXT-STS:vm_state"] == "stopped"
    assert cloud.host(left[0]) == "node1"
    shown = configured.json("history", "show", "node1")
    assert [stage["state"] for stage in shown["stages"]][:3] == [
        "suspected",
        "confirmed",
        "fencing",
    ]
    servers = {server["name"]: server for server in shown["servers"]}
    db = servers["db"]
    assert (db["from"], db["to"]) == ("node1", cloud.host(ids[0]))
    again = configured.json("replay", "node1")
    decided = {(row["server"], row["decided"]): row for row in again}
    assert decided["db", "asked"]["to"] == db["to"]
    assert all(row["same"] for row in again)
    assert db["request_id"].startswith("req-")
    assert db["moved_s"] > 0
    assert servers["scratch"]["reason"] == "its flavor does not say ha=true"
    (fenced,) = [e for e in shown["events"] if e["kind"] == "host.fenced"]
    assert set(fenced["servers"]) >= {*ids, *left}
    listed = configured.json("history", "list", "--servers", "--outcome", "left")
    assert [server["name"] for server in listed] == ["scratch"]
    assert configured.json("history", "list", "--until", "1h") == []
    assert PASSWORD not in log.read_text() + str(shown)


def test_by_hand_without_a_service(
    cloud: Cloud, flavor: str, trigger: MakeTrigger
) -> None:
    """A dry run, then the same for real, done by the command itself."""
    ids = boot_on(cloud, "node2", flavor, "one", "two")
    configured = trigger()
    plan = configured.json("evacuate", "node2", "--dry-run")
    assert {"one", "two"} <= {server["name"] for server in plan}
    assert {server["outcome"] for server in plan} == {"asked"}
    assert all(s["to"] not in (None, "node2") for s in plan)
    assert not configured.journal.exists()
    configured.nova_ha("evacuate", "node2", "--wait", code=2)
    cloud.crash("node2")
    cloud.force_down("node2")
    order = ("evacuate", "--confirm-fenced", "--wait", *BY)
    done = configured.json(*order, "node2")
    assert {s["outcome"] for s in done} == {"recovered"}
    assert "node2" not in [cloud.host(server) for server in ids]
    refused = configured.nova_ha(*order, "node", code=4)
    assert "exactly this host name" in refused
    status = configured.json("status")
    (host,) = status["hosts"]
    assert (host["host"], host["state"]) == ("node2", "recovered")
    assert host["recovered"] == len(done)
    purged = configured.json("history", "purge", "--older-than", "1d")
    assert purged == {"recoveries_deleted": 0}
    assert "still count, by [guard] window" in configured.nova_ha(
        "history", "purge", "--older-than", "1s", code=1
    )


def test_killed_and_started_again(
    cloud: Cloud, flavor: str, trigger: MakeTrigger, tmp_path: Path
) -> None:
    """kill -9 while servers are on their way; the next trigger goes on. That others
    cannot be fenced is their trouble alone. The word that it is off is Pacemaker's."""
    names = [f"kept{n}" for n in range(4)]
    boot_on(cloud, "node3", flavor, *names)
    words = tmp_path / "words"
    words.mkdir(0o730)
    methods = {"node5": None, "node6": {"method": "redfsh"}}
    configured = trigger(methods, words={"directory": words})
    cloud.hardware.rebuild_seconds = 3
    older = _evacuations(cloud, "node3")
    process = configured.start(tmp_path / "first.log")
    try:
        cloud.wait("the service", lambda: active(configured))
        cloud.crash("node3")
        pacemaker_fences("node3", words)
        cloud.force_down("node3")
        cloud.wait("evacuations", lambda: _under_way(cloud, "node3"))
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    with running(configured, tmp_path / "second.log"):
        row = recovered(cloud, configured, "node3")
        health = json.loads(configured.nova_ha("health", "-f", "json", code=1))
    found = [(problem["kind"], problem["host"]) for problem in health["problems"]]
    assert found == [("no_method", "node5"), ("no_method", "node6")]
    said = (tmp_path / "second.log").read_text()
    path = tmp_path / "fencing.yaml"
    for host, words in (
        ("node5", f"{path} has no entry for it"),
        ("node6", f"{path}: host node6: method redfsh does not exist"),
    ):
        told = f"fencing_method.missing {host}: nothing can fence it: {words}"
        assert said.count(told) == 1
    cloud.hardware.rebuild_seconds = 0
    assert (row["recovered"] >= len(names), row["failed"]) == (True, 0)
    assert "word of Pacemaker (user " in row["proof"]
    asked = _evacuations(cloud, "node3") - older
    assert asked == row["recovered"], "none is asked for twice"


def _evacuations(cloud: Cloud, host: str) -> int:
    """How many Nova was ever asked for."""
    path = f"/os-migrations?source_compute={host}&migration_type=evacuation"
    return len(cloud.nova("GET", path).json()["migrations"])


def _under_way(cloud: Cloud, host: str) -> bool:
    path = f"/os-migrations?migration_type=evacuation&source_compute={host}"
    return bool(cloud.nova("GET", path).json()["migrations"])


def pacemaker_fences(host: str, words: Path) -> None:
    """Its alert agent gives the word, with an environment that was recorded."""
    alert = {
        "CRM_alert_kind": "fencing",
        "CRM_alert_node": host,
        "CRM_alert_task": "st_notify_fence",
        "CRM_alert_desc": f"Operation off of {host} by n1 for "
        "pacemaker-controld.43@n1: OK (ref=8b499717-931d-45b2-8845-8cd63027f2b4)",
        "CRM_alert_rc": "0",
        "CRM_alert_timestamp_epoch": str(int(time.time())),
        "words": str(words),
    }
    agent = Path(sys.executable).with_name("nova-ha-pacemaker-alert")
    subprocess.run([str(agent)], env=alert, check=True)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"witnesses": {"enabled": "pong"}}, "[witnesses] enabled: there is no"),
        ({"detection": {"poll_intervall": 5}}, "did you mean poll_interval?"),
        ({"guard": {"max_hosts": "many"}}, "max_hosts"),
        ({"cloud": {"auth_type": "passwort"}}, "passwort"),
        ({"fencing": {"config_file": "/nowhere"}}, "/nowhere: cannot be read"),
        ({"database": {"connection": "sqlite:////nowhere/j"}}, "database"),
    ],
)
def test_what_is_wrong_is_said_at_start_up(
    trigger: MakeTrigger, tmp_path: Path, change: dict[str, Any], words: str
) -> None:
    configured = trigger(**change)
    log = tmp_path / "log"
    assert configured.start(log).wait(PATIENCE) == 2
    text = log.read_text()
    assert words in text
    assert "Traceback" not in text, text


def test_check_says_it_too(trigger: MakeTrigger) -> None:
    configured = trigger({"node5": None})
    said = configured.nova_ha("check", "-f", "json", code=2)
    assert "no fencing method for protected host node5" in said


def test_the_credentials_file_is_nobody_elses(
    trigger: MakeTrigger, tmp_path: Path
) -> None:
    configured = trigger()
    (tmp_path / "fencing.yaml").chmod(0o640)
    assert configured.start(tmp_path / "log").wait(PATIENCE) == 2
    assert "its mode is 0640" in (tmp_path / "log").read_text()


def test_the_trigger_imports_no_nova() -> None:
    code = (
        "import sys, nova_ha_scheduler.service.main, nova_ha_scheduler.cli.until_done\n"
        "sys.exit('nova' in sys.modules)"
    )
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True)
