# SPDX-License-Identifier: Apache-2.0
"""The stack's neutron: its API with ML2, and no agents (mechanism/anywhere.py)."""

import os
import sys
from pathlib import Path

from tests.lib import ports
from tests.lib.cloud.config import Conf, merge, render
from tests.lib.stack.keystone import Keystone
from tests.lib.stack.programs import Program
from tests.lib.stack.site import Site, login

_MECHANISM = Path(__file__).with_name("mechanism")


class Networks:
    """One server.

    :ivar refused: a file with the hosts that get no port; may be written at any time.
    :ivar down: the same of those whose ports are bound, and stay down.
    """

    def __init__(
        self, site: Site, database: str, keystone: Keystone, transport: str
    ) -> None:
        port = ports.free_port()
        self.url = f"http://127.0.0.1:{port}"
        self._site = site
        self._folder = site.folder / "neutron"
        self._file = self._folder / "neutron.conf"
        self.refused, self.down = self._folder / "refused", self._folder / "down"
        password = login(keystone.url)
        self._conf: Conf = merge(
            keystone.middleware("network"),
            {
                "DEFAULT": {
                    "use_stderr": True,
                    "transport_url": transport,
                    "core_plugin": "ml2",
                    "service_plugins": "",
                    "auth_strategy": "keystone",
                    "state_path": self._folder,
                    "api_paste_config": self._folder / "api-paste.ini",
                    "rpc_workers": 0,
                    "notify_nova_on_port_status_changes": True,
                    "notify_nova_on_port_data_changes": True,
                    "send_events_interval": 1,
                },
                "database": {"connection": database, "max_retries": -1},
                "ml2": {
                    "mechanism_drivers": "anywhere",
                    "type_drivers": "local",
                    "tenant_network_types": "local",
                    "extension_drivers": "",
                },
                "nova": password,
                "oslo_concurrency": {"lock_path": self._folder / "lock"},
                "placement": password,
            },
        )
        path = os.pathsep.join([str(_MECHANISM), site.environment["PYTHONPATH"]])
        self.program: Program = site.web(
            "neutron",
            "neutron.wsgi.api",
            port,
            PYTHONPATH=path,
            ANYWHERE_NOT=str(self.refused),
            ANYWHERE_DOWN=str(self.down),
            OS_NEUTRON_CONFIG_DIR=str(self._folder),
            OS_NEUTRON_CONFIG_FILES=self._file.name,
        )

    def prepare(self) -> None:
        self._folder.mkdir()
        self.heal()
        paste = Path(sys.prefix, "etc", "neutron", "api-paste.ini").read_text()
        folder = str(self._folder)
        (self._folder / "api-paste.ini").write_text(
            paste.replace("/etc/neutron", folder)
        )
        self._file.write_text(render(self._conf))
        self._site.manage("neutron.db.migration.cli", self._file, ["upgrade", "heads"])

    def heal(self) -> None:
        """From now on, each host gets ports."""
        for file in (self.refused, self.down):
            file.write_text("")
