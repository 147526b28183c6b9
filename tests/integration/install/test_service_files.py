# SPDX-License-Identifier: Apache-2.0
"""What lies in etc/service, as the programs that read it understand it."""

import os
import re
import stat
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.lib.peers import program

FILES = Path(__file__).parents[3] / "etc" / "service"
UNIT = "nova-ha-evacuator.service"
GOOD_ENOUGH = 3.0
"""systemd's own measure of how exposed a service is, 0 to 10."""


def _ask(name: str, package: str, *arguments: str) -> str:
    """Run a program that has to be content; all that it says."""
    done = subprocess.run(
        [program(name, package), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit, with a program that is there."""
    text = (FILES / UNIT).read_text()
    ours = Path(sys.executable).with_name("nova-ha-evacuator")
    path = tmp_path / UNIT
    path.write_text(text.replace("ExecStart=", f"ExecStart={ours.parent}/"))
    return path


def test_the_unit_is_understood(unit: Path) -> None:
    said = _ask("systemd-analyze", "systemd", "verify", "--man=no", str(unit))
    assert said == ""  # an unknown key is a warning, and no error


def test_the_unit_is_hardened(unit: Path) -> None:
    said = _ask(
        "systemd-analyze", "systemd", "security", "--no-pager", "--offline=yes",
        str(unit),
    )  # fmt: skip
    found = re.search(r"Overall exposure level for .*: ([0-9.]+)", said)
    assert found, said
    assert float(found[1]) < GOOD_ENOUGH, said


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A system's root, with the service's users."""
    root = tmp_path / "root"
    (root / "etc").mkdir(parents=True)
    users = str(FILES / "sysusers.conf")
    _ask("systemd-sysusers", "systemd", f"--root={root}", users)
    return root


def _ids(root: Path, name: str) -> dict[str, int]:
    lines = (root / "etc" / name).read_text().splitlines()
    return {line.split(":")[0]: int(line.split(":")[2]) for line in lines}


def test_users(root: Path) -> None:
    assert _ids(root, "passwd").keys() == {"nova-ha"}
    assert _ids(root, "group").keys() == {"nova-ha", "nova-ha-word"}
    assert (
        "nova-ha-word:x:{}:nova-ha\n".format(_ids(root, "group")["nova-ha-word"])
        in (root / "etc/group").read_text()
    )
    *_, home, shell = (root / "etc/passwd").read_text().strip().split(":")
    assert home == "/var/lib/nova-ha-scheduler"
    assert shell.endswith("/nologin")  # nobody logs in


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files to users")
def test_directories(root: Path) -> None:
    conf = root / "etc/nova-ha-scheduler"
    state = root / "var/lib/nova-ha-scheduler"
    for path in (conf, state):
        path.mkdir(parents=True)
    for path in (
        conf / "nova-ha.conf",
        conf / "fencing.yaml",
        state / "journal.sqlite",
    ):
        path.write_text("too open")
        path.chmod(0o666)
    for path in (state, state / "journal.sqlite"):  # made by the service
        os.chown(path, _ids(root, "passwd")["nova-ha"], -1)
    rules = str(FILES / "tmpfiles.conf")
    _ask("systemd-tmpfiles", "systemd", "--create", f"--root={root}", rules)

    users, groups = _ids(root, "passwd"), _ids(root, "group")
    names = {number: name for name, number in users.items()} | {0: "root"}
    of_group = {number: name for name, number in groups.items()} | {0: "root"}
    found = {}
    for path in root.rglob("*"):
        if any("nova-ha" in part for part in path.relative_to(root).parts):
            its = path.stat()
            mode = stat.S_IMODE(its.st_mode)
            owner = f"{names[its.st_uid]}:{of_group[its.st_gid]}"
            found["/" + str(path.relative_to(root))] = f"{mode:04o} {owner}"
    assert found == {
        "/etc/nova-ha-scheduler": "0755 root:root",
        "/etc/nova-ha-scheduler/nova-ha.conf": "0640 root:nova-ha",
        "/etc/nova-ha-scheduler/fencing.yaml": "0600 nova-ha:nova-ha",
        "/var/lib/nova-ha-scheduler": "0750 nova-ha:nova-ha",
        "/var/lib/nova-ha-scheduler/journal.sqlite": "0640 nova-ha:nova-ha",
        "/var/log/nova-ha-scheduler": "0750 nova-ha:nova-ha",
        "/var/spool/nova-ha-scheduler": "0755 root:root",
        "/var/spool/nova-ha-scheduler/words": "1730 nova-ha:nova-ha-word",
        "/var/lib/nova-ha-admission": "0755 nova-ha:nova-ha",
        "/run/nova-ha-scheduler": "0755 nova-ha:nova-ha",
    }


def test_unit_and_directories_agree() -> None:
    """The unit makes three of them, too."""
    unit = (FILES / UNIT).read_text()
    rules = (FILES / "tmpfiles.conf").read_text()
    for kind, place in {
        "State": "var/lib",
        "Logs": "var/log",
        "Runtime": "run",
    }.items():
        mode = re.search(rf"^{kind}DirectoryMode=(\d+)$", unit, re.MULTILINE)
        assert mode, kind
        assert f"{kind}Directory=nova-ha-scheduler\n" in unit
        assert re.search(
            rf"^d +/{place}/nova-ha-scheduler +{mode[1]} nova-ha nova-ha$",
            rules,
            re.MULTILINE,
        ), kind


def _rotate(*arguments: str) -> str:
    return _ask("logrotate", "logrotate", *arguments)


def test_logs_are_rotated(tmp_path: Path) -> None:
    """Under a service that keeps its file open."""
    log = tmp_path / "nova-ha.log"
    log.write_text("before\n")
    text = (FILES / "logrotate.conf").read_text()
    text = text.replace("/var/log/nova-ha-scheduler", str(tmp_path))
    # Who runs the tests has no user nova-ha; the unit's test knows it.
    text = text.replace("    su nova-ha nova-ha\n", "")
    conf = tmp_path / "logrotate.conf"
    conf.write_text(text)
    conf.chmod(0o644)
    tmp_path.chmod(0o755)
    with log.open("a") as kept_open:
        _rotate("--force", "--state", str(tmp_path / "state"), str(conf))
        kept_open.write("after\n")
    assert log.read_text() == "after\n"
    assert (tmp_path / "nova-ha.log.1").read_text() == "before\n"


def _setpriv(*rest: str) -> Sequence[str]:
    """As the unit runs a child of the service."""
    capability = "-all,+net_raw"
    return [
        program("setpriv", "util-linux"), "--reuid=65534", "--regid=65534",
        "--clear-groups", "--no-new-privs", f"--inh-caps={capability}",
        f"--ambient-caps={capability}", f"--bounding-set={capability}", *rest,
    ]  # fmt: skip


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives up privileges")
def test_ping_works_with_what_the_unit_leaves() -> None:
    """Of all that a witness or a fence agent runs, it alone needs a privilege."""
    text = (FILES / UNIT).read_text()
    assert "\nCapabilityBoundingSet=CAP_NET_RAW\n" in text
    assert "\nAmbientCapabilities=CAP_NET_RAW\n" in text
    ping = program("ping", "iputils-ping")
    command = [*_setpriv(ping, "-c1", "-W2", "127.0.0.1")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
