# SPDX-License-Identifier: Apache-2.0
"""Ways to use a cloud: the SDK, plain REST, and a few verbs that tests repeat."""

import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import openstack
import requests

from tests.lib.cloud import config
from tests.lib.cloud.stubs import IMAGES, TOKEN
from tests.lib.errors import CloudError
from tests.lib.waiting import PATIENCE

T = TypeVar("T")

_LOG_TAIL_LINES = 30
#: Each request for a server's state keeps a core busy for a tenth of this.
_POLL_SECONDS = 0.15


class Client:
    """The administrator's client.

    ``endpoints`` maps the types of services to their URLs; it is known from start on.
    """

    def __init__(self, clouds_yaml: Path, log_file: Path) -> None:
        self.clouds_yaml = clouds_yaml
        self.log_file = log_file
        self.endpoints: dict[str, str] = {}
        self._connection: openstack.connection.Connection | None = None

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def openstack(self) -> openstack.connection.Connection:
        """Return the administrator's SDK connection."""
        if self._connection is None:
            clouds = openstack.config.OpenStackConfig(
                config_files=[str(self.clouds_yaml)], load_envvars=False
            )
            region = clouds.get_one(
                cloud=config.CLOUD_NAME, compute_default_microversion="2.94"
            )
            self._connection = openstack.connection.Connection(config=region)
        return self._connection

    @property
    def token(self) -> str:
        """An administrator's."""
        return TOKEN

    def nova(
        self, method: str, path: str, body: Any = None, microversion: str = "2.94"
    ) -> requests.Response:
        """Call the compute API; the caller looks at the answer's status."""
        return self._call("compute", method, path, body, f"compute {microversion}")

    def placement(
        self, method: str, path: str, body: Any = None, microversion: str = "1.39"
    ) -> requests.Response:
        """Call Placement; the caller looks at the answer's status."""
        return self._call("placement", method, path, body, f"placement {microversion}")

    def _call(
        self, service: str, method: str, path: str, body: Any, version: str
    ) -> requests.Response:
        return requests.request(
            method,
            self.endpoints[service] + path,
            json=body,
            headers={"X-Auth-Token": self.token, "OpenStack-API-Version": version},
            timeout=120,
        )

    def wait(
        self, what: str, condition: Callable[[], T | None], timeout: float = PATIENCE
    ) -> T:
        """Return the condition's first true value; say what was awaited if none."""
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            value = condition()
            if value:
                return value
            time.sleep(_POLL_SECONDS)
        raise CloudError(
            f"{what}: not within {timeout} s; the end of {self.log_file}:\n"
            f"{self.log_tail()}"
        )

    def aggregate(
        self, name: str, metadata: Mapping[str, str], hosts: Iterable[str]
    ) -> Any:
        """Make a host aggregate of the SDK; Placement mirrors it when hosts enter."""
        compute = self.openstack().compute
        aggregate = compute.create_aggregate(name=name)
        compute.set_aggregate_metadata(aggregate, metadata)
        for host in hosts:
            compute.add_host_to_aggregate(aggregate, host)
        return aggregate

    def flavor(
        self,
        name: str,
        extra_specs: Mapping[str, str] | None = None,
        *,
        vcpus: int = 1,
        ram: int = 64,
        disk: int = 1,
    ) -> str:
        """Make a flavor, by default a small one, and return its id.

        :param ram: MiB
        :param disk: GiB
        """
        compute = self.openstack().compute
        flavor = compute.create_flavor(name=name, ram=ram, vcpus=vcpus, disk=disk)
        if extra_specs:
            compute.create_flavor_extra_specs(flavor, dict(extra_specs))
        return str(flavor.id)

    def create(self, name: str, flavor: str, **request: Any) -> str:
        """Ask for a server without networks; return its id at once.

        :param request: more of the API's ``server``; ``scheduler_hints`` is taken out
            to where the API wants it
        """
        hints = request.pop("scheduler_hints", None)
        server = {
            "name": name,
            "flavorRef": flavor,
            "imageRef": IMAGES["first"],
            "networks": "none",
            **request,
        }
        body = {"server": server} | ({"os:scheduler_hints": hints} if hints else {})
        answer = self.nova("POST", "/servers", body)
        if not answer.ok:
            raise CloudError(f"create {name}: {answer.text}")
        return str(answer.json()["server"]["id"])

    def boot(self, name: str, flavor: str, **request: Any) -> dict[str, Any]:
        """Create a server and return it when it is active."""
        return self.wait_status(self.create(name, flavor, **request), "ACTIVE")

    def wait_status(
        self, server_id: str, status: str, timeout: float = 90.0
    ) -> dict[str, Any]:
        """Return a server once it has a status and no task; raise if it fails."""

        def settled() -> dict[str, Any] | None:
            server = self.server(server_id)
            done = server["OS-EXT-STS:task_state"] is None
            if done and server["status"] == "ERROR" != status:
                raise CloudError(f"{server_id}: {server.get('fault')}")
            return server if done and server["status"] == status else None

        return self.wait(f"server {server_id} {status}", settled, timeout)

    def delete(self, server_id: str) -> None:
        """Delete a server and return when it is gone."""
        self.nova("DELETE", f"/servers/{server_id}")
        path = f"/servers/{server_id}"
        self.wait(
            f"deletion of {server_id}",
            lambda: self.nova("GET", path).status_code == requests.codes.not_found,
        )

    def force_down(self, host: str, down: bool = True) -> None:
        """Tell Nova that a host is certainly down, or lift that."""
        found = self.nova("GET", f"/os-services?binary=nova-compute&host={host}")
        (service,) = found.json()["services"]
        answer = self.nova(
            "PUT", f"/os-services/{service['id']}", {"forced_down": down}
        )
        if not answer.ok:
            raise CloudError(f"force_down {host} {down}: {answer.text}")

    def server(self, server_id: str) -> dict[str, Any]:
        """Return a server as the compute API shows it."""
        answer = self.nova("GET", f"/servers/{server_id}")
        if not answer.ok:
            raise CloudError(answer.text)
        server: dict[str, Any] = answer.json()["server"]
        return server

    def host(self, server_id: str) -> str:
        """Return the host that a server is on, by Nova's account, or ""."""
        return str(self.server(server_id)["OS-EXT-SRV-ATTR:host"] or "")

    def log_tail(self) -> str:
        """Return the last lines of Nova's log."""
        if not self.log_file.exists():
            return "(no log)"
        lines = self.log_file.read_text(errors="replace").splitlines()
        return "\n".join(lines[-_LOG_TAIL_LINES:])
