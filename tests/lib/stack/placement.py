# SPDX-License-Identifier: Apache-2.0
"""The stack's Placement."""

from tests.lib import ports
from tests.lib.cloud.config import merge, placement, render
from tests.lib.stack.database import POOL
from tests.lib.stack.keystone import Keystone
from tests.lib.stack.programs import Program
from tests.lib.stack.site import Site


class Placement:
    """One server; it makes its tables when it starts."""

    def __init__(self, site: Site, database: str, keystone: Keystone) -> None:
        self.port = ports.free_port()
        self._folder = site.folder / "placement"
        self._conf = merge(
            placement(database),
            keystone.middleware("placement"),
            {"api": {"auth_strategy": "keystone"}, "DEFAULT": {"use_stderr": True}},
            # A request may need a second connection while it has one: where all have
            # one and none is left, they wait for each other, half a minute long.
            {"placement_database": {"max_overflow": 100, **POOL}},
        )
        self.program: Program = site.web(
            "placement",
            "placement.wsgi.api",
            self.port,
            OS_PLACEMENT_CONFIG_DIR=str(self._folder),
        )

    def prepare(self) -> None:
        self._folder.mkdir()
        (self._folder / "placement.conf").write_text(render(self._conf))
