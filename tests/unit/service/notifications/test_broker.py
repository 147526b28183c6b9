# SPDX-License-Identifier: Apache-2.0
"""A broker is known wherever oslo.config lets an operator name it."""

import subprocess
import sys
from pathlib import Path

import pytest

from nova_ha_scheduler.service import startup
from nova_ha_scheduler.service.notifications import broker

URL = "transport_url = rabbit://192.0.2.1/\n"


@pytest.mark.parametrize(
    ("said", "named", "sends"),
    [
        ("", False, False),
        (f"[{broker.GROUP}]\n", False, False),
        (f"[{broker.GROUP}]\n{URL}", True, False),
        (f"[{broker.GROUP}]\n{URL}driver = messagingv2\n", True, True),
    ],
)
def test_in_the_file(tmp_path: Path, said: str, named: bool, sends: bool) -> None:
    file = tmp_path / "nova-ha.conf"
    file.write_text(said)
    conf = startup.load("test", [f"--config-file={file}"], for_logging=False)
    assert (broker.configured(conf), broker.sends(conf)) == (named, sends)


def test_in_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OS_OSLO_MESSAGING_NOTIFICATIONS__TRANSPORT_URL", "rabbit://x/")
    file = tmp_path / "nova-ha.conf"
    file.touch()
    conf = startup.load("test", [f"--config-file={file}"], for_logging=False)
    assert broker.configured(conf)


JOINED = """
import sys, threading
from nova_ha_scheduler.service import startup
from nova_ha_scheduler.service.loop import Service
from nova_ha_scheduler.service.parts import Parts

parts = Parts(startup.load("test", sys.argv[1:]), only=("host",))
parts.database.upgrade()
service = Service(parts, listens=False)
thread = threading.Thread(target=service.run, daemon=True)
thread.start()
service.stop()
thread.join(20)
sys.exit(thread.is_alive())
"""


def test_a_command_that_has_been_the_trigger_ends(tmp_path: Path) -> None:
    """It waits for the thread in which the trigger ran."""
    file, fencing = tmp_path / "nova-ha.conf", tmp_path / "fencing.yaml"
    fencing.touch(0o600)
    fencing.write_text("hosts: {}\n")
    clouds = tmp_path / "clouds.yaml"
    clouds.write_text("clouds: {x: {auth_type: none, endpoint: 'http://192.0.2.1'}}\n")
    file.write_text(
        f"[database]\nconnection = sqlite:///{tmp_path}/journal\n"
        f"[fencing]\nconfig_file = {fencing}\n[cloud]\nname = x\n"
        f"[{broker.GROUP}]\n{URL}driver = messagingv2\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", JOINED, f"--config-file={file}"],
        env={"OS_CLIENT_CONFIG_FILE": str(clouds), "PATH": ""},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
