# SPDX-License-Identifier: Apache-2.0
"""The fence devices of the hosts: a Redfish service, and BMCs that speak IPMI.

Both switch the same power (machines.py).
"""

import socket
import sys
from typing import Any

from tests.lib import bmc, packages, ports, redfish
from tests.lib.stack.programs import Program
from tests.lib.stack.site import Site

_IPMI_PASSWORD = "hunter2"  # at most 16 bytes


class Redfish:
    """sushy-tools' emulator with a system for each host."""

    def __init__(self, site: Site) -> None:
        self.port = ports.free_port()
        self._site = site
        self._folder = site.folder / "redfish"
        self._bmcs = redfish.Bmcs(self.port, site.layout.zones)
        self._config = self._folder / "emulator.conf"
        command = [sys.executable, "-m", "tests.lib.stack.redfish", str(site.room)]
        self.program: Program = site.program(
            "redfish",
            [*command, "--config", str(self._config)],
            lambda _: ports.listens(self.port),
        )

    def prepare(self) -> None:
        self._folder.mkdir()
        redfish.write_emulator(self._folder, self._config, self._bmcs, self.port)

    def path(self, host: str) -> str:
        """The path of a host's system."""
        return self._bmcs.path(host)

    def method(self, host: str, address: str) -> dict[str, Any]:
        """A host's entry in the fencing file.

        :param address: of the service, or of a gate before it.
        """
        return self._bmcs.method(host, address)


class Ipmi:
    """OpenIPMI's simulator: the BMC of one host.

    :ivar program: the simulator.
    """

    def __init__(self, site: Site, host: str) -> None:
        self._port = ports.free_port(socket.SOCK_DGRAM)
        folder = site.folder / f"ipmi-{host}"
        folder.mkdir()
        chassis = folder / "chassis"
        chassis.write_text(
            f"#!/bin/sh\nexec {sys.executable} -m tests.lib.stack.machines "
            f'{site.room} {host} "$@"\n'
        )
        chassis.chmod(0o700)
        command = bmc.simulator(
            folder, self._port, chassis, redfish.USER, _IPMI_PASSWORD
        )
        self.program: Program = site.program(f"ipmi-{host}", command, lambda _: True)

    def method(self) -> dict[str, Any]:
        """The host's entry in the fencing file: fence_ipmilan."""
        packages.find("fence_ipmilan", "fence-agents")
        packages.find("ipmitool", "ipmitool")
        options = {
            "ip": "127.0.0.1",
            "ipport": str(self._port),
            "username": redfish.USER,
            "password": _IPMI_PASSWORD,
            "lanplus": "1",
            "cipher": "3",  # all that the simulator knows
        }
        return {"method": "agent", "agent": "fence_ipmilan", "options": options}
