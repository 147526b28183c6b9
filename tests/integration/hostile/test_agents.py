# SPDX-License-Identifier: Apache-2.0
"""Fence agents that flood, hang, leave others behind, or say half of it."""

import os
import sys
import time
from pathlib import Path

import pytest

from nova_ha_scheduler.evacuation.interfaces import Power
from nova_ha_scheduler.fencing import Deadlines
from nova_ha_scheduler.fencing.config import FenceDevices
from nova_ha_scheduler.programs import TooMuchOutput, run
from tests.integration.fencing.conftest import fencing  # noqa: F401

_METADATA = """<?xml version="1.0" ?><resource-agent name="x"><parameters>
<parameter name="ip" obsoletes="ipaddr"/><parameter name="ipaddr"/>
<parameter name="password"/><parameter name="missing_as_off"/>
</parameters><actions><action name="off"/><action name="status"/>
<action name="reboot"/></actions></resource-agent>"""

AT_MOST = 5.0
"""Seconds, on a machine that has other work: what does not end takes for ever."""


@pytest.fixture
def agent(tmp_path: Path, fencing):  # noqa: F811
    """The devices of a host whose agent answers a question for the state so."""

    def make(body: str, seconds: float = 3.0, **options: str) -> FenceDevices:
        path = tmp_path / "fence_x"
        path.write_text(
            "#!/bin/sh\ngiven=$(cat)\ncase $given in *action=metadata*)\n"
            f"cat << 'END'\n{_METADATA}\nEND\nexit 0;; esac\n{body}\n"
        )
        path.chmod(0o700)
        said = {"ip": "192.0.2.1", "password": "hunter2", **options}
        settings = {"method": "agent", "agent": str(path), "options": said}
        return fencing({"c1": settings}, Deadlines(0.1, seconds))

    return make


@pytest.mark.parametrize(
    "said",
    [
        "Failed: last status: off by one",
        "the last Status: OFF was long ago",
        "Status: ON",
        "Status: OFF\nStatus: ON",
        "Status: OFFLINE",
        "WARNING: unknown option 'Status: OFF'",
        "Status:\nOFF",
    ],
)
def test_off_is_a_whole_line(agent, said):
    report = agent(f"cat << 'END'\n{said}\nEND\nexit 2").power("c1")
    assert report.power is Power.UNKNOWN, report


@pytest.mark.parametrize("said", ["Status: OFF", "a warning\nStatus: OFF\nbye"])
def test_off_as_agents_say_it(agent, said):
    fences = agent(f"cat << 'END'\n{said}\nEND\nexit 2")
    assert fences.power("c1").power is Power.OFF


def test_an_agent_that_says_too_much_is_stopped(agent):
    report = agent("yes", seconds=60).power_off("c1")
    assert report.power is Power.UNKNOWN
    assert "action=status was stopped: it said more than 256 KiB" in report.detail


@pytest.mark.parametrize("body", ["trap '' TERM INT HUP; sleep 60 & wait; wait"])
def test_an_agent_that_does_not_heed_signals(agent, body):
    began = time.monotonic()
    report = agent(body, seconds=0.3).power_off("c1")
    assert "no answer within 0.3 s" in report.detail
    assert time.monotonic() - began < AT_MOST


def test_one_that_leaves_others_with_its_output_is_not_waited_for(agent):
    began = time.monotonic()
    body = "setsid sleep 20 &\necho 'Status: OFF'; exit 2"
    assert agent(body, seconds=15).power("c1").power is Power.OFF
    assert time.monotonic() - began < AT_MOST


def test_its_children_end_with_it(agent, tmp_path):
    child = tmp_path / "child"
    agent(f"sleep 60 & echo $! > {child}; echo 'Status: OFF'; exit 2").power("c1")
    end = time.monotonic() + AT_MOST
    while Path(f"/proc/{child.read_text().strip()}").exists():
        stat = Path(f"/proc/{child.read_text().strip()}/stat").read_text()
        if stat.rpartition(")")[2].split()[0] == "Z":
            break
        assert time.monotonic() < end
        time.sleep(0.02)


def test_no_plug_is_no_proof(agent):
    """With this option, agents call a plug off that they do not find."""
    lacks = agent("exit 2", missing_as_off="1").lacks("c1")
    assert "a plug that does not exist is off" in lacks
    assert agent("exit 2", missing_as_off="0").lacks("c1") == ""


def test_no_agent_of_the_working_directory(agent, tmp_path, monkeypatch, fencing):  # noqa: F811
    agent("echo 'Status: OFF'; exit 2")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", ".:")
    options = {"ip": "192.0.2.1"}
    for name, words in (("fence_x", "no fence agent"), ("./fence_x", "absolute path")):
        fences = fencing({"c1": {"method": "agent", "agent": name, "options": options}})
        assert words in fences.lacks("c1")


# Any program.


def test_a_program_runs_where_nobody_else_puts_code():
    assert run(["pwd"], AT_MOST) == (0, "/\n")


def test_much_is_said_and_heard_at_the_same_time():
    text = "x" * 200_000
    assert run(["cat"], AT_MOST, text) == (0, text)


def test_one_that_does_not_listen():
    assert run(["true"], AT_MOST, "x" * 1_000_000) == (0, "")


def test_memory_does_not_grow_with_what_is_said():
    with pytest.raises(TooMuchOutput, match="more than 1 KiB"):
        run([sys.executable, "-c", "print('x' * 10_000_000)"], 30, limit=1024)


def test_no_descriptor_is_left():
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        run(["true"], AT_MOST)
    assert len(os.listdir("/proc/self/fd")) == before
