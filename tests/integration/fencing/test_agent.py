# SPDX-License-Identifier: Apache-2.0
"""The agent method against Debian's fence agents; for IPMI, a simulated BMC."""

import os
import sys
import time
from pathlib import Path

import pytest

from nova_ha_scheduler.evacuation.interfaces import Power
from nova_ha_scheduler.fencing import Deadlines
from tests.integration.fencing.conftest import device_of
from tests.lib import peers


@pytest.fixture
def dummy(tmp_path: Path):
    """fence_dummy's state file; the settings of a host on it."""
    peers.program("fence_dummy", "fence-agents")
    status = tmp_path / "status"
    status.write_text("on")

    def host(**options):
        options = {"status_file": str(status), "power_timeout": "1", **options}
        return {"method": "agent", "agent": "fence_dummy", "options": options}

    return status, host


@pytest.fixture
def script(tmp_path: Path):
    """An agent of our own: what real ones do on bad nights, on demand."""

    def make(body: str) -> dict[str, object]:
        path = tmp_path / "fence_script"
        path.write_text(
            f"#!{sys.executable}\nimport sys, os, time\n"
            "given = dict(line.strip().split('=', 1) for line in sys.stdin)\n"
            "action = given['action']\n"
            "if action == 'metadata':\n"
            "    print('<?xml version=\"1.0\" ?><resource-agent><parameters>'\n"
            "    '<parameter name=\"password\"/></parameters><actions>'\n"
            '    \'<action name="off"/><action name="status"/>\'\n'
            "    '<action name=\"reboot\"/></actions></resource-agent>')\n"
            f"    sys.exit()\nfolder = {str(tmp_path)!r}\n{body}\n"
        )
        path.chmod(0o700)
        options = {"password": "s3cret=#1"}
        return {"method": "agent", "agent": str(path), "options": options}

    return make


def test_power_off(dummy, fencing):
    status, host = dummy
    fences = fencing({"c1": host()})
    assert fences.power("c1").power is Power.ON
    report = fences.power_off("c1")
    assert (report.power, report.by) == (Power.OFF, "agent"), report
    assert status.read_text() == "off"


def test_already_off_is_success(dummy, fencing):
    status, host = dummy
    status.write_text("off")
    report = fencing({"c1": host()}).power_off("c1")
    assert (report.power, report.detail) == (Power.OFF, "was off already")


def test_an_agent_that_fails(dummy, fencing):
    _, host = dummy
    fences = fencing({"c1": host(type="fail")}, Deadlines(1, 3))
    report = fences.power_off("c1")
    assert report.power is Power.UNKNOWN
    assert "fence_dummy" in report.detail


def test_ipmi(bmc, fencing):
    peers.program("fence_ipmilan", "fence-agents")
    settings = {"method": "agent", "agent": "fence_ipmilan", "options": bmc.options}
    fences = fencing({"c1": settings}, Deadlines(15, 5))
    assert fences.power("c1").power is Power.ON
    assert fences.power_off("c1").power is Power.OFF
    assert bmc.power.read_text().strip() == "0"


def test_ipmi_unreachable(fencing, caplog):
    peers.program("fence_ipmilan", "fence-agents")
    options = {"ip": "127.0.0.1", "ipport": "9", "username": "u", "password": "hunter2"}
    settings = {"method": "agent", "agent": "fence_ipmilan", "options": options}
    fences = fencing({"c1": settings}, Deadlines(1, 1))
    started = time.monotonic()
    report = fences.power_off("c1")
    assert time.monotonic() - started < 4
    assert report.power is Power.UNKNOWN
    assert "hunter2" not in report.detail + caplog.text


def test_success_without_seeing_it_off_is_no_proof(script, fencing):
    settings = script("sys.exit(0)")  # off: success. status: on.
    report = fencing({"c1": settings}, Deadlines(1.5, 3)).power_off("c1")
    assert report.power is Power.ON
    assert "asked to power off, but not seen off" in report.detail


def test_seen_off_although_the_agent_failed(script, fencing):
    """Some agents call "already off" an error; the state is what counts."""
    settings = script(
        "marker = os.path.join(folder, 'asked')\n"
        "if action == 'off':\n    open(marker, 'w').close()\n    sys.exit(1)\n"
        "print('Status: OFF')\n"
        "sys.exit(2 if os.path.exists(marker) else 0)"
    )
    assert fencing({"c1": settings}).power_off("c1").power is Power.OFF


