# SPDX-License-Identifier: Apache-2.0
"""The stack's cinder, with its NFS driver: each storage zone has an export, a folder
that is bound where NFS would be mounted (bin/mount). The volumes are files there.
"""

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.lib import ports
from tests.lib.cloud.config import Conf, merge, render
from tests.lib.stack.keystone import Keystone
from tests.lib.stack.programs import Program
from tests.lib.stack.site import Site, login, script

BIN = Path(__file__).with_name("bin")
_HEARD = 8
"""Seconds for which cinder holds a silent service for alive."""


class Volumes:
    """API, scheduler, and one volume service with a backend for each zone.

    :ivar exports: the folder of the exports; each is named as its zone is.
    """

    def __init__(
        self,
        site: Site,
        database: str,
        keystone: Keystone,
        transport: str,
        glance: str,
    ) -> None:
        port = ports.free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.exports = site.folder / "exports"
        self._site = site
        self._folder = site.folder / "cinder"
        self._file = self._folder / "cinder.conf"
        self._zones = sorted(set(site.layout.zones.values()))
        password = login(keystone.url)
        self._conf: Conf = merge(
            keystone.middleware("block-storage"),
            {
                "DEFAULT": {
                    "use_stderr": True,
                    "host": "storage",
                    "my_ip": "127.0.0.1",
                    "transport_url": transport,
                    "auth_strategy": "keystone",
                    "api_paste_config": self._folder / "api-paste.ini",
                    "resource_query_filters_file": self._folder
                    / "resource_filters.json",
                    "state_path": self._folder,
                    "enabled_backends": self._zones,
                    "glance_api_servers": glance,
                    "rootwrap_config": "none",
                    "report_interval": 2,
                    # One stack serves all tests, and each leaves its volumes.
                    "quota_volumes": -1,
                    "quota_gigabytes": -1,
                    "service_down_time": _HEARD,
                },
                "database": {"connection": database, "max_retries": -1},
                "nova": password,
                "oslo_concurrency": {"lock_path": self._folder / "lock"},
                "service_user": {"send_service_user_token": True, **password},
            },
            {zone: self._backend(zone) for zone in self._zones},
        )
        path = [str(BIN), str(Path(sys.executable).parent), site.environment["PATH"]]
        ours = {"PATH": os.pathsep.join(path), "STACK_EXPORTS": str(self.exports)}
        option = f"--config-file={self._file}"
        self.programs: list[Program] = [
            site.web("cinder-api", "cinder.wsgi.api", port, option, **ours),
            site.program(
                "cinder-scheduler",
                [script("cinder-scheduler"), option],
                lambda program: "Starting cinder-scheduler" in program.logged,
                **ours,
            ),
            # What it mounts stays in a namespace of its own.
            site.program(
                "cinder-volume",
                ["unshare", "--mount", script("cinder-volume"), option],
                lambda program: self._zones_up(program.logged),
                **ours,
            ),
        ]

    def _zones_up(self, logged: str) -> bool:
        return logged.count("Driver initialization completed") >= len(self._zones)

    def _backend(self, zone: str) -> Mapping[str, Any]:
        return {
            "volume_driver": "cinder.volume.drivers.nfs.NfsDriver",
            "volume_backend_name": zone,
            "nfs_shares_config": self._folder / f"{zone}.shares",
            "nfs_mount_point_base": self._folder / "mnt",
            "nfs_sparsed_volumes": True,
            "nas_secure_file_operations": False,
            "nas_secure_file_permissions": False,
        }

    def prepare(self) -> None:
        for folder in (self._folder, self._folder / "mnt", self.exports):
            folder.mkdir()
        for name in ("api-paste.ini", "resource_filters.json"):
            shutil.copy(Path(sys.prefix, "etc", "cinder", name), self._folder)
        for zone in self._zones:
            (self.exports / zone).mkdir()
            (self._folder / f"{zone}.shares").write_text(f"127.0.0.1:/{zone}\n")
        self._file.write_text(render(self._conf))
        self._site.manage("cinder.cmd.manage", self._file, ["db", "sync"])

    def add_types(self, connection: Any) -> None:
        """A volume type for each zone, named as the zone is.

        :param connection: the SDK's.
        """
        for zone in self._zones:
            specs = {"volume_backend_name": zone}
            connection.block_storage.create_type(name=zone, extra_specs=specs)

    def file(self, zone: str, volume: str) -> Path:
        """Where a volume lies, by its id."""
        return self.exports / zone / f"volume-{volume}"
