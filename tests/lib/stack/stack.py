# SPDX-License-Identifier: Apache-2.0
"""All together: an OpenStack of real processes, with a handle on each of them."""

import functools
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, ClassVar, Self

import requests

from tests.lib import broker, ports
from tests.lib.cloud import config
from tests.lib.cloud.client import Client
from tests.lib.cloud.config import Conf
from tests.lib.errors import CloudError
from tests.lib.stack import heal, machines, servers, site
from tests.lib.stack.database import Databases
from tests.lib.stack.evacuator import QUICK, Trigger
from tests.lib.stack.gate import Gate
from tests.lib.stack.keeper import Keeper
from tests.lib.stack.keystone import Keystone
from tests.lib.stack.machines import Machine
from tests.lib.stack.nova import Nova
from tests.lib.stack.others import PATHS, Others, StandIns
from tests.lib.stack.placement import Placement
from tests.lib.stack.power import Ipmi, Redfish
from tests.lib.stack.programs import Handle, Program


class Stack(Client):
    """Use it as a context manager: up when the block begins, gone when it ends.

    The client's own requests go past the gates, which the trigger and Nova's services
    pass.

    :ivar site: its folder and layout.
    :ivar machines: the compute hosts by name: start, kill, freeze, thaw, lie.
    :ivar programs: all others by name.
    :ivar gates: the proxies by name: compute, placement, redfish.
    :ivar used: whether it may not be any more as it was at the start.
    :ivar seconds: when each step of the start had ended, in seconds from its begin.
    :ivar others: what is a stand-in here (others.py).
    """

    nova_class: type[Nova] = Nova
    bears: ClassVar[int] = 30
    """Servers in a zone; with more, this machine has no breath left."""
    slowly: ClassVar[Conf] = {}
    """What the trigger's configuration has to say of how slow this Nova is."""

    def __init__(self, layout: site.Layout | None = None) -> None:
        folder = Path(tempfile.mkdtemp(prefix="nova-ha-stack-"))
        super().__init__(folder / "clouds.yaml", folder / "logs")
        self.folder = folder
        self.seconds: dict[str, float] = {}
        self.used = False
        self._began = time.monotonic()
        self._keeper = Keeper(folder)
        environment = site.environment(self._keeper.mark)
        self.site = site.Site(folder, layout or self.layout(), environment)
        self.site.logs.mkdir()
        self._build()

    @staticmethod
    def layout() -> site.Layout:
        """What is built if nobody says else."""
        return site.Layout()

    def _build(self) -> None:
        here = self.site
        self.databases = Databases(here)
        self.gates = {name: Gate(name) for name in ("compute", "placement", "redfish")}
        self.keystone = Keystone(here, self.databases.url("keystone"))
        self.rabbitmq = broker.Broker(here.folder / "rabbitmq")
        self.others = self._make_others()
        urls = {
            **{name: self.gates[name].url for name in ("compute", "placement")},
            **self.others.urls,
        }
        catalog = {name: url + PATHS.get(name, "") for name, url in urls.items()}
        self.catalog: Mapping[str, str] = catalog
        placement = self.databases.url("placement")
        self.placement_server = Placement(here, placement, self.keystone)
        names = ("nova_api", "nova_cell0", "nova_cell1")
        self.compute = self.nova_class(
            here,
            self.keystone,
            catalog,
            {name: self.databases.url(name) for name in names},
            self.rabbitmq.url,
        )
        self.redfish = Redfish(here)
        self.endpoints = {
            "compute": f"http://127.0.0.1:{self.compute.port}/v2.1",
            "placement": f"http://127.0.0.1:{self.placement_server.port}",
        }
        self.machines: Mapping[str, Machine] = self.compute.machines
        self.programs: dict[str, Program] = {
            program.name: program
            for program in [
                self.databases.program,
                self.keystone.program,
                self.placement_server.program,
                self.redfish.program,
                *self.compute.programs.values(),
                *self.others.programs,
                self._broker("epmd", self.rabbitmq.epmd, self.rabbitmq.epmd_port),
                self._broker("rabbitmq", [broker.SERVER], self.rabbitmq.port),
            ]
        }
        self._triggers: list[Trigger] = []
        self._journals = 0

    def _make_others(self) -> Others:
        return StandIns()

    def _broker(self, name: str, command: list[str], port: int) -> Program:
        environment = {**self.rabbitmq.environment, **self._keeper.mark}
        return Program(
            name, command, self.site.logs, environment, lambda _: ports.listens(port)
        )

    # Up and down.

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def _start(self) -> None:
        identity = config.clouds_yaml(self.keystone.url)
        self.clouds_yaml.write_text(identity)
        self.programs["epmd"].start()
        self.programs["rabbitmq"].begin()
        self.databases.prepare()
        self._took("MariaDB")
        self.placement_server.prepare()
        self.redfish.prepare()
        with ThreadPoolExecutor() as pool:
            nova = pool.submit(self.compute.prepare)
            others = pool.submit(self.others.prepare)
            keystone = pool.submit(self.keystone.prepare)
            for part in (self.placement_server, self.redfish):
                part.program.begin()
            keystone.result()
            self.keystone.program.begin()
            self.programs["rabbitmq"].wait()
            nova.result()
            others.result()
        self._took("tables")
        for program in [*self.compute.programs.values(), self.compute.starter]:
            program.begin()
        self.keystone.program.wait()
        self.placement_server.program.wait()
        self.keystone.catalog(self.catalog)
        self._took("keystone")
        self.others.start()
        self._took("images, networks, volumes")
        self.gates["compute"].open(self.compute.port)
        self.gates["placement"].open(self.placement_server.port)
        self.gates["redfish"].open(self.redfish.port)
        # A compute that asks before the conductor is there waits for ten seconds.
        self.programs["nova-conductor"].wait()
        self.compute.starter.wait()
        for machine in self.machines.values():
            machine.start("stack")
        for program in self.programs.values():
            program.wait()
        self._took("services")
        self.wait_up(self.machines)
        self._took("computes")
        servers.tag(self, self.site.layout)
        self._took("tags")

    def _took(self, step: str) -> None:
        self.seconds[step] = round(time.monotonic() - self._began, 1)

    def stop(self) -> None:
        """Kill everything, leaving the files."""
        self.close()
        for gate in self.gates.values():
            gate.close()
        self.others.stop()
        self._keeper.end()

    def remove(self) -> None:
        """Delete the files."""
        shutil.rmtree(self.folder)

    def heal(self) -> None:
        """Make it as it was at the start, whatever was done to it."""
        for trigger in self._triggers:
            trigger.stop()
        self._triggers = []
        for gate in self.gates.values():
            gate.lift()
        heal.revive(self.programs.values(), self.machines.values())
        self.rebuild_seconds(0)
        heal.open_hosts(self, self.machines.values())
        self.wait_up(self.machines)
        servers.delete_all(self)
        for machine in self.machines.values():
            machine.records.unlink(missing_ok=True)
        (self.site.room / "power").unlink(missing_ok=True)

    # What is there.

    @property
    def token(self) -> str:
        """One that holds: it is renewed shortly before its end."""
        return str(self.openstack().session.get_token())

    def handle(self, name: str) -> Handle:
        """A compute host, a program, or a service of a trigger, by its name."""
        found: dict[str, Handle] = {**self.programs, **self.machines}
        for trigger in self._triggers:
            found |= trigger.services
        return found[name]

    def wait_up(self, hosts: Iterable[str]) -> None:
        """Return when Nova calls these up, has mapped them, and Placement has them."""
        for call, path, key in (
            (self.nova, "/os-services?binary=nova-compute", "host"),
            (self.nova, "/os-hypervisors", "hypervisor_hostname"),
            (self.placement, "/resource_providers", "name"),
        ):
            seen = functools.partial(_seen, call, path, key, set(hosts))
            self.wait(f"computes in {path}", seen)

    def records(self) -> dict[str, list[dict[str, Any]]]:
        """What each host's hypervisor has written down, by host."""
        return {
            name: machines.read(machine.records)
            for name, machine in self.machines.items()
        }

    def switched(self) -> list[dict[str, Any]]:
        """The log of the power switch."""
        return machines.read(self.site.room / "power")

    def standing(self, servers: Collection[str]) -> list[str]:
        """What speaks against it that these run, beside the records: nothing, here."""
        return []

    def silent(self, servers: Collection[str]) -> set[str]:
        """Those of some servers whose guests do not write: none, as nobody can look."""
        return set()

    def rebuild_seconds(self, seconds: float) -> None:
        """How long a host takes from now on to bring up a server that is evacuated or
        rebooted."""
        (self.site.room / "rebuild-seconds").write_text(str(seconds))

    # Beside it.

    def trigger(
        self,
        name: str,
        conf: Conf | None = None,
        fencing: Mapping[str, Any] | None = None,
        journal: str | None = None,
        pace: Conf = QUICK,
    ) -> Trigger:
        """A trigger's configuration with a journal of its own, and no service yet.

        :param fencing: entries of hosts that do not have Redfish; None: left out.
        :param journal: the URL of its database, if it is not MariaDB.
        :param pace: see Trigger.
        """
        self._journals += 1
        database = f"journal_{self._journals}"
        if journal is None:
            self.databases.execute(f"CREATE DATABASE {database} CHARACTER SET utf8mb4")
        address = self.gates["redfish"].url
        hosts = {host: self.redfish.method(host, address) for host in self.machines}
        hosts |= fencing or {}
        made = Trigger(
            self.site,
            self.folder / f"trigger-{name}",
            self.clouds_yaml,
            journal or self.databases.url(database),
            self.rabbitmq.url,
            conf or {},
            {"hosts": hosts},
            pace,
        )
        self._triggers.append(made)
        return made

    def witness(self) -> Mapping[str, Any]:
        """The section ``witnesses`` with one who sees whether a host has power."""
        program = f"{sys.executable} -m {machines.__name__}"
        command = f"{program} {self.site.room} {{host}} {machines.WITNESS}"
        return {"enabled": ["command"], "command": command}

    def ipmi(self, host: str) -> Ipmi:
        """Start a BMC for a host that speaks IPMI; it has its Redfish still."""
        made = Ipmi(self.site, host)
        self.programs[made.program.name] = made.program
        made.program.start()
        return made

    def log_tail(self) -> str:
        """Where the logs are; there is more than one."""
        if not self.site.logs.exists():
            raise CloudError("the stack's files are gone")
        return f"(see {self.site.logs} and {self.site.room})"


def _seen(
    call: Callable[..., requests.Response], path: str, key: str, hosts: set[str]
) -> bool:
    """Whether a list has these hosts, none of which is down."""
    answer = call("GET", path)
    if not answer.ok:
        return False
    (found,) = [value for value in answer.json().values() if isinstance(value, list)]
    return hosts <= {item[key] for item in found if item.get("state", "up") == "up"}