@pytest.mark.parametrize("code", [1, 3, 5, 77])
def test_no_other_exit_code_means_off(script, fencing, code):
    settings = script(f"sys.exit({code} if action == 'status' else 0)")
    report = fencing({"c1": settings}, Deadlines(0.1, 3)).power_off("c1")
    assert report.power is Power.UNKNOWN


def test_an_exit_code_without_a_word_is_no_proof(script, fencing):
    """2 is a bad option, too, in the agents' library; fence_ibm_vpc exits with it."""
    settings = script("sys.exit(2 if action == 'status' else 0)")
    report = fencing({"c1": settings}, Deadlines(0.1, 3)).power_off("c1")
    assert report.power is Power.UNKNOWN
    assert "exit code 2" in report.detail


def test_an_agent_that_python_cannot_read_is_no_proof(script, fencing, tmp_path):
    """Python exits with 2 then."""
    fences = fencing({"c1": script("")})
    gone = tmp_path / "offline" / "agent"
    (tmp_path / "fence_script").write_text(f"#!{sys.executable} {gone}\n")
    report = fences.power("c1")
    assert report.power is Power.UNKNOWN
    assert "can't open file" in report.detail


def test_an_agent_killed_by_a_signal(script, fencing):
    settings = script("os.kill(os.getpid(), 9)")
    report = fencing({"c1": settings}, Deadlines(0.1, 3)).power_off("c1")
    assert report.power is Power.UNKNOWN


def test_a_hung_agent_is_stopped_with_its_children(script, fencing, tmp_path):
    settings = script(
        "child = os.spawnlp(os.P_NOWAIT, 'sleep', 'sleep', '60')\n"
        "open(os.path.join(folder, 'child'), 'w').write(str(child))\n"
        "time.sleep(60)"
    )
    started = time.monotonic()
    report = fencing({"c1": settings}, Deadlines(0.1, 0.7)).power_off("c1")
    assert time.monotonic() - started < 5
    assert "no answer within 0.7 s" in report.detail
    child = int((tmp_path / "child").read_text())
    end = time.monotonic() + 5
    while time.monotonic() < end and _alive(child):
        time.sleep(0.05)
    assert not _alive(child)


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_credentials_are_scrubbed_from_output(script, fencing, caplog):
    settings = script("sys.exit('login with ' + given['password'] + ' failed')")
    fences = fencing({"c1": settings}, Deadlines(0.1, 3))
    detail = fences.power_off("c1").detail
    assert "login with *** failed" in detail
    assert "s3cret" not in caplog.text + repr(device_of(fences, "c1").settings)


def test_a_misspelt_option_is_found_at_start_up(dummy, fencing):
    _, host = dummy
    found = fencing({"c1": host(statusfile="x")})
    assert "has no option statusfile" in found.unusable["c1"]


@pytest.mark.parametrize("option", ["action", "option"])
def test_the_action_is_ours(dummy, fencing, option):
    _, host = dummy
    found = fencing({"c1": host(**{option: "status"})})
    assert f"has no option {option}" in found.unusable["c1"]


def test_dashes_in_option_names_are_the_agents_own_alias(dummy, fencing):
    _, host = dummy
    assert not fencing({"c1": host(**{"status-file": "x"})}).unusable


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        ("fence_no_such", "there is no fence agent fence_no_such"),
        ("true", "there is no fence agent true"),
        ("fence_kdump", "cannot tell the power state"),
        ("fence_scsi", "only a power-off is proof"),
        ("fence_ack_manual", "describes no options"),
    ],
)
def test_agents_that_cannot_prove_a_power_off(fencing, agent, words):
    peers.program("fence_scsi", "fence-agents")
    settings = {"method": "agent", "agent": agent, "options": {}}
    why = fencing({"c1": settings}).unusable["c1"]
    assert why.startswith("agent: ")
    assert words in why


def test_an_agent_that_cannot_be_run(dummy, script, fencing, tmp_path):
    settings = script("sys.exit(2)")
    fences = fencing({"c1": settings})
    os.unlink(tmp_path / "fence_script")
    report = fences.power("c1")
    assert report.power is Power.UNKNOWN
    assert "cannot be run: No such file or directory" in report.detail
