# SPDX-License-Identifier: Apache-2.0
"""Refused credentials are not repeated: devices lock an account for that."""

import json
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nova_ha_scheduler.evacuation.interfaces import Power
from nova_ha_scheduler.fencing import rests
from nova_ha_scheduler.fencing.config import FenceDevices
from tests.integration.fencing.conftest import device_of

HOUR = 3600


class Calls:
    """An agent whose device has another password, and how often it was asked."""

    def __init__(self, folder: Path, says: str) -> None:
        self._calls = folder / "calls"
        self.path = folder / "fence_script"
        self.path.write_text(
            f"#!{sys.executable}\nimport sys\n"
            "given = dict(line.strip().split('=', 1) for line in sys.stdin)\n"
            "if given['action'] == 'metadata':\n"
            "    print('<?xml version=\"1.0\" ?><resource-agent><parameters>'\n"
            '    \'<parameter name="ip"/><parameter name="plug"/>\'\n'
            "    '<parameter name=\"password\"/></parameters><actions>'\n"
            '    \'<action name="off"/><action name="status"/>\'\n'
            "    '<action name=\"reboot\"/></actions></resource-agent>')\n"
            "    sys.exit()\n"
            "if given['password'] == 'new':\n"
            "    print('Status: ON')\n    sys.exit()\n"
            f"open({str(self._calls)!r}, 'a').write('x')\n"
            f"print({says!r}, file=sys.stderr)\nsys.exit(1)\n"
        )
        self.path.chmod(0o700)

    @property
    def number(self) -> int:
        return len(self._calls.read_text()) if self._calls.exists() else 0

    def method(self, plug: str = "1", password: str = "old") -> dict[str, object]:
        options = {"ip": "192.0.2.7", "plug": plug, "password": password}
        return {"method": "agent", "agent": str(self.path), "options": options}


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """That of the rests; the one number in it is the time."""
    now = [1000.0]
    monkeypatch.setattr(rests, "_now", lambda: now[0])
    return now


def asked_for_an_hour(fences: FenceDevices, clock: list[float]) -> set[str]:
    """As the trigger does for a dead host. :returns: what it was told."""
    told = {fences.power_off("c1").detail}
    for _ in range(HOUR // 30):
        clock[0] += 30
        told.add(fences.power("c1").detail)
    return told


@pytest.mark.parametrize(
    ("says", "most"),
    [
        ("Failed: Unable to obtain correct plug status or plug is not available", 8),
        ("Failed: Authentication failure", 3),
        ("HTTP 401: who are you?", 3),
    ],
)
def test_an_agent_whose_credentials_are_refused(
    tmp_path: Path,
    fencing: Callable[..., FenceDevices],
    clock: list[float],
    says: str,
    most: int,
) -> None:
    calls = Calls(tmp_path, says)
    told = asked_for_an_hour(fencing({"c1": calls.method()}), clock)
    assert 0 < calls.number <= most
    assert all(says in words and "may be locked" in words for words in told)


def test_a_bmc_whose_credentials_are_refused(
    redfish: Any, fencing: Callable[..., FenceDevices], clock: list[float]
) -> None:
    method = {**redfish.method("c1"), "password": "old"}
    fences = fencing({"c1": method})
    asked: list[str] = []
    driver = device_of(fences, "c1")
    connect = driver.connect
    driver.connect = lambda: asked.append("") or connect()
    told = asked_for_an_hour(fences, clock)
    assert len(asked) == 3
    assert all("refused the credentials" in words for words in told)


def test_new_credentials_end_the_rest(
    tmp_path: Path, fencing: Callable[..., FenceDevices]
) -> None:
    calls = Calls(tmp_path, "Failed: Authentication failure")
    older = fencing({"c1": calls.method()})
    older.power("c1")
    assert (older.power("c1").power, calls.number) == (Power.UNKNOWN, 1)
    newer = fencing({"c1": calls.method(password="new")}).keeping(older)
    assert newer.power("c1").power is Power.ON


def test_an_answer_ends_the_doubt(
    tmp_path: Path, fencing: Callable[..., FenceDevices], clock: list[float]
) -> None:
    calls = Calls(tmp_path, "Failed: no")
    fences = fencing({"c1": calls.method()})
    fences.power("c1")
    options = calls.method(password="new")
    driver = device_of(fencing({"c1": options}), "c1")
    driver.rests = device_of(fences, "c1").rests
    assert driver.power().power is Power.UNKNOWN
    clock[0] += 30
    assert driver.power().power is Power.ON
    assert not driver.rests.in_doubt(driver.account)


def test_many_hosts_behind_one_device(
    tmp_path: Path, fencing: Callable[..., FenceDevices]
) -> None:
    """They are all asked at once when the trigger starts."""
    calls = Calls(tmp_path, "Failed: Authentication failure")
    names = [f"c{number}" for number in range(12)]
    fences = fencing({name: calls.method(name) for name in names})
    threads = [threading.Thread(target=fences.power, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert calls.number == 1


def test_a_device_that_was_heard_is_asked_on(
    tmp_path: Path, fencing: Callable[..., FenceDevices]
) -> None:
    """Its credentials are right: what it says afterwards is a hiccup."""
    path = tmp_path / "fence_script"
    path.write_text(
        f"#!{sys.executable}\nimport os, sys\n"
        "given = dict(line.strip().split('=', 1) for line in sys.stdin)\n"
        "if given['action'] == 'metadata':\n"
        "    print('<?xml version=\"1.0\" ?><resource-agent><parameters>'\n"
        "    '<parameter name=\"ip\"/></parameters><actions>'\n"
        '    \'<action name="off"/><action name="status"/>\'\n'
        "    '<action name=\"reboot\"/></actions></resource-agent>')\n"
        "    sys.exit()\n"
        f"calls = {str(tmp_path / 'calls')!r}\n"
        "open(calls, 'a').write('x')\nnumber = os.stat(calls).st_size\n"
        "if number == 1:\n    print('Status: ON')\n    sys.exit()\n"
        "if number == 2:\n    sys.exit()\n"
        "if number < 6:\n    print('Failed: busy')\n    sys.exit(1)\n"
        "print('Status: OFF')\nsys.exit(2)\n"
    )
    path.chmod(0o700)
    method = {"method": "agent", "agent": str(path), "options": {"ip": "192.0.2.7"}}
    report = fencing({"c1": json.loads(json.dumps(method))}).power_off("c1")
    assert report.power is Power.OFF, report
