# SPDX-License-Identifier: Apache-2.0
"""The launcher: builds a cloud, breaks it on request, and takes it down."""

import gc
import json
import uuid
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Self

from nova.objects.cell_mapping import CellMapping

from tests.lib.cloud import cells as nova_cells
from tests.lib.cloud import config, driver, services, sqlite, transport
from tests.lib.cloud.cinder import Cinder
from tests.lib.cloud.client import Client
from tests.lib.cloud.hardware import Hardware, Size
from tests.lib.cloud.stubs import Glance, Keystone, Neutron
from tests.lib.errors import CloudError
from tests.lib.web import WebServer

#: Where each service answers below its server's root, as in the catalog.
_PATHS = {
    "compute": "/v2.1",
    "placement": "",
    "identity": "",
    "image": "",
    "network": "",
    "block-storage": "/v3",
}

_NOTHING: dict[str, Any] = {"ports": {}, "dead": [], "guests": {}}


def _cell_uuid(name: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{name}.tests.lib.cloud"))


class Cloud(Client):
    """One Nova. Use it as a context manager, or call start() and stop().

    A process can have one in its life: Nova, oslo.db and Placement keep what they
    were configured with in globals.

    :param state_dir: where all files go: databases, configuration, log, disks
    :param cells: the hosts of each cell; the first cell is the controller's own
    :param zones: the storage zone that each host mounts, by host
    :param conf: changes to nova.conf, section -> option -> value or list
    :param size: what each host offers
    :param sizes: what the hosts offer that differ from ``size``
    :param rebuild_seconds: how long a rebuild or evacuation takes on its host
    :param debug: log at DEBUG
    :param again: take up what an earlier cloud has left in ``state_dir``, at the same
        ports: after its stop(), and with the databases upgraded if its Nova was older
    :param placement: changes to Placement's configuration
    :param middleware: makes of each service's type and WSGI application the one that
        is served: to count requests, or to let something happen at one of them
    """

    _used = False

    def __init__(
        self,
        state_dir: Path | str,
        cells: Mapping[str, Iterable[str]],
        zones: Mapping[str, str] | None = None,
        conf: config.Conf | None = None,
        *,
        size: Size | None = None,
        sizes: Mapping[str, Size] | None = None,
        rebuild_seconds: float = 0.0,
        debug: bool = False,
        again: bool = False,
        placement: config.Conf | None = None,
        middleware: Callable[[str, Any], Any] = lambda service, application: (
            application
        ),
    ) -> None:
        self.state_dir = Path(state_dir).resolve()
        super().__init__(self.state_dir / "clouds.yaml", self.state_dir / "nova.log")
        self.cells = {name: list(hosts) for name, hosts in cells.items()}
        if not self.cells:
            raise ValueError("a cloud needs a cell")
        self.hardware = Hardware(self.state_dir, zones, size, sizes, rebuild_seconds)
        self._nova_conf = self.state_dir / "nova.conf"
        self._conf: dict[str, dict[str, Any]] = {}
        self._changes = conf or {}
        self._debug, self._again = debug, again
        self._placement = placement or {}
        self._up = False
        self._middleware = middleware
        self._databases = sqlite.Databases(self.state_dir)
        self._servers: dict[str, WebServer] = {}
        self._services: dict[str, services.Service] = {}
        self._computes: dict[str, services.Service] = {}
        self._targets: dict[str, nova_cells.Cell | None] = {}

    # Up and down.

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def start(self) -> None:
        """Bring everything up; return when the API answers for all hosts."""
        if Cloud._used:
            raise CloudError("this process has had its cloud; start a new process")
        Cloud._used = True
        gc.disable()  # there is next to no garbage, and much to search for it
        try:
            self._start()
        except BaseException as error:
            error.add_note(f"the end of {self.log_file}:\n{self.log_tail()}")
            self.stop()
            raise
        finally:
            gc.freeze()
            gc.enable()

    def _start(self) -> None:
        self.state_dir.mkdir(parents=True, exist_ok=True)
        if not self._again and any(self.state_dir.glob("*.sqlite")):
            raise CloudError(f"{self.state_dir} holds the files of another cloud")
        left = json.loads(self._left.read_text()) if self._again else _NOTHING
        sqlite.take_turns()
        sqlite.pool_connections()
        transport.register()
        nova_cells.follow()
        ports = left["ports"]
        self._servers = {
            name: WebServer(name, port=ports.get(name, 0)) for name in _PATHS
        }
        self.endpoints = {
            name: server.url + _PATHS[name] for name, server in self._servers.items()
        }
        self._write_files()
        self._start_stubs()
        self._serve("placement", services.placement(self.state_dir / "placement.conf"))
        services.configure(self._nova_conf)
        self.hardware.restore(left["guests"])
        self._find_cells() if self._again else self._map_cells()
        self._services["nova-conductor"] = services.start("nova-conductor")
        self._services["nova-scheduler"] = services.start("nova-scheduler")
        with services.first_start():
            for cell, hosts in self.cells.items():
                self._start_cell(cell, [h for h in hosts if h not in left["dead"]])
        services.discover_hosts()
        paste = self.state_dir / "api-paste.ini"
        self._serve("compute", services.compute_api(paste))
        self._up = True

    def _start_cell(self, cell: str, hosts: list[str]) -> None:
        with nova_cells.entered(self._targets[cell]):
            if self._targets[cell]:  # else the controller's conductor is its own
                name = f"{services.CONTROLLER}-{cell}"
                self._services[name] = services.start("nova-conductor", name)
            for host in hosts:
                self._computes[host] = services.start("nova-compute", host)

    def stop(self) -> None:
        """Take everything down, leaving the files."""
        self.close()
        for server in self._servers.values():
            server.stop()
        for service in [*self._computes.values(), *self._services.values()]:
            service.halt()
        if self._up:
            self._left.write_text(json.dumps(self._leave()))
            self._up = False
        self._servers, self._computes, self._services = {}, {}, {}
        self._databases.close()

    @property
    def _left(self) -> Path:
        return self.state_dir / "left.json"

    def _leave(self) -> dict[str, Any]:
        """What is in no database, for the cloud that goes on here."""
        hosts = (host for hosts in self.cells.values() for host in hosts)
        return {
            "ports": {name: server.port for name, server in self._servers.items()},
            "dead": [host for host in hosts if not self.is_running(host)],
            "guests": self.hardware.kept(),
        }

    def _write_files(self) -> None:
        self._conf = config.nova(
            self.state_dir,
            self.endpoints,
            driver=driver.register(self.hardware),
            transport=f"{transport.SCHEME}:///",
            api_database=self._databases.url("nova_api"),
            database=self._databases.url(self._database(next(iter(self.cells)))),
            debug=self._debug,
        )
        self._write_nova_conf({})
        stock = config.placement(self._databases.url("placement"))
        placement = config.merge(stock, self._placement)
        files = {
            "placement.conf": config.render(placement),
            "api-paste.ini": config.paste(),
            "clouds.yaml": config.clouds_yaml(self.endpoints["identity"]),
            # Nova wants the file even when the driver names its nodes' uuids.
            "compute_id": str(uuid.uuid4()),
        }
        for name, text in files.items():
            (self.state_dir / name).write_text(text)

    def _write_nova_conf(self, changes: config.Conf) -> None:
        conf = config.merge(self._conf, self._changes, changes)
        self._nova_conf.write_text(config.render(conf))

    def _start_stubs(self) -> None:
        self._serve("identity", Keystone(self.endpoints))
        self.glance = Glance(self.endpoints["image"])
        self.neutron = Neutron(self.endpoints["network"])
        self.cinder = Cinder(self.endpoints["block-storage"])
        self._serve("image", self.glance)
        self._serve("network", self.neutron)
        self._serve("block-storage", self.cinder)

    def _serve(self, name: str, application: Any) -> None:
        self._servers[name].start(self._middleware(name, application))

    def _map_cells(self) -> None:
        # The first cell's tables exist and are empty: cheaper than to migrate again.
        first, *others = map(self._database, self.cells)
        for database in ("nova_cell0", *others):
            self._databases.copy(first, database)
        services.map_cell(
            "cell0",
            CellMapping.CELL0_UUID,
            "none:///",
            self._databases.url("nova_cell0"),
        )
        for number, name in enumerate(self.cells):
            mapping = services.map_cell(
                name,
                _cell_uuid(name),
                f"{transport.SCHEME}:///{name if number else ''}",
                self._databases.url(self._database(name)),
            )
            self._targets[name] = nova_cells.Cell(mapping) if number else None

    def _find_cells(self) -> None:
        for number, name in enumerate(self.cells):
            mapping = services.mapped_cell(_cell_uuid(name))
            self._targets[name] = nova_cells.Cell(mapping) if number else None

    @staticmethod
    def _database(cell: str) -> str:
        return f"nova_{cell}"

    # What can happen to it.

    def crash(self, host: str) -> None:
        """Cut a host's power: it answers and reports nothing, and its guests are off.

        Nova calls the service up until ``service_down_time`` has passed or it is
        forced down.
        """
        self._computes.pop(host).halt()
        self.hardware.power_off(host)

    def revive(self, host: str) -> None:
        """Bring a crashed host back; return when nova-compute has started on it."""
        if self.is_running(host):
            raise CloudError(f"{host} is running")
        cell = next(name for name, hosts in self.cells.items() if host in hosts)
        with nova_cells.entered(self._targets[cell]):
            self._computes[host] = services.start("nova-compute", host)

    def is_running(self, host: str) -> bool:
        return host in self._computes

    def restart_scheduler(self, conf: config.Conf | None = None) -> None:
        """Start the scheduler anew, with these changes to the cloud's configuration.

        Changes of earlier restarts are gone.
        """
        if running := self._services.pop("nova-scheduler", None):
            running.halt()  # there is none if the last start failed
        self._write_nova_conf(conf or {})
        services.reload_configuration()
        self._services["nova-scheduler"] = services.start("nova-scheduler")

    @property
    def scheduler(self) -> Any:
        """The live ``nova.scheduler.manager.SchedulerManager``."""
        return self._services["nova-scheduler"].manager

    def disk(self, server_id: str) -> Path:
        """Return the disk file that a server's present host uses."""
        return self.hardware.disk(self.host(server_id), server_id)
