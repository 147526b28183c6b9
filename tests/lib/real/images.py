# SPDX-License-Identifier: Apache-2.0
"""The stack's glance: a folder of files. It has the guests' images."""

import shutil
import sys
from pathlib import Path
from typing import Any

from tests.lib import ports
from tests.lib.cloud.config import Conf, merge, render
from tests.lib.cloud.stubs import IMAGES
from tests.lib.real import guest
from tests.lib.stack.keystone import Keystone
from tests.lib.stack.programs import Program
from tests.lib.stack.site import Site


class Images:
    """One server."""

    def __init__(self, site: Site, database: str, keystone: Keystone) -> None:
        port = ports.free_port()
        self.url = f"http://127.0.0.1:{port}"
        self._site = site
        self._folder = site.folder / "glance"
        self._file = self._folder / "glance-api.conf"
        self._conf: Conf = merge(
            keystone.middleware("image"),
            {
                "DEFAULT": {
                    "use_stderr": True,
                    "worker_self_reference_url": self.url,
                    "enabled_backends": "files:file",
                    "node_staging_uri": f"file://{self._folder}/staging",
                },
                "database": {"connection": database, "max_retries": -1},
                "glance_store": {"default_backend": "files"},
                "oslo_concurrency": {"lock_path": self._folder / "lock"},
                "paste_deploy": {
                    "flavor": "keystone",
                    "config_file": self._folder / "glance-api-paste.ini",
                },
                **{
                    section: {"filesystem_store_datadir": self._folder / name}
                    for section, name in (
                        ("files", "images"),
                        ("os_glance_tasks_store", "tasks"),
                        ("os_glance_staging_store", "staging"),
                    )
                },
            },
        )
        self.program: Program = site.web(
            "glance", "glance.wsgi.api", port, OS_GLANCE_CONFIG_DIR=str(self._folder)
        )

    def prepare(self) -> None:
        self._folder.mkdir()
        paste = Path(sys.prefix, "etc", "glance", "glance-api-paste.ini")
        shutil.copy(paste, self._folder)
        self._file.write_text(render(self._conf))
        self._site.manage("glance.cmd.manage", self._file, ["db_sync"])
        guest.make(self._folder / "first.img")
        guest.make(self._folder / "second.img", busy=True)

    def upload(self, connection: Any) -> None:
        """Add the guests' images, under the ids of the stand-in's: the guest of the
        second is busy.

        :param connection: the SDK's.
        """
        for name, id in IMAGES.items():
            image = connection.image.create_image(
                name=f"guest-{name}",
                id=id,
                disk_format="raw",
                container_format="bare",
            )
            image.data = (self._folder / f"{name}.img").read_bytes()
            image.upload(connection.image)
