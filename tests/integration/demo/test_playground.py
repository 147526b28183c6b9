# SPDX-License-Identifier: Apache-2.0
"""Whoever types what ``make demo ARGS=--keep`` tells sees a host die and come back,
and nothing stays behind. Without the story before it: --play.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from demo.told import TOLD, VICTIM
from tests.lib.processes import Process
from tests.lib.waiting import PATIENCE, wait

Shell = Callable[..., str]


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Process]:
    state = tmp_path / "state"
    command = [sys.executable, "-m", "demo", "--play", f"--state-dir={state}"]
    process = Process(command, tmp_path / "demo.log")
    try:
        process.wait_until(
            "the playground", lambda: "end-demo" in process.log.read_text(), PATIENCE
        )
        yield process
    finally:
        process.stop()


@pytest.fixture
def shell(demo: Process) -> Shell:
    """Another terminal, in which the first command that is told was typed."""
    lines = [line.strip() for line in demo.log.read_text().splitlines()]
    find, *told = [line for line in lines if line.startswith(". /") or line in TYPED]
    assert told == TYPED

    def type_(command: str) -> str:
        done = subprocess.run(
            ["sh", "-c", f"{find} && {command}"],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        if command == "nova-ha check":
            assert done.stderr == "", "all is well, and real BMCs were asked"
        return done.stdout

    return type_


TYPED = [command for _, command in TOLD]


def test_what_is_told(demo: Process, shell: Shell, tmp_path: Path) -> None:
    for command in TYPED:
        said = shell(command)
        assert said
        if command == "nova-ha health":
            assert said.startswith("PROTECTED"), said
            _try_what_cannot_be_done(shell)
            _try_what_else_there_is(shell)
        if command.startswith("kill-host"):
            wait("the recovery", lambda: _recovered(shell))
        if command.startswith("revive-host"):
            wait("the way home", lambda: _servers_of(shell, VICTIM) == 2)
    assert demo.stop() == 0
    assert _naming(str(tmp_path)) == []
    with pytest.raises(AssertionError, match="no demo is running"):
        shell("end-demo")


def _try_what_cannot_be_done(shell: Shell) -> None:
    with pytest.raises(AssertionError, match="there is no host b9; there are a1 a2"):
        shell("kill-host b9")
    with pytest.raises(AssertionError, match="a1 is running"):
        shell("revive-host a1")
    assert "not protected" in shell("kill-host b3")
    with pytest.raises(AssertionError, match="b3 is dead already"):
        shell("kill-host b3")
    assert "switched on" in shell("revive-host b3")


def _try_what_else_there_is(shell: Shell) -> None:
    assert shell("openstack ha health").startswith("PROTECTED")
    assert shell("kill-host --help") == "usage: kill-host HOST\n"
    with pytest.raises(AssertionError, match="usage: kill-host HOST"):
        shell("kill-host")
    assert "Nobody recovers a host now" in shell("stop-trigger")
    with pytest.raises(AssertionError, match="no trigger is active"):
        shell("nova-ha health")
    assert "runs again" in shell("start-trigger")
    assert "nothing else" in shell("change-bmc-password new")
    with pytest.raises(AssertionError, match="refused the credentials"):
        shell("nova-ha check")
    shell("sed -i 's/^ *password:.*/    password: new/' $NOVA_HA_FENCING")
    health = "nova-ha health || true"
    wait("the new password", lambda: shell(health).startswith("PROTECTED"))


def _recovered(shell: Shell) -> bool:
    found: list[dict[str, Any]] = json.loads(shell("nova-ha history list -f json"))
    return [recovery["outcome"] for recovery in found] == ["recovered"]


def _servers_of(shell: Shell, host: str) -> int:
    found = json.loads(shell("nova-ha host list -f json"))
    return sum(row["servers"] for row in found if row["host"] == host)


def _naming(folder: str) -> list[str]:
    """The commands of processes that name a folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().decode(errors="replace").replace("\0", " ")
        except OSError:
            continue  # it has ended
        if folder in words:
            found.append(words)
    return found
