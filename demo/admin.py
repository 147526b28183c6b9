# SPDX-License-Identifier: Apache-2.0
"""The operator at the keyboard: asks Nova over its API, reads its log, sees disks."""

import hashlib
import re
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from openstack.exceptions import BadRequestException

from demo.layout import HOSTS
from demo.steps import Refused
from tests.lib.cloud import Cloud, CloudError
from tests.lib.cloud.stubs import IMAGES

Server = Any  # openstack.compute.v2.server.Server

_OUR_LINE = re.compile(r" (?:INFO|WARNING) (nova_ha_scheduler\S*) \[.*?\] (.*)")
# Nova works in this same process: who asks more often slows it down.
_POLL_SECONDS = 0.2
_PATIENCE_SECONDS = 30
_ENDED = {"completed", "done", "confirmed", "failed", "error"}


T = TypeVar("T")


def wait(what: str, condition: Callable[[], T | None]) -> T:
    """Return the condition's first true value."""
    end = time.monotonic() + _PATIENCE_SECONDS
    while not (value := condition()):
        if time.monotonic() > end:
            raise CloudError(f"{what}: not within {_PATIENCE_SECONDS} s")
        time.sleep(_POLL_SECONDS)
    return value


class Admin:
    """An administrator's hands and eyes.

    The SDK asks at compute microversion 2.94, the last at which an evacuated server
    keeps its power state; from 2.95 on it stays stopped until its owner starts it.
    """

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.compute = cloud.openstack().compute
        self._flavors: dict[str, str] = {}
        self._aggregates: dict[str, Any] = {}
        self._log_offset = 0

    # Tags.

    def flavor(self, name: str, ram: int, extra_specs: Mapping[str, str]) -> None:
        flavor = self.compute.create_flavor(name=name, ram=ram, vcpus=1, disk=1)
        if extra_specs:
            self.compute.create_flavor_extra_specs(flavor, extra_specs)
        self._flavors[name] = flavor.id

    def aggregate(
        self, name: str, metadata: Mapping[str, str], hosts: Sequence[str]
    ) -> None:
        self._aggregates[name] = self.compute.create_aggregate(name=name)
        self.compute.set_aggregate_metadata(self._aggregates[name], metadata)
        for host in hosts:
            self.enter(name, host)

    def enter(self, aggregate: str, host: str) -> None:
        self.compute.add_host_to_aggregate(self._aggregates[aggregate], host)

    def leave(self, aggregate: str, host: str) -> None:
        self.compute.remove_host_from_aggregate(self._aggregates[aggregate], host)

    # Servers. What ends in no host is Refused, however Nova words it.

    def boot(self, name: str, flavor: str, host: str | None = None) -> Server:
        """Boot a server and wait for it; one that finds no host is deleted again."""
        return self.active(self.place(name, flavor, host))

    def place(self, name: str, flavor: str, host: str | None = None) -> Server:
        """Boot a server and wait until its host has counted it: for the scheduler
        to see that it is there, when it places the next one."""
        server = self.compute.create_server(
            name=name,
            flavor_id=self._flavors[flavor],
            image_id=IMAGES["first"],
            networks="none",
            **({"host": host} if host else {}),
        )

        def placed() -> Server | None:
            now = self.compute.get_server(server.id)
            return now if now.compute_host or now.status == "ERROR" else None

        return wait(f"a host for {name}", placed)

    def active(self, server: Server) -> Server:
        """Wait for a server that is being booted."""
        server = self._until(server, "ACTIVE", "ERROR")
        if server.status == "ERROR":
            self.compute.delete_server(server)
            raise Refused(f"the server went to ERROR: {server.fault['message']}")
        return server

    def stop(self, server: Server) -> None:
        self.compute.stop_server(server)
        self._until(server, "SHUTOFF")

    def live_migrate(self, server: Server, host: str | None = None) -> Server:
        try:
            self.compute.live_migrate_server(server, host=host, block_migration="auto")
        except BadRequestException as error:
            status = self._newest_migration(server).status
            raise Refused(
                f"HTTP 400: {error.details.strip()}", f"migration record: {status}"
            ) from None
        wait(
            f"the live migration of {server.name}",
            lambda: self._newest_migration(server).status in _ENDED,
        )
        return self._until(server, "ACTIVE")

    def cold_migrate(self, server: Server) -> Server:
        self.compute.migrate_server(server)
        return self._confirm(server)

    def resize(self, server: Server, flavor: str) -> Server:
        self.compute.resize_server(server, self._flavors[flavor])
        return self._confirm(server)

    def _confirm(self, server: Server) -> Server:
        self._until(server, "VERIFY_RESIZE")
        self.compute.confirm_server_resize(server)
        return self._until(server, "ACTIVE")

    def evacuate(self, server: Server) -> None:
        """Ask for it; evacuations() tells what becomes of it."""
        self.compute.evacuate_server(server)

    def evacuations(self, source: str) -> dict[str, str]:
        """The ends of all evacuations from a host, by server id, once all ended.

        The servers' own status is no witness: it looks final while the evacuation
        still goes on.
        """

        def ends() -> dict[str, str] | None:
            found = self.compute.migrations(
                migration_type="evacuation", source_compute=source
            )
            ends = {migration.server_id: migration.status for migration in found}
            return ends if _ENDED.issuperset(ends.values()) else None

        return wait(f"the evacuations from {source}", ends)

    def _newest_migration(self, server: Server) -> Any:
        return next(iter(self.compute.migrations(instance_uuid=server.id)))

    def _until(self, server: Server, *statuses: str) -> Server:
        def settled() -> Server | None:
            now = self.compute.get_server(server.id)
            return now if now.status in statuses and now.task_state is None else None

        what = f"{server.name} to be {' or '.join(statuses)}"
        return wait(what, settled)

    # What there is to see.

    def servers(self) -> list[Server]:
        return sorted(self.compute.servers(), key=lambda server: str(server.name))

    def on(self, host: str) -> list[Server]:
        return [server for server in self.servers() if server.compute_host == host]

    def up(self, hosts: Sequence[str]) -> list[str]:
        """Those of the hosts whose nova-compute is up."""
        services = self.compute.services(binary="nova-compute")
        up = {service.host for service in services if service.state == "up"}
        return [host for host in hosts if host in up]

    def counts(self) -> dict[str, int]:
        """How many servers each host has."""
        counts = dict.fromkeys(HOSTS, 0)
        for server in self.servers():
            counts[server.compute_host] += 1
        return counts

    def disk(self, server: Server) -> str:
        """The first digits of the sha256 of the disk that a server's host sees."""
        disk = self.cloud.hardware.disk(server.compute_host, server.id)
        if not disk.exists():
            return "no disk"
        return hashlib.sha256(disk.read_bytes()).hexdigest()[:10]

    def scheduler_said(self) -> list[str]:
        """What the plugin has logged in nova.log since this was asked last."""
        with self.cloud.log_file.open("rb") as log:
            log.seek(self._log_offset)
            news = log.read()
            self._log_offset = log.tell()
        lines = _OUR_LINE.findall(news.decode(errors="replace"))
        return [f"{logger}: {message}" for logger, message in lines]
