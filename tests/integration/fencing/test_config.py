# SPDX-License-Identifier: Apache-2.0
"""The fencing file: what is wrong with it is said at start-up, with its place."""

import os
from pathlib import Path

import pytest
from oslo_config import cfg

from nova_ha_scheduler.evacuation.interfaces import Power
from nova_ha_scheduler.fencing import (
    Deadlines,
    FencingFileError,
)
from nova_ha_scheduler.fencing.config import FenceDevices, load
from nova_ha_scheduler.fencing.manual import Manual
from nova_ha_scheduler.fencing.secrets import Secret
from tests.integration.fencing.conftest import device_of
from tests.lib import peers

REDFISH = """
  c1:
    method: redfish
    address: https://192.0.2.11
    username: fencer
    password: hunter2
"""


@pytest.fixture
def file(tmp_path: Path):
    def write(text: str, mode: int = 0o600) -> str:
        path = tmp_path / "fencing.yaml"
        path.write_text(text)
        path.chmod(mode)
        return str(path)

    return write


def error_of(path: str) -> str:
    with pytest.raises(FencingFileError) as error:
        load(path, Deadlines())
    assert "hunter2" not in str(error.value)
    assert str(error.value).startswith(f"{path}: ")
    return str(error.value).removeprefix(f"{path}: ")


def only_costs(path: str, host: str) -> str:
    """What is wrong with that host, and with no other one."""
    found = load(path, Deadlines())
    assert "hunter2" not in str(found.unusable)
    assert found.unusable.keys() == {host}
    assert found.methods == {"other": "manual"}
    report = found.power_off(host)
    assert (report.power, report.by) == (Power.UNKNOWN, "none")
    assert report.detail == f"{path}: host {host}: {found.unusable[host]}"
    return found.unusable[host]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (
            "method:",
            "methd:",
            "method is missing (methd is no key: did you mean method?)",
        ),
        ("redfish", "redfsh", "method redfsh does not exist"),
        ("redfish", "[]", "method: a name is needed"),
        ("address:", "adress:", "unknown key adress (did you mean address?)"),
        ("    username: fencer\n", "", "username missing for method redfish"),
        ("hunter2", '""', "password: a text is needed"),
        ("hunter2", "", "password: a text is needed"),
        ("hunter2", "[hunter2]", "password: a text is needed"),
        ("hunter2", '"hunter2\\nx"', "password: only printable characters"),
        ("    method", "    method: manual\n    method", "method stands twice"),
        ("https://192.0.2.11", "'https://['", "address: a URL such as"),
        ("https://192.0.2.11", "https://a:99999", "address: a URL such as"),
        ("  c1:", "  c1: {method: manual}\n  c1:", "stands twice"),
        (REDFISH, "\n  c1: redfish\n", "its value must hold key: value pairs"),
    ],
)
def test_an_entry_that_cannot_be_used_costs_that_host_alone(file, old, new, words):
    text = "hosts:\n  other: {method: manual}" + REDFISH.replace(old, new, 1)
    assert only_costs(file(text), "c1").startswith(words)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("hunter2", "*hunter2", "is not valid YAML at line 6"),
        ("hunter2", "'hunter2", "is not valid YAML at line"),
        ("hosts:", "host:", "unknown key host (did you mean hosts?)"),
        ("hosts:", "defaults: {}\nhosts:", None),
        ("hosts:", "defaults: {redfish: {adress: x}}\nhosts:", "defaults: redfish: un"),
        ("hosts:", "defaults: {redfsh: {}}\nhosts:", "defaults: redfsh: method redfsh"),
        ("hosts:", "hosts: {}\nhosts:", "hosts stands twice"),
    ],
)
def test_a_typo_drops_nothing(file, old, new, words):
    text = ("hosts:" + REDFISH).replace(old, new, 1)
    path = file(text)
    if words is None:
        load(path, Deadlines())
    else:
        assert error_of(path).startswith(words)


@pytest.mark.parametrize("text", ["", "hosts:", "hosts: [c1]", "- a"])
def test_no_hosts(file, text):
    assert "must hold key: value pairs" in error_of(file(text))


def test_not_text(tmp_path):
    path = tmp_path / "fencing.yaml"
    path.write_bytes(b"\xff\xfe\xfa")
    path.chmod(0o600)
    assert error_of(str(path)).startswith("is not valid YAML")


def test_missing_file(tmp_path):
    assert error_of(str(tmp_path / "no")) == "cannot be read: No such file or directory"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o601])
