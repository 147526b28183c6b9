# SPDX-License-Identifier: Apache-2.0
"""The redfish method against sushy-tools' emulator, over HTTP, with a login."""

import logging
import subprocess
import sys
from pathlib import Path

import pytest

from nova_ha_scheduler.evacuation.interfaces import Power
from nova_ha_scheduler.fencing import Deadlines
from tests.lib.redfish import PASSWORD, bmcs
from tests.lib.waiting import PATIENCE

LOOK = """
import sys
from oslo_log import log as logging
from nova_ha_scheduler.service import startup
from nova_ha_scheduler.fencing import Deadlines, config
logging.setup(startup.load("nova-ha-evacuator", []), "nova-ha-evacuator")
print(config.load(sys.argv[1], Deadlines(6, 3)).power("c1").power.value)
"""


def test_power_off_is_believed_when_seen(redfish, fencing, caplog):
    caplog.set_level(logging.DEBUG)
    fences = fencing({"c1": redfish.method("c1")})
    assert fences.power("c1").power is Power.ON
    report = fences.power_off("c1")
    assert report.power is Power.OFF, report
    assert report.by == "redfish"
    assert report.detail.startswith("seen off after")
    assert fences.power("c1").power is Power.OFF
    assert PASSWORD not in caplog.text


def test_sushy_says_nothing_of_a_bmc_without_sessions(redfish, fencing, tmp_path):
    fencing({"c1": redfish.method("c1")})
    command = [sys.executable, "-W", "ignore", "-c", LOOK, tmp_path / "fencing.yaml"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    assert (done.stdout, done.stderr) == ("on\n", "")


def test_already_off_is_success(redfish, fencing):
    fences = fencing({"c1": redfish.method("off")})
    report = fences.power_off("c1")
    assert (report.power, report.detail) == (Power.OFF, "was off already")


def test_only_the_one_system(redfish, fencing):
    fences = fencing(
        {
            "c1": redfish.method("c1"),
            "c2": redfish.method("c2"),
        }
    )
    assert fences.power_off("c1").power is Power.OFF
    assert fences.power("c2").power is Power.ON


def test_accepted_but_not_yet_off_is_no_proof(tmp_path: Path, fencing):
    """A limit below the time that it takes must not say off."""
    with bmcs(tmp_path, ["c1"], seconds=600) as redfish:
        fences = fencing({"c1": redfish.method("c1")}, Deadlines(0.1, 3))
        report = fences.power_off("c1")
    assert report.power is Power.ON
    assert "asked to power off, but not seen off" in report.detail


def test_a_bmc_that_refuses(tmp_path: Path, fencing):
    with bmcs(tmp_path, ["c1"], refuse_power_off=True) as redfish:
        fences = fencing({"c1": redfish.method("c1")}, Deadlines(2, 3))
        report = fences.power_off("c1")
    assert report.power is not Power.OFF
    assert "Can not request power off" in report.detail


def test_unreachable(redfish, fencing, caplog):
    address = "http://127.0.0.1:9"  # discard: nobody listens
    fences = fencing({"c1": redfish.method("c1", address)}, Deadlines(1.5, 0.5))
    report = fences.power_off("c1")
    assert report.power is Power.UNKNOWN
    assert report.detail.startswith("not seen off within")
    assert f"the BMC at {address} cannot be reached" in report.detail
    assert fences.broken(2) == {"c1": fences.power("c1").detail}
    assert PASSWORD not in caplog.text + report.detail


def test_wrong_password_is_not_repeated(redfish, fencing, caplog):
    caplog.set_level(logging.DEBUG)
    fences = fencing({"c1": redfish.method("c1") | {"password": "wrong-one"}})
    report = fences.power_off("c1")
    assert report.power is Power.UNKNOWN
    assert "refused the credentials" in report.detail
    assert "leaves the device alone for" in report.detail
    assert "wrong-one" not in caplog.text + report.detail


def test_one_wrong_entry_says_whose_it_is(redfish, fencing):
    """The account rests, and the hosts that have it right are not asked."""
    wrong = redfish.method("c1") | {"password": "wrong-one"}
    fences = fencing({"c1": wrong, "c2": redfish.method("c2")})
    refused, rests = (fences.power(host).detail for host in ("c1", "c2"))
    assert "refused the credentials" in refused
    assert rests == f"it is not asked, as it is the device of c1, too: {refused}"
    assert fences.power("c1").detail == refused


def test_a_refusal_names_no_other_hosts_system(redfish, fencing):
    """One service has all systems, and its no to one of them is told of each."""
    wrong = {"password": "wrong-one"}
    fences = fencing({host: redfish.method(host) | wrong for host in ("c1", "c2")})
    for host in ("c1", "c2"):
        said = fences.power(host).detail
        assert "refused the credentials: HTTP 401: " in said
        assert not any(system in said for system in redfish.systems.values())
        assert "{" not in said


def test_a_bmc_with_several_systems_needs_one_named(redfish, fencing):
    settings = redfish.method("c1")
    del settings["system"]
    fences = fencing({"c1": settings}, Deadlines(0.5, 3))
    assert "System count is not exactly one" in fences.power("c1").detail


def test_healthy_devices_are_not_broken(redfish, fencing):
    fences = fencing({"c1": redfish.method("c1"), "c2": redfish.method("off")})
    assert fences.broken(2) == {}
    assert fences.broken(2, up=["c1"]) == {}


def test_a_device_that_says_off_of_a_host_that_is_up(redfish, fencing):
    fences = fencing({"c1": redfish.method("off"), "c2": redfish.method("c1")})
    found = fences.broken(2, up=["c1", "c2", "unknown"])
    assert found.keys() == {"c1"}
    assert "see whose power that device cuts" in found["c1"]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("address", "192.0.2.7"),
        ("address", "https://fencer:pw@192.0.2.7"),
        ("verify", "/no/such/bundle.pem"),
    ],
)
def test_values_that_cannot_be_meant(redfish, fencing, key, value):
    why = fencing({"c1": redfish.method("c1") | {key: value}}).unusable["c1"]
    assert why.startswith(f"{key}: ")
    assert "pw@" not in why
