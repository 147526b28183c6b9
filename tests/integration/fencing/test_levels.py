# SPDX-License-Identifier: Apache-2.0
"""Levels of fencing: a BMC (sushy-tools' emulator), outlets (Debian's fence_dummy), a
dump (Debian's fence_kdump_send)."""

import socket
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nova_ha_scheduler.evacuation.interfaces import Power, PowerReport
from nova_ha_scheduler.fencing import Deadlines, kdump
from nova_ha_scheduler.fencing.config import FenceDevices
from nova_ha_scheduler.fencing.levels import Level, Levels
from tests.lib import peers, ports
from tests.lib.redfish import Bmcs
from tests.lib.waiting import PATIENCE

NOBODY = "http://127.0.0.1:9"  # discard: nobody listens

SENDER = "/usr/libexec/fence-agents/fence_kdump_send"

Outlet = Callable[..., dict[str, Any]]
Fencing = Callable[..., FenceDevices]


@pytest.fixture
def outlet(tmp_path: Path) -> Outlet:
    """An outlet that is on, of the name."""
    peers.program("fence_dummy", "fence-agents")

    def make(name: str, power: str = "on", **options: str) -> dict[str, Any]:
        status = tmp_path / name
        status.write_text(power)
        options = {"status_file": str(status), "power_timeout": "1", **options}
        return {"method": "agent", "agent": "fence_dummy", "options": options}

    return make


def dead_bmc(redfish: Bmcs, **limits: str) -> dict[str, Any]:
    return {**redfish.method("c1", NOBODY), "power_off_timeout": "1", **limits}


def test_the_next_level_when_one_gives_no_proof(
    redfish: Bmcs, outlet: Outlet, fencing: Fencing, tmp_path: Path
) -> None:
    """A BMC that lost its power with its host: then the outlet."""
    fences = fencing({"c1": [dead_bmc(redfish), outlet("one")]}, Deadlines(60, 1))
    started = time.monotonic()
    report = fences.power_off("c1")
    assert time.monotonic() - started < 15, "its own limit, not that of all"
    assert report.power is Power.OFF, report
    assert report.by == "agent, level 2 of 2"
    assert "level 1 (redfish) gave no proof: not seen off within" in report.detail
    assert (tmp_path / "one").read_text() == "off"


def test_the_first_level_that_gives_proof(
    redfish: Bmcs, outlet: Outlet, fencing: Fencing, tmp_path: Path
) -> None:
    fences = fencing({"c1": [redfish.method("c1"), outlet("one")]})
    assert fences.methods == {"c1": "redfish, agent"}
    report = fences.power_off("c1")
    assert (report.power, report.by) == (Power.OFF, "redfish, level 1 of 2")
    assert "gave no proof" not in report.detail
    assert (tmp_path / "one").read_text() == "on"
    report = fences.power("c1")
    assert (report.power, report.by) == (Power.OFF, "redfish, level 1 of 2")


def test_two_power_supplies(outlet: Outlet, fencing: Fencing, tmp_path: Path) -> None:
    """Both outlets off, or no proof."""
    one, other = outlet("one"), outlet("other")
    fences = fencing({"c1": {"outlets": [one, other]}})
    assert fences.power("c1").power is Power.ON
    report = fences.power_off("c1")
    assert report.power is Power.OFF, report
    assert {(tmp_path / n).read_text() for n in ("one", "other")} == {"off"}
    (tmp_path / "one").write_text("on")
    report = fences.power("c1")
    assert report.power is Power.ON
    assert report.detail.startswith("outlet 1 (agent): ")


def test_one_of_two_outlets_fails(
    outlet: Outlet, fencing: Fencing, tmp_path: Path
) -> None:
    broken = outlet("other", type="fail")
    fences = fencing({"c1": {"outlets": [outlet("one"), broken]}}, Deadlines(1, 3))
    report = fences.power_off("c1")
    assert report.power is Power.UNKNOWN, report
    assert report.detail.startswith("outlet 2 (agent): ")
    assert (tmp_path / "one").read_text() == "off"


def test_a_check_asks_each_level(
    redfish: Bmcs, outlet: Outlet, fencing: Fencing
) -> None:
    """A second level that is broken would first be found at night, else."""
    second = {"outlets": [outlet("one"), dead_bmc(redfish)]}
    fences = fencing({"c1": [redfish.method("c1"), second]}, Deadlines(1, 3))
    assert fences.power("c1").power is Power.ON
    report = fences.check("c1")
    assert report.power is Power.UNKNOWN
    assert report.detail.startswith("level 2 (agent + redfish), outlet 2 (redfish): ")
    assert fences.broken(1) == {"c1": report.detail}
    fences = fencing({"c1": [redfish.method("c1"), outlet("one")]})
    assert fences.broken(1) == {}


def test_an_outlet_that_is_on_does_not_say_that_the_host_is(
    redfish: Bmcs, outlet: Outlet, fencing: Fencing
) -> None:
    fences = fencing({"c1": [dead_bmc(redfish), outlet("one")]}, Deadlines(1, 1))
    assert fences.power("c1").power is Power.FED
    fences = fencing({"c1": [dead_bmc(redfish), outlet("one", "off")]}, Deadlines(1, 1))
    assert fences.power("c1").power is Power.OFF


