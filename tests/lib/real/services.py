# SPDX-License-Identifier: Apache-2.0
"""Glance, neutron and cinder, each of real processes."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.lib.real.images import Images
from tests.lib.real.networks import Networks
from tests.lib.real.volumes import Volumes
from tests.lib.stack.keystone import Keystone
from tests.lib.stack.programs import Program
from tests.lib.stack.site import Site


class Services:
    """What tests/lib/stack/others.py asks for.

    :ivar images: glance; :ivar networks: neutron; :ivar volumes: cinder.
    """

    def __init__(
        self,
        site: Site,
        databases: Callable[[str], str],
        keystone: Keystone,
        transport: str,
        connection: Callable[[], Any],
    ) -> None:
        """:param databases: the URL of each, by name.
        :param connection: makes the SDK's, once it can be used.
        """
        self._keystone, self._connection = keystone, connection
        self.images = Images(site, databases("glance"), keystone)
        self.networks = Networks(site, databases("neutron"), keystone, transport)
        self.volumes = Volumes(
            site, databases("cinder"), keystone, transport, self.images.url
        )
        self.urls: Mapping[str, str] = {
            "image": self.images.url,
            "network": self.networks.url,
            "block-storage": self.volumes.url,
        }
        parts = [self.images.program, self.networks.program, *self.volumes.programs]
        self.programs: list[Program] = parts

    def prepare(self) -> None:
        with ThreadPoolExecutor() as pool:
            parts = (self.images, self.networks, self.volumes)
            for done in [pool.submit(part.prepare) for part in parts]:
                done.result()

    def start(self) -> None:
        self._keystone.allow_service_tokens()
        for program in self.programs:
            program.begin()
        for program in self.programs:
            program.wait()
        connection = self._connection()
        self.images.upload(connection)
        self.volumes.add_types(connection)

    def stop(self) -> None:
        pass
