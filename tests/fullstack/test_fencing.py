# SPDX-License-Identifier: Apache-2.0
"""Other ways to be sure: a ClusterLabs agent, Pacemaker's word, and a witness."""

import os
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from nova_ha_scheduler.journal.history import HistoryQuery
from tests.fullstack.conftest import check, recovered
from tests.lib.stack import servers, truth
from tests.lib.stack.evacuator import Trigger
from tests.lib.stack.site import script
from tests.lib.stack.stack import Stack
from tests.lib.waiting import PATIENCE

SERVERS = 4
NODE, HOST = "rack7-node2", "b2"  # one machine, as the cluster and as Nova call it
DEVICES = pytest.mark.stand_ins("Devices and clusters are the same beside both.")
REFS = [f"8b499717-931d-45b2-8845-8cd63027f2b{n}" for n in range(3)]


def test_hung_hosts(stack: Stack, trigger: Callable[..., Trigger]) -> None:
    """They are silent, but their servers could go on any moment: power-off, of one by
    fence_ipmilan and of the other by Redfish, really ends that."""
    ours = trigger(
        conf={"guard": {"max_cloud_percent": 50}},
        fencing={"a2": stack.ipmi("a2").method()},
    )
    ours.service().start()
    devices = {"a2": "ipmi", "b1": "redfish"}
    ids = {host: servers.boot(stack, host, SERVERS) for host in devices}
    for host in devices:
        stack.machines[host].freeze()
    found = {host: recovered(stack, ours, host) for host in devices}
    for host, device in devices.items():
        (cut,) = [
            s for s in stack.switched() if (s["host"], s["event"]) == (host, "off")
        ]
        assert cut["by"] == device, "the process is gone, and the fence did it"
        assert not stack.machines[host].alive
    check(stack, [*found.values()], set().union(*ids.values()))


def description(ref: str, action: str = "off") -> str:
    """What Pacemaker says of a fence that succeeded."""
    return (
        f"Operation {action} of {NODE} by rack7-node1 for "
        f"pacemaker-controld.46@rack7-node1: OK (ref={ref})"
    )


def alert(
    trigger: Trigger, ref: str = REFS[0], **details: str
) -> subprocess.CompletedProcess[str]:
    """Call the alert agent with an environment as a real Pacemaker's, which the tests
    in tests/integration/pacemaker hold it against."""
    environment = {
        "PATH": os.environ["PATH"],
        "CRM_alert_kind": "fencing",
        "CRM_alert_version": "2.1.5",
        "CRM_alert_node": NODE,
        "CRM_alert_nodeid": "2",
        "CRM_alert_task": "st_notify_fence",
        "CRM_alert_rc": "0",
        "CRM_alert_timestamp_epoch": str(int(time.time())),
        "CRM_alert_desc": description(ref),
        "words": str(trigger.words),
        "node_map": f"rack7-node1=b1 {NODE}={HOST}",
        **details,
    }
    return subprocess.run(
        [script("nova-ha-pacemaker-alert")],
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )


@DEVICES
def test_pacemaker(stack: Stack, trigger: Callable[..., Trigger]) -> None:
    """Its alert agent gives its word for a power-off that succeeded, and no other."""
    ours = trigger(fencing={HOST: {"method": "manual"}})
    ours.service().start()
    ids = servers.boot(stack, HOST, SERVERS)
    stack.machines[HOST].freeze()
    history = ours.history()
    held = HistoryQuery(host=HOST, outcome="host.held")
    stack.wait("the host waits for a word", lambda: history.events(held))

    refused = [
        ("fencing failed (1)", 0, {"CRM_alert_rc": "1"}),
        ("fencing failed (no code)", 0, {"CRM_alert_rc": ""}),
        (
            "reboot is no power-off",
            0,
            {"CRM_alert_desc": description(REFS[0], "reboot")},
        ),
        ("on is no power-off", 0, {"CRM_alert_desc": description(REFS[0], "on")}),
        ("is not understood", 1, {"CRM_alert_task": "off"}),
        ("", 0, {"CRM_alert_kind": "node", "CRM_alert_desc": "lost"}),
        ("is told", 0, {"node_map": f"{NODE}=b", "ref": REFS[1]}),
        ("is told", 0, {"node_map": "", "ref": REFS[2]}),
        ("No such file", 1, {"words": "/nowhere"}),
        ("no node is named", 1, {"CRM_alert_node": ""}),
    ]
    with ThreadPoolExecutor(2) as pool:
        found = pool.map(lambda each: alert(ours, **each[2]), refused)
    for (said, code, _), done in zip(refused, found, strict=True):
        assert (done.returncode, said in done.stderr) == (code, True), done
    unknown = HistoryQuery(outcome="command.refused")
    stack.wait("two names are refused", lambda: len(history.events(unknown)) == 2)
    (before,) = history.recoveries(HistoryQuery(host=HOST))
    assert before.evidence is None
    assert not history.servers(HistoryQuery(host=HOST))
    assert stack.machines[HOST].alive

    stack.machines[HOST].kill("pacemaker")
    done = alert(ours)
    assert done.returncode == 0, done
    shown = recovered(stack, ours, HOST)
    assert "Pacemaker" in shown["proof"]
    assert f"powered off node {NODE}" in shown["proof"]
    check(stack, [shown], ids)


def lying(stack: Stack, ours: Trigger, host: str) -> set[str]:
    """Two servers on a host that hangs, and whose fence device says Off."""
    ours.service().start()
    ids = servers.boot(stack, host, 2)
    stack.machines[host].lie("Off")
    stack.machines[host].freeze()
    return ids


@DEVICES
def test_a_device_that_lies(stack: Stack, trigger: Callable[..., Trigger]) -> None:
    """It says Off, and the host hangs with its power on: no trigger can know better, so
    its servers run twice, and the checker of these tests sees that."""
    ours = trigger()
    ids = lying(stack, ours, "a1")
    history = ours.history()
    query = HistoryQuery(host="a1", outcome="recovered")
    stack.wait("its recovery", lambda: history.recoveries(query))
    found = truth.facts(stack.records(), stack.switched())
    broken = truth.breaches(found, ours.shown("a1"), ids)
    for each in ids:
        assert any(f"{each} ran on a1 and" in breach for breach in broken), broken
    stack.machines["a1"].lie(None)
    stack.machines["a1"].kill()


@DEVICES
def test_a_witness_against_a_device_that_lies(
    stack: Stack, trigger: Callable[..., Trigger]
) -> None:
    """A witness who sees what the device denies: here, that the servers run."""
    ours = trigger(conf={"witnesses": stack.witness()})
    ids = lying(stack, ours, "b1")
    history = ours.history()
    held = HistoryQuery(host="b1", outcome="host.held")
    stack.wait("the witness's word", lambda: history.events(held))
    assert "not every witness agrees" in history.events(held)[0][1].reason
    assert not history.servers(HistoryQuery(host="b1"))
    assert truth.breaches(truth.facts(stack.records(), stack.switched()), [], ids) == []
