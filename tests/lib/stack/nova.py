# SPDX-License-Identifier: Apache-2.0
"""Nova's configuration and programs in the stack, with the plugin as in README.md."""

import json
import shutil
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from tests.lib import ports
from tests.lib.cloud import config
from tests.lib.cloud.hardware import node_uuid
from tests.lib.stack.database import POOL
from tests.lib.stack.keystone import Keystone
from tests.lib.stack.machines import STARTER, Machine
from tests.lib.stack.programs import Program
from tests.lib.stack.site import Site, login, script

REPORT_INTERVAL = 2
FIRST_REPORT = 1
"""Seconds after its start until a nova-compute reports. Nova's five, which no option
changes, and what the start takes are more than a host may be silent here."""
SERVICE_DOWN_TIME = 8
RPC_RESPONSE_TIMEOUT = 5
"""So long a service waits for one that was killed, and is silent meanwhile: not as long
as a host that is held for dead, as docs/evacuator.md says."""

_DRIVER = "tests_stack.RecordingDriver"  # driver.py says why the name

_PLUGIN: config.Conf = {
    "filter_scheduler": {
        "available_filters": [
            "nova.scheduler.filters.all_filters",
            "nova_ha_scheduler.filters.all_filters",
        ],
        "enabled_filters": [
            "HostMaintenanceFilter",
            "StorageZoneFilter",
            "FailoverHostFilter",
            "HAFlavorFilter",
            "ComputeFilter",
            "ComputeCapabilitiesFilter",
            "ImagePropertiesFilter",
            "ServerGroupAntiAffinityFilter",
            "ServerGroupAffinityFilter",
        ],
        "weight_classes": [
            "nova.scheduler.weights.all_weighers",
            "nova_ha_scheduler.weighers.all_weighers",
        ],
    }
}


class Nova:
    """Its services.

    :ivar programs: nova-api, nova-scheduler, nova-conductor.
    :ivar starter: of the nova-computes; has to run as long as they may.
    :ivar machines: the compute hosts by name.
    """

    def __init__(
        self,
        site: Site,
        keystone: Keystone,
        endpoints: Mapping[str, str],
        databases: Mapping[str, str],
        transport: str,
    ) -> None:
        """:param endpoints: of the other services, by type.
        :param databases: URLs by name: nova_api, nova_cell0, nova_cell1.
        """
        self.port = ports.free_port()
        self._site = site
        self._folder = site.folder / "nova"
        self._file = self._folder / "nova.conf"
        self._databases = databases
        self._transport = transport
        password = login(keystone.url)
        conf = config.nova(
            self._folder,
            endpoints,
            _DRIVER,
            transport,
            databases["nova_api"],
            databases["nova_cell1"],
            debug=False,
        )
        del conf["DEFAULT"]["log_file"]  # each program has its own
        ours: config.Conf = {
            "DEFAULT": {
                "use_stderr": True,
                "report_interval": REPORT_INTERVAL,
                "service_down_time": SERVICE_DOWN_TIME,
                "rpc_response_timeout": RPC_RESPONSE_TIMEOUT,
                # Else a host that is on again too early runs what is being evacuated.
                "resume_guests_state_on_host_boot": False,
                # Else it may take up to a minute until hosts are discovered.
                "periodic_fuzzy_delay": 0,
            },
            # Checks what Nova answers against its own schemas: a tenth of its time.
            "api": {"response_validation": "ignore"},
            "database": {"max_retries": -1, **POOL},
            "api_database": {"max_retries": -1, **POOL},
            "keystone_authtoken": keystone.middleware()["keystone_authtoken"],
            **dict.fromkeys(("placement", "neutron", "cinder"), password),
            "oslo_messaging_notifications": {"driver": "messagingv2"},
            "notifications": {"notification_format": "versioned"},
            "oslo_messaging_rabbit": {"kombu_reconnect_delay": 0.5},
            "scheduler": {"workers": 1, "discover_hosts_in_cells_interval": 2},
            "conductor": {"workers": 2},
        }
        self._conf = config.merge(conf, ours, _PLUGIN)
        option = f"--config-file={self._file}"
        api = site.web(
            "nova-api",
            "nova.wsgi.osapi_compute",
            self.port,
            OS_NOVA_CONFIG_DIR=str(self._folder),
        )
        self.starter: Program = site.program(
            "computes",
            [sys.executable, "-m", "tests.lib.stack.compute", str(site.room)],
            lambda _: (site.room / STARTER).exists(),
        )
        self.programs: dict[str, Program] = {
            api.name: api,
            **{
                name: site.program(name, [script(name), option], _starts)
                for name in ("nova-conductor", "nova-scheduler")
            },
        }
        self.machines = {host: Machine(site.room, host) for host in site.layout.zones}

    def prepare(self) -> None:
        """Make its tables and cells; the database has to run."""
        self._folder.mkdir()
        paste = Path(sys.prefix, "etc", "nova", "api-paste.ini")
        shutil.copy(paste, self._folder)
        self._file.write_text(config.render(self._conf))
        self._install_machines()
        cell0, cell1 = (self._databases[f"nova_cell{number}"] for number in "01")
        self._site.manage(
            "nova.cmd.manage",
            self._file,
            ["api_db", "sync"],
            ["cell_v2", "map_cell0", "--database_connection", cell0],
            ["cell_v2", "create_cell", "--name", "cell1"]
            + ["--database_connection", cell1, "--transport-url", self._transport],
            ["db", "sync"],
        )

    def _install_machines(self) -> None:
        layout = self._site.layout
        room = self._site.room
        room.mkdir()
        text = {"zones": dict(layout.zones), "size": asdict(layout.size)}
        (room / "layout").write_text(json.dumps(text))
        for host, machine in self.machines.items():
            conf = config.merge(
                self._conf,
                {"DEFAULT": {"host": host, "state_path": machine.folder}},
            )
            for section in ("database", "api_database"):
                del conf[section]  # a compute reaches neither
            machine.folder.mkdir()
            machine.conf_file.write_text(config.render(conf))
            (machine.folder / "compute_id").write_text(node_uuid(host))


def _starts(program: Program) -> bool:
    """Whether a service has logged that it has read its configuration, and starts."""
    return " node (version " in program.logged
