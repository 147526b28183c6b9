# SPDX-License-Identifier: Apache-2.0
"""A Redfish service, an IPMI BMC and a fencing file."""

import json
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from nova_ha_scheduler.fencing import Deadlines
from nova_ha_scheduler.fencing.config import FenceDevices, load
from tests.lib import peers, ports
from tests.lib.bmc import simulator
from tests.lib.redfish import Bmcs, bmcs


@pytest.fixture
def redfish(tmp_path: Path) -> Iterator[Bmcs]:
    with bmcs(tmp_path, ("c1", "c2", "off"), off=("off",)) as found:
        yield found


@pytest.fixture
def fencing(tmp_path: Path) -> Callable[..., FenceDevices]:
    """Load a fencing file that holds these hosts."""

    def make(
        hosts: Mapping[str, Any], limits: Deadlines | None = None, **top: Any
    ) -> FenceDevices:
        path = tmp_path / "fencing.yaml"
        path.touch(0o600)
        path.write_text(json.dumps({"hosts": hosts, **top}))  # JSON is YAML
        return load(str(path), limits or Deadlines(power_off=6, request=3))

    return make


def device_of(fences: FenceDevices, host: str) -> Any:
    """The driver of a host that has one alone."""
    (found,) = fences._hosts[host].devices
    return found


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
