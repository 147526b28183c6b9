# SPDX-License-Identifier: Apache-2.0
"""The trigger and its fence devices beside a cloud, as an operator would run them.

The devices are a real Redfish service: sushy-tools' emulator with one system a host.
Used by the demo, the benchmark and the tests. Needs no pytest.
"""

import contextlib
import json
import os
import subprocess
import sys
import uuid
from collections.abc import Container, Iterable, Iterator
from pathlib import Path

import bcrypt
import requests

from nova_ha_scheduler.evacuation import startup
from nova_ha_scheduler.journal.database import Database
from nova_ha_scheduler.journal.history import History
from tests import ports
from tests.cloud.config import CLOUD_NAME, Conf, merge, render
from tests.errors import ProgramError
from tests.processes import Process

USER, PASSWORD = "fencer", "s3cret of the BMCs"

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
    """The fence devices of some hosts: systems of one Redfish service."""

    def __init__(self, port: int, hosts: Iterable[str]) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.systems = {
            host: str(uuid.uuid5(uuid.NAMESPACE_DNS, f"bmc.{host}")) for host in hosts
        }

    def path(self, host: str) -> str:
        return f"/redfish/v1/Systems/{self.systems[host]}"

    def power(self, host: str) -> str:
        """What the host's BMC says: On or Off."""
        answer = requests.get(
            self.url + self.path(host), auth=(USER, PASSWORD), timeout=10
        )
        answer.raise_for_status()
        return str(answer.json()["PowerState"])

    def switch_on(self, host: str) -> None:
        """As a person in the data centre does."""
        reset = f"{self.url}{self.path(host)}/Actions/ComputerSystem.Reset"
        order, login = {"ResetType": "On"}, (USER, PASSWORD)
        requests.post(reset, json=order, auth=login, timeout=10).raise_for_status()

    def fencing_file(self, path: Path, address: str | None = None) -> None:
        """Write the fencing file of these hosts, readable by its owner alone.

        :param address: of what stands in front of the service, if anything does.
        """
        login = {
            "address": address or self.url,
            "username": USER,
            "password": PASSWORD,
        }
        hosts = {
            host: {"method": "redfish", "system": self.path(host)}
            for host in self.systems
        }
        path.touch(0o600)
        # JSON is YAML.
        text = {"defaults": {"redfish": login}, "hosts": hosts}
        path.write_text(json.dumps(text, indent=1))


@contextlib.contextmanager
def bmcs(
    folder: Path, hosts: Iterable[str], off: Iterable[str] = (), seconds: int = 1
) -> Iterator[Bmcs]:
    """Run a Redfish service with a system for each host.

    :param off: hosts without power; all others are on.
    :param seconds: how long a change of power takes, at most.
    """
    port = ports.free_port()
    found = Bmcs(port, hosts)
    without = set(off)
    config = folder / "bmc.conf"
    write_emulator(folder, config, found, port, without)
    arguments = [str(seconds), "--config", str(config)]
    command = [sys.executable, "-c", _EMULATOR, *arguments]
    process = Process(command, folder / "bmc.log")
    try:
        process.wait_until("the Redfish emulator", lambda: ports.listens(port))
        yield found
    finally:
        process.stop()


def write_emulator(
    folder: Path, config: Path, bmcs: Bmcs, port: int, off: Container[str] = ()
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
    hashed = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(rounds=4)).decode()
    users.write_text(f"{USER}:{hashed}\n")
    options = {
        "FAKE_DRIVER": True,
        "LISTEN_IP": "127.0.0.1",
        "LISTEN_PORT": port,
        "STATE_DIR": str(folder),
        "AUTH_FILE": str(users),
        "FAKE_SYSTEMS": systems,
    }
    config.write_text(
        "".join(f"SUSHY_EMULATOR_{k} = {v!r}\n" for k, v in options.items())
    )


class Trigger:
    """A configuration of the trigger with a journal of its own, and its programs."""

    def __init__(self, folder: Path, clouds_yaml: Path, conf: Conf) -> None:
        self.conf_file = folder / "nova-ha.conf"
        self.journal = folder / "journal.sqlite"
        self.fencing_file = folder / "fencing.yaml"
        ours: Conf = {
            "cloud": {"name": CLOUD_NAME},
            "database": {"connection": f"sqlite:///{self.journal}"},
            "fencing": {"config_file": self.fencing_file},
        }
        self.conf_file.write_text(render(merge(ours, conf)))
        # eventlet, which Nova's releases bring, warns of itself wherever it is found.
        self.environment = {
            "OS_CLIENT_CONFIG_FILE": str(clouds_yaml),
            "PYTHONWARNINGS": "ignore",
        }
        self._folder = folder
        self._starts = 0

    def start(self) -> Process:
        """Start nova-ha-evacuator; return at once."""
        self._starts += 1
        log = self._folder / f"evacuator-{self._starts}.log"
        return Process([_program("nova-ha-evacuator"), self._option], log, self._env)

    @contextlib.contextmanager
    def running(self) -> Iterator[Process]:
        """Run nova-ha-evacuator; it is the active trigger when the block begins."""
        process = self.start()
        try:
            process.wait_until("nova-ha-evacuator", lambda: is_active(process))
            yield process
        finally:
            process.stop()

    def nova_ha(self, *arguments: str) -> str:
        """Run the command line; return what it prints."""
        done = subprocess.run(
            [_program("nova-ha"), self._option, *arguments],
            capture_output=True,
            text=True,
            timeout=60,
            env=self._env,
        )
        if done.returncode:
            raise ProgramError(f"nova-ha {' '.join(arguments)}: {done.stderr}")
        return done.stdout

    def history(self) -> History:
        """The journal, read here: cheaper than a process for each look."""
        return History(Database(startup.load("nova-ha", [self._option])))

    @property
    def _option(self) -> str:
        return f"--config-file={self.conf_file}"

    @property
    def _env(self) -> dict[str, str]:
        return {**os.environ, **self.environment}


def is_active(process: Process) -> bool:
    """Whether a trigger has said that it is the active one."""
    return "This trigger is the active one" in process.log.read_text(errors="replace")


def _program(name: str) -> str:
    return str(Path(sys.executable).with_name(name))