class Scripted:
    """A device whose answers are given; the last one for good."""

    METHOD = "scripted"
    PROVES = True
    answer = ""

    def __init__(self, off: Power, *looks: Power) -> None:
        self._off, self._looks = off, list(looks)
        self.switched = 0

    def power_off(self) -> PowerReport:
        self.switched += 1
        return PowerReport(self._off, self.METHOD, self._off.value)

    def power(self) -> PowerReport:
        power = self._looks.pop(0) if len(self._looks) > 1 else self._looks[0]
        return PowerReport(power, self.METHOD, power.value)


def test_outlets_of_another_machine_are_no_proof() -> None:
    """The BMC still says on, after the outlets went off."""
    bmc, outlet = Scripted(Power.ON, Power.ON), Scripted(Power.OFF, Power.OFF)
    report = Levels([Level((bmc,)), Level((outlet,))]).power_off()
    assert report.power is Power.UNKNOWN
    assert "is not what feeds this host" in report.detail
    bmc = Scripted(Power.ON, Power.UNKNOWN)  # it lost its power with the host
    report = Levels([Level((bmc,)), Level((outlet,))]).power_off()
    assert report.power is Power.OFF


def test_both_outlets_at_the_same_moment() -> None:
    """One that comes back by itself feeds the host all the time."""
    first, second = Scripted(Power.OFF, Power.ON), Scripted(Power.OFF, Power.OFF)
    report = Levels([Level((first, second))]).power_off()
    assert report.power is Power.ON
    assert "not all off at the same moment" in report.detail


def test_the_second_outlet_is_not_switched_if_the_first_one_stays_on() -> None:
    first, second = Scripted(Power.ON, Power.ON), Scripted(Power.OFF, Power.OFF)
    assert Levels([Level((first, second))]).power_off().power is Power.ON
    assert second.switched == 0


def test_no_level_gives_proof() -> None:
    silent = [Level((Scripted(Power.UNKNOWN, Power.UNKNOWN),)) for _ in range(2)]
    report = Levels(silent).power_off()
    assert report.power is Power.UNKNOWN
    assert report.detail == "level 1 (scripted): unknown; level 2 (scripted): unknown"
    assert Levels(silent).power().power is Power.UNKNOWN


@pytest.mark.parametrize(
    ("levels", "words"),
    [
        ([], "its list of levels is empty"),
        (["x"], "its value must hold key"),
        ([{"method": "kdump"}], "kdump only waits"),
        ([{"method": "manual"}, {"method": "kdump"}], "manual is no level"),
        ([{"outlets": []}], "outlets: a list of two or more"),
        ([{"outlets": [{"method": "manual"}]}], "outlets: a list of two or more"),
    ],
)
def test_levels_that_cannot_be_meant(fencing: Fencing, levels: Any, words: str) -> None:
    assert fencing({"c1": levels}).unusable["c1"].startswith(words)


def test_a_level_that_cannot_be_used_is_named(
    redfish: Bmcs, outlet: Outlet, fencing: Fencing
) -> None:
    levels = [redfish.method("c1"), {"outlets": [outlet("one"), {"method": "x"}]}]
    why = fencing({"c1": levels}).unusable["c1"]
    assert why == "level 2: outlet 2: method x does not exist"
    levels = [redfish.method("c1"), {**outlet("one"), "power_off_timeout": "soon"}]
    why = fencing({"c1": levels}).unusable["c1"]
    assert why.startswith("level 2: power_off_timeout: a number of seconds above 0")


def test_the_same_outlet_twice(outlet: Outlet, fencing: Fencing) -> None:
    """A host with two supplies would go on by the other one."""
    why = fencing({"c1": {"outlets": [outlet("one"), outlet("one")]}}).unusable["c1"]
    assert why == "outlets: two of them are one and the same"


def test_a_device_of_any_level_is_one_hosts(
    redfish: Bmcs, outlet: Outlet, fencing: Fencing
) -> None:
    hosts = {
        "c1": [redfish.method("c1"), outlet("one")],
        "c2": [redfish.method("c2"), outlet("one")],
        "off": [redfish.method("off"), outlet("other")],
    }
    found = fencing(hosts)
    assert found.unusable["c1"] == "has the same device as host c2"
    assert found.methods == {"off": "redfish, agent"}


def test_two_ways_to_one_bmc(redfish: Bmcs, fencing: Fencing) -> None:
    """One host may have its device at two levels."""
    twice = [redfish.method("c1"), redfish.method("c1")]
    assert fencing({"c1": twice}).power_off("c1").power is Power.OFF


def test_how_long_a_power_off_may_take(outlet: Outlet, fencing: Fencing) -> None:
    limits = {"power_off_timeout": "30", "request_timeout": "2"}
    levels = [{**outlet("one"), **limits}, {**outlet("other"), **limits}]
    assert fencing({"c1": levels, "c2": outlet("third")}).seconds == 2 * (30 + 5 * 2)