def test_a_mode_that_shows_credentials(file, mode):
    words = f"holds credentials, but its mode is {mode:04o}: chmod 0600 it"
    assert error_of(file("hosts:" + REDFISH, mode)) == words


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_file_of_somebody_else(file):
    path = file("hosts:" + REDFISH)
    os.chown(path, 65534, -1)
    said = error_of(path)
    assert said.startswith(
        "belongs to nobody: run this as that user (runuser -u nobody"
    )


def test_the_sample(file):
    peers.program("fence_ipmilan", "fence-agents")
    path = Path(__file__).parents[3] / "etc/nova-ha-scheduler/fencing.yaml.sample"
    found = load(file(path.read_text()), Deadlines())
    assert not found.unusable
    assert found.methods == {
        "compute-1": "redfish",
        "compute-2": "agent",
        "compute-3": "manual",
        "compute-4": "redfish, agent + agent",
        "compute-5": "kdump, redfish",
    }


def test_two_hosts_on_one_device(file):
    """Neither is fenced by it: which one is it?"""
    text = "hosts:\n  other: {method: manual}"
    found = load(file(text + REDFISH + REDFISH.replace("c1", "c2")[1:]), Deadlines())
    assert found.unusable == {
        "c1": "has the same device as host c2",
        "c2": "has the same device as host c1",
    }
    assert found.methods == {"other": "manual"}


def test_a_drivers_bug_costs_its_host_alone(file, monkeypatch):
    monkeypatch.setattr(Manual, "prepare", lambda self: {}[self.host])
    found = load(file("hosts:\n  other: {method: manual}" + REDFISH), Deadlines())
    assert found.unusable == {"other": "it cannot be read: KeyError"}
    assert found.methods == {"c1": "redfish"}


def test_defaults_are_shared_and_overridden(file):
    path = file(
        "defaults:\n  redfish: {username: fencer, password: 0123, verify: no}\n"
        "hosts:\n"
        "  c1: {method: redfish, address: https://192.0.2.1}\n"
        "  c2: {method: redfish, address: https://192.0.2.2, password: own}\n"
    )
    fences = load(path, Deadlines())
    assert device_of(fences, "c1").settings["password"] == Secret("0123")
    assert device_of(fences, "c2").settings["password"] == Secret("own")
    assert device_of(fences, "c1").verify is False


def test_what_a_host_lacks(file):
    path = file("hosts:" + REDFISH)
    fences = load(path, Deadlines())
    assert fences.lacks("c1") == ""
    for name in ("c10", "c2", "other"):
        assert fences.lacks(name) == f"{path} has no entry for it"
    same = f"{path} has no entry for it (perhaps c1?)"
    assert fences.lacks("c1.example.org") == same
    fences.hear_names({"c1": "c1", "c1.example.org": "c1.example.org"})
    assert "perhaps" not in fences.lacks("c1.example.org"), "c1 is another host"


def test_host_names_are_exact(file):
    fences = load(file("hosts:" + REDFISH), Deadlines())
    for name in ("c", "c10", "C1", "c1.example.org"):
        report = fences.power_off(name)
        assert (report.power, report.by) == (Power.UNKNOWN, "none")


def test_manual_waits_for_the_word(file):
    fences = load(file("hosts: {c1: {method: manual}}"), Deadlines())
    report = fences.power_off("c1")
    assert (report.power, report.by) == (Power.UNKNOWN, "manual")
    assert "nova-ha confirm-fenced c1 --by NAME --reason TEXT" in report.detail
    assert fences.with_device == []
    assert fences.broken(2) == {}


def test_from_conf(file, tmp_path):
    ours = tmp_path / "nova-ha.conf"
    theirs = file("hosts:" + REDFISH)
    ours.write_text(f"[fencing]\nconfig_file = {theirs}\nrequest_timeout = 7\n")
    conf = cfg.ConfigOpts()
    conf([], default_config_files=[str(ours)], default_config_dirs=[])
    assert device_of(FenceDevices.from_conf(conf), "c1").limits == Deadlines(120, 7)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("? [a, b]\n: c\nhosts: {}", "is not valid YAML at line 1"),
        ("hosts:\n  ? {a: b}\n  : {method: manual}", "is not valid YAML at line 2"),
        ("hosts: " + "{a: " * 3000 + "1" + "}" * 3000, "nested too deeply"),
        ("hosts: &h {c1: *h}", "is not valid YAML"),
    ],
)
def test_what_yaml_can_be_is_a_sentence(file, text, words):
    assert words in error_of(file(text))
