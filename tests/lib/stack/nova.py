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

FIRST_REPORT = 1
"""Seconds after its start until a nova-compute reports. Nova's five, which no option
changes, and what the start takes are more than a host may be silent here."""

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

    driver = "tests_stack.RecordingDriver"  # driver.py says why the name
    computes = "tests.lib.stack.compute"

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
            self.driver,
            transport,
            databases["nova_api"],
            databases["nova_cell1"],
            debug=False,
        )
        del conf["DEFAULT"]["log_file"]  # each program has its own
        ours: config.Conf = {
            "DEFAULT": {
                "use_stderr": True,
                **asdict(site.layout.pace),
                # Else a host that is on again too early runs what is being evacuated.
                "resume_guests_state_on_host_boot": False,
                # Else it may take up to a minute until hosts are discovered.
                "periodic_fuzzy_delay": 0,
            },
            # Checks what Nova answers against its own schemas: a tenth of its time.
            "api": {"response_validation": "ignore"},
            "database": {"max_retries": -1, **POOL},
            "api_database": {"max_retries": -1, **POOL},
            "keystone_authtoken": keystone.middleware("compute")["keystone_authtoken"],
            **dict.fromkeys(("placement", "neutron", "cinder"), password),
            "oslo_messaging_notifications": {"driver": "messagingv2"},
            "notifications": {"notification_format": "versioned"},
            "oslo_messaging_rabbit": {"kombu_reconnect_delay": 0.5},
            "scheduler": {"workers": 1, "discover_hosts_in_cells_interval": 2},
            "conductor": {"workers": 2},
        }
        self._conf = config.merge(conf, ours, _PLUGIN, self.more_conf(password))
        option = f"--config-file={self._file}"
        api = site.web(
            "nova-api",
            "nova.wsgi.osapi_compute",
            self.port,
            OS_NOVA_CONFIG_DIR=str(self._folder),
        )
        self.starter: Program = site.program(
            "computes",
            [sys.executable, "-m", self.computes, str(site.room)],
            lambda _: (site.room / STARTER).exists(),
        )
        self.programs: dict[str, Program] = {
            api.name: api,
            **{
                name: site.program(name, [script(name), option], _starts)
                for name in ("nova-conductor", "nova-scheduler")
            },
        }
        self.machines: Mapping[str, Machine] = {
            host: self.machine(host) for host in site.layout.zones
        }

    def more_conf(self, password: Mapping[str, str]) -> config.Conf:
        """What nova.conf has everywhere beside all that is here.

        :param password: how to log in at keystone.
        """
        return {}

    def machine(self, host: str) -> Machine:
        """A compute host, as it is used here."""
        return Machine(self._site.room, host)

    def host_conf(self, machine: Machine) -> config.Conf:
        """What nova.conf of a host has beside that of the controllers."""
        return {"DEFAULT": {"host": machine.name, "state_path": machine.folder}}

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

    def plugin(self, enabled: bool) -> None:
        """Start nova-scheduler again, with our filters and weighers or with Nova's."""
        (section,) = _PLUGIN
        kept = self._conf[section]
        if not enabled:
            kept = {k: v for k, v in kept.items() if k not in _PLUGIN[section]}
        self._file.write_text(config.render({**self._conf, section: kept}))
        self.programs["nova-scheduler"].restart()

    def _install_machines(self) -> None:
        layout = self._site.layout
        room = self._site.room
        room.mkdir()
        text = {"zones": dict(layout.zones), "size": asdict(layout.size)}
        (room / "layout").write_text(json.dumps(text))
        for host, machine in self.machines.items():
            machine.folder.mkdir()
            conf = config.merge(self._conf, self.host_conf(machine))
            for section in ("database", "api_database"):
                del conf[section]  # a compute reaches neither
            machine.conf_file.write_text(config.render(conf))
            (machine.folder / "compute_id").write_text(node_uuid(host))


def _starts(program: Program) -> bool:
    """Whether a service has logged that it has read its configuration, and starts."""
    return " node (version " in program.logged