# A dump.


def dumping(port: int, **settings: str) -> dict[str, Any]:
    where = {"address": "127.0.0.1", "listen": "127.0.0.1", "port": str(port)}
    return {"method": "kdump", "first_message": "1", **where, **settings}


def send(port: int, times: int = 1) -> None:
    """As the kernel does that writes a dump, once a second."""
    peers.program(SENDER, "fence-agents")
    command = [SENDER, "-p", str(port), "-c", str(times), "-i", "1", "127.0.0.1"]
    subprocess.run(command, check=True, timeout=PATIENCE)


@pytest.fixture
def port() -> int:
    return ports.free_port(socket.SOCK_DGRAM)


def test_a_dump_is_waited_for(
    redfish: Bmcs, fencing: Fencing, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kdump, "_SILENCE", 2.5)
    wait = dumping(port, first_message="5")
    fences = fencing({"c1": [wait, redfish.method("c1")]}, Deadlines(6, 3))
    sender = threading.Timer(1, send, (port, 3))
    sender.start()
    started = time.monotonic()
    try:
        report = fences.power_off("c1")
    finally:
        sender.join()
    assert time.monotonic() - started > 1 + 2 + 2.5, "it went on while it was written"
    assert (report.power, report.by) == (Power.OFF, "redfish, level 2 of 2")
    assert "level 1 (kdump) gave no proof: a dump was written for" in report.detail


def test_no_dump_is_waited_for_a_while(
    redfish: Bmcs, fencing: Fencing, port: int
) -> None:
    fences = fencing({"c1": [dumping(port), redfish.method("c1")]})
    report = fences.power_off("c1")
    assert report.power is Power.OFF
    assert "no dump was begun within 1 s" in report.detail


def test_nothing_is_waited_for_if_it_is_off(
    redfish: Bmcs, fencing: Fencing, port: int
) -> None:
    wait = dumping(port, first_message="60")
    started = time.monotonic()
    report = fencing({"c1": [wait, redfish.method("off")]}).power_off("c1")
    assert report.power is Power.OFF
    assert time.monotonic() - started < 20


def test_messages_that_do_not_end(redfish: Bmcs, fencing: Fencing, port: int) -> None:
    """Anybody may send them: they only hold the next level up, and not for ever."""
    wait = dumping(port, dump_timeout="3")
    fences = fencing({"c1": [wait, redfish.method("c1")]}, Deadlines(6, 3))
    sender = threading.Thread(target=send, args=(port, 8))
    sender.start()
    started = time.monotonic()
    report = fences.power_off("c1")
    assert time.monotonic() - started < 8
    sender.join()
    assert report.power is Power.OFF
    assert "was not written within 3 s" in report.detail


def test_messages_of_others_count_for_nothing(port: int, fencing: Fencing) -> None:
    wait = dumping(port, address="127.0.0.2")
    levels = fencing({"c1": [wait, dumping(port)]})  # the second one makes no entry
    assert levels.unusable
    device = kdump.Kdump(
        "c1", {k: v for k, v in wait.items() if k != "method"}, Deadlines()
    )
    sender = threading.Timer(0.3, send, (port,))
    sender.start()
    assert "no dump was begun" in device.power_off().detail
    sender.join()


def test_garbage_is_no_message(port: int) -> None:
    settings = {k: v for k, v in dumping(port).items() if k != "method"}
    device = kdump.Kdump("c1", settings, Deadlines())

    def lie() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
            for text in (b"", b"dump", b"x" * 2000, kdump._MESSAGE + b"x"):
                out.sendto(text, ("127.0.0.1", port))

    sender = threading.Timer(0.3, lie)
    sender.start()
    report = device.power_off()
    sender.join()
    assert report.power is Power.UNKNOWN
    assert "no dump was begun" in report.detail


def test_two_hosts_that_dump_at_once(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One socket gets the messages of both."""
    monkeypatch.setattr(kdump, "_SILENCE", 1.0)
    settings = {k: v for k, v in dumping(port).items() if k != "method"}
    devices = [kdump.Kdump(name, settings, Deadlines()) for name in ("c1", "c2")]
    found: list[PowerReport] = []
    threads = [
        threading.Thread(target=lambda d=device: found.append(d.power_off()))  # type: ignore[misc]
        for device in devices
    ]
    for thread in threads:
        thread.start()
    time.sleep(0.3)
    send(port)
    for thread in threads:
        thread.join()
    assert [("a dump was written" in report.detail) for report in found] == [True, True]


def test_a_port_that_is_taken(port: int) -> None:
    settings = {k: v for k, v in dumping(port).items() if k != "method"}
    device = kdump.Kdump("c1", settings, Deadlines())
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", port))
        report = device.power_off()
    assert report.power is Power.UNKNOWN
    assert "can be waited for: Address already in use" in report.detail


def test_a_name_that_cannot_be_looked_up(port: int) -> None:
    settings = {"address": "no-such-host.invalid", "port": str(port)}
    report = kdump.Kdump("c1", settings, Deadlines()).power_off()
    assert "no message of no-such-host.invalid can be waited for" in report.detail
