# SPDX-License-Identifier: Apache-2.0
"""The stack's MariaDB."""

import pymysql

from tests.lib import mariadb, ports
from tests.lib.stack.programs import Program
from tests.lib.stack.site import Site

_NAMES = (
    *("keystone", "nova_api", "nova_cell0", "nova_cell1", "placement"),
    *("glance", "neutron", "cinder"),
)

POOL = {"max_pool_size": 20}
"""Of a service's connections. What the usual five do not hold is opened anew in each
wave of evacuations, which costs more than a request does."""


class Databases:
    """One server with a database for each service.

    :ivar program: the server; a commit survives its kill.
    """

    def __init__(self, site: Site) -> None:
        self._port = ports.free_port()
        self._folder = site.folder / "mariadb"
        command = mariadb.command(self._folder, self._port, log_flush=2)
        self.program: Program = site.program(
            "mariadb", command, lambda _: ports.listens(self._port)
        )

    def url(self, name: str) -> str:
        return f"mysql+pymysql://root@127.0.0.1:{self._port}/{name}?charset=utf8mb3"

    def prepare(self) -> None:
        """Start it with empty databases."""
        self._folder.mkdir()
        mariadb.install(self._folder)
        self.program.start()
        self.execute(*(f"CREATE DATABASE {n} CHARACTER SET utf8mb3" for n in _NAMES))

    def execute(self, *statements: str) -> None:
        connection = pymysql.connect(host="127.0.0.1", port=self._port, user="root")
        with connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            connection.commit()
