# SPDX-License-Identifier: Apache-2.0
"""A real Redfish service: sushy-tools' emulator with one system a host.

Used by the demo, the benchmark and the tests. Needs no pytest.
"""

import contextlib
import sys
import uuid
from collections.abc import Container, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import bcrypt
import requests
import yaml

from tests.lib import ports
from tests.lib.processes import Process

USER, PASSWORD = "fencer", "tricky: 'pa\"ss\\w0rd {x} %s"

# The emulator's fake systems take 1 to 11 s at random to change their power, counted
# in whole seconds of the clock; here they take what the first argument says.
_EMULATOR = """
import random, sys
delay = int(sys.argv.pop(1))
random.randint = lambda low, high: delay
from sushy_tools.emulator.main import main
main()
"""


class Bmcs:
    """The fence devices of some hosts: systems of one Redfish service.

    :ivar password: what the service takes now.
    """

    def __init__(self, port: int, hosts: Iterable[str]) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.password = PASSWORD
        self._users: Path | None = None
        self.systems = {
            host: str(uuid.uuid5(uuid.NAMESPACE_DNS, f"bmc.{host}")) for host in hosts
        }

    def path(self, host: str) -> str:
        return f"/redfish/v1/Systems/{self.systems[host]}"

    def method(self, host: str, address: str | None = None) -> dict[str, Any]:
        """A host's entry in the fencing file.

        :param address: of what stands in front of the service, if anything does.
        """
        return {
            "method": "redfish",
            "address": address or self.url,
            "username": USER,
            "password": self.password,
            "system": self.path(host),
        }

    def power(self, host: str) -> str:
        """What the host's BMC says: On or Off."""
        answer = requests.get(
            self.url + self.path(host), auth=(USER, self.password), timeout=10
        )
        answer.raise_for_status()
        return str(answer.json()["PowerState"])

    def switch_on(self, host: str) -> None:
        """As a person in the data centre does."""
        self._reset(host, "On")

    def cut(self, host: str) -> None:
        """The power fails: its BMC sees that, and nobody was asked."""
        self._reset(host, "ForceOff")

    def _reset(self, host: str, kind: str) -> None:
        reset = f"{self.url}{self.path(host)}/Actions/ComputerSystem.Reset"
        order, login = {"ResetType": kind}, (USER, self.password)
        requests.post(reset, json=order, auth=login, timeout=10).raise_for_status()

    def fencing_file(
        self,
        path: Path,
        address: str | None = None,
        addresses: Mapping[str, str] | None = None,
    ) -> None:
        """Write the fencing file of these hosts, readable by its owner alone.

        :param address: of what stands in front of the service, if anything does.
        :param addresses: the same for single hosts.
        """
        login = {
            "address": address or self.url,
            "username": USER,
            "password": self.password,
        }
        hosts = {
            host: {"method": "redfish", "system": self.path(host)}
            for host in self.systems
        }
        path.touch(0o600)
        for host, its in (addresses or {}).items():
            hosts[host]["address"] = its
        text = {"defaults": {"redfish": login}, "hosts": hosts}
        path.write_text(yaml.safe_dump(text, sort_keys=False))

    def take(self, users: Path, password: str) -> None:
        """From now on, the service takes this password, and no other one.

        :param users: the file that the emulator reads at each request.
        """
        hashed = bcrypt.hashpw(password.encode(), bcrypt.gensalt(rounds=4)).decode()
        users.write_text(f"{USER}:{hashed}\n")
        self._users, self.password = users, password

    def change_password(self, password: str) -> None:
        """As its administrator does; whoever has the old one is refused."""
        assert self._users is not None
        self.take(self._users, password)


@contextlib.contextmanager
def bmcs(
    folder: Path,
    hosts: Iterable[str],
    off: Iterable[str] = (),
    seconds: int = 1,
    refuse_power_off: bool = False,
) -> Iterator[Bmcs]:
    """Run a Redfish service with a system for each host.

    :param off: hosts without power; all others are on.
    :param seconds: how long a change of power takes, at most.
    """
    port = ports.free_port()
    found = Bmcs(port, hosts)
    without = set(off)
    config = folder / "bmc.conf"
    write_emulator(folder, config, found, port, without, refuse_power_off)
    arguments = [str(seconds), "--config", str(config)]
    command = [sys.executable, "-c", _EMULATOR, *arguments]
    process = Process(command, folder / "bmc.log")
    try:
        process.wait_until("the Redfish emulator", lambda: ports.listens(port))
        yield found
    finally:
        process.stop()


def write_emulator(
    folder: Path,
    config: Path,
    bmcs: Bmcs,
    port: int,
    off: Container[str] = (),
    refuse_power_off: bool = False,
) -> None:
    """Write the configuration of sushy-tools' emulator.

    :param folder: for its other files.
    """
    systems: list[dict[str, object]] = [
        {
            "uuid": system,
            "name": host,
            "power_state": "Off" if host in off else "On",
            "external_notifier": False,
            "nics": [],
        }
        for host, system in bmcs.systems.items()
    ]
    users = folder / "bmc-users"
    bmcs.take(users, bmcs.password)
    options = {
        "FAKE_DRIVER": True,
        "LISTEN_IP": "127.0.0.1",
        "LISTEN_PORT": port,
        "STATE_DIR": str(folder),
        "AUTH_FILE": str(users),
        "FAKE_SYSTEMS": systems,
        "DISABLE_POWER_OFF": refuse_power_off,
    }
    config.write_text(
        "".join(f"SUSHY_EMULATOR_{k} = {v!r}\n" for k, v in options.items())
    )
