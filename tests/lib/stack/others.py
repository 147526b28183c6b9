# SPDX-License-Identifier: Apache-2.0
"""What Nova asks beside Placement and keystone: images, networks, volumes."""

from collections.abc import Mapping
from typing import Protocol

from tests.lib.cloud.cinder import Cinder
from tests.lib.cloud.stubs import Glance, Neutron
from tests.lib.stack.programs import Program
from tests.lib.web import WebServer

PATHS = {"compute": "/v2.1", "block-storage": "/v3"}
"""What follows the address of a service in the catalog."""


class Others(Protocol):
    """They are stand-ins here, and real ones in tests/lib/real.

    :ivar urls: their addresses by type; :ivar programs: those that are processes.
    """

    urls: Mapping[str, str]
    programs: list[Program]

    def prepare(self) -> None:
        """Make tables and files; the databases run."""
        ...

    def start(self) -> None:
        """Return when they answer; keystone has its catalog, and its tokens hold."""
        ...

    def stop(self) -> None:
        """What is in this process ends."""
        ...


class StandIns:
    """All of them in this process."""

    def __init__(self) -> None:
        kinds = ("image", "network", "block-storage")
        self._servers = {kind: WebServer(kind) for kind in kinds}
        self.urls: Mapping[str, str] = {k: s.url for k, s in self._servers.items()}
        self.programs: list[Program] = []

    def prepare(self) -> None:
        self._servers["image"].start(Glance(self.urls["image"]))
        self._servers["network"].start(Neutron(self.urls["network"]))
        path = PATHS["block-storage"]
        volumes = Cinder(self.urls["block-storage"] + path)
        self._servers["block-storage"].start(volumes)

    def start(self) -> None:
        pass

    def stop(self) -> None:
        for server in self._servers.values():
            server.stop()
