# SPDX-License-Identifier: Apache-2.0
"""A Redfish service, an IPMI BMC and a fencing file."""

import contextlib
import json
import socket
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bcrypt
import pytest

from nova_ha_scheduler.fencing import Limits
from nova_ha_scheduler.fencing.config import Fencing, load
from tests import peers, ports
from tests.bmc import simulator

PASSWORD = "tricky: 'pa\"ss\\w0rd {x} %s"

# The emulator's fake systems take 1 to 11 s at random to change their power; here as
# long as the first argument says.
EMULATOR = """
import random
import sys
seconds = int(sys.argv.pop(1))
random.randint = lambda low, high: seconds
from sushy_tools.emulator.main import main
main()
"""


@dataclass(frozen=True)
class Redfish:
    """sushy-tools' Redfish emulator with several systems."""

    address: str
    on: str
    off: str
    stubborn: str

    @staticmethod
    def path(system: str) -> str:
        return f"/redfish/v1/Systems/{system}"


@pytest.fixture
def redfish(tmp_path: Path) -> Iterator[Redfish]:
    with emulator(tmp_path) as found:
        yield found


@contextlib.contextmanager
def emulator(
    folder: Path, refuse_power_off: bool = False, seconds: int = 1
) -> Iterator[Redfish]:
    """:param seconds: how long a change of power takes."""
    port = ports.free_port()
    ids = [str(uuid.uuid4()) for _ in range(3)]
    systems = [
        {
            "uuid": name,
            "name": f"system-{n}",
            "power_state": "Off" if n == 1 else "On",
            "external_notifier": False,
            "nics": [],
        }
        for n, name in enumerate(ids)
    ]
    users = folder / "users"
    hashed = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(rounds=4)).decode()
    users.write_text(f"fencer:{hashed}\n")
    config = folder / "emulator.conf"
    config.write_text(
        f"SUSHY_EMULATOR_FAKE_DRIVER = True\n"
        f"SUSHY_EMULATOR_LISTEN_IP = '127.0.0.1'\n"
        f"SUSHY_EMULATOR_LISTEN_PORT = {port}\n"
        f"SUSHY_EMULATOR_STATE_DIR = {str(folder)!r}\n"
        f"SUSHY_EMULATOR_AUTH_FILE = {str(users)!r}\n"
        f"SUSHY_EMULATOR_DISABLE_POWER_OFF = {refuse_power_off}\n"
        f"SUSHY_EMULATOR_FAKE_SYSTEMS = {systems!r}\n"
    )
    command = [sys.executable, "-c", EMULATOR, str(seconds), "--config", str(config)]
    log = folder / "emulator.log"
    with peers.running(command, log, lambda: ports.listens(port)):
        yield Redfish(f"http://127.0.0.1:{port}", *ids)


@pytest.fixture
def fencing(tmp_path: Path) -> Callable[..., Fencing]:
    """Load a fencing file that holds these hosts."""

    def make(
        hosts: Mapping[str, Any], limits: Limits | None = None, **top: Any
    ) -> Fencing:
        path = tmp_path / "fencing.yaml"
        path.touch(0o600)
        path.write_text(json.dumps({"hosts": hosts, **top}))  # JSON is YAML
        return load(str(path), limits or Limits(power_off=6, request=3))

    return make


@dataclass(frozen=True)
class Bmc:
    """OpenIPMI's simulator, speaking IPMI over LAN."""

    port: int
    power: Path

    @property
    def options(self) -> dict[str, str]:
        return {
            "ip": "127.0.0.1",
            "ipport": str(self.port),
            "username": "fencer",
            "password": "hunter2",
            "lanplus": "1",
            "cipher": "3",  # all that the simulator knows
        }


@pytest.fixture
def bmc(tmp_path: Path) -> Iterator[Bmc]:
    peers.program("ipmi_sim", "openipmi")
    peers.program("ipmitool", "ipmitool")
    power = tmp_path / "power"
    power.write_text("1\n")
    chassis = tmp_path / "chassis"
    chassis.write_text(
        f'#!/bin/sh\n[ "$2" = get ] && echo "power:$(cat {power})" && exit\n'
        f"echo $4 > {power}\n"
    )
    chassis.chmod(0o700)
    port = ports.free_port(socket.SOCK_DGRAM)
    command = simulator(tmp_path, port, chassis, "fencer", "hunter2")
    started = time.monotonic()
    with peers.running(
        command, tmp_path / "sim.log", lambda: time.monotonic() - started > 0.5
    ):
        yield Bmc(port, power)
