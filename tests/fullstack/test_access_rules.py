# SPDX-License-Identifier: Apache-2.0
"""The published access rules, held to by a real keystone and what services ask it with.

Nothing else of a stack runs: what stands behind says that it was reached.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from keystoneauth1.identity.v3 import ApplicationCredential
from keystoneauth1.session import Session
from keystonemiddleware.auth_token import AuthProtocol

from nova_ha_scheduler.cluster.openstack import calls
from tests.lib.stack import site
from tests.lib.stack.keystone import Keystone
from tests.lib.web import WebServer
from tests.unit import commandline

pytestmark = pytest.mark.stand_ins("Keystone alone checks a request's path.")


def _reached(asked: Any, start: Any) -> list[bytes]:
    start("204 Reached", [])
    return []


class _Services:
    """A keystone, and one server for each type of service."""

    def __init__(self, folder: Path) -> None:
        place = site.Site(folder, site.Layout(), site.environment({}))
        place.logs.mkdir()
        self.keystone = Keystone(place, f"sqlite:///{folder}/keystone.sqlite")
        self.keystone.prepare()
        self.keystone.program.start()
        self._servers = {kind: WebServer(kind) for kind, _ in calls.CATALOG.values()}
        self.urls = {kind: server.url for kind, server in self._servers.items()}
        self.keystone.catalog(self.urls)
        for kind, server in self._servers.items():
            conf = self.keystone.middleware(kind)["keystone_authtoken"]
            server.start(AuthProtocol(_reached, conf))

    def stop(self) -> None:
        for server in self._servers.values():
            server.stop()
        self.keystone.program.kill()

    def status(self, token: str, kind: str, method: str, path: str) -> int:
        answer = requests.request(
            method, self.urls[kind] + path, headers={"X-Auth-Token": token}, timeout=60
        )
        return int(answer.status_code)


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[_Services]:
    found = _Services(tmp_path_factory.mktemp("keystone"))
    yield found
    found.stop()


def test_each_request_and_no_other(services: _Services) -> None:
    columns = ("-c", "service", "-c", "method", "-c", "path")
    rules = commandline.run("permission", "list", "-f", "json", *columns).json
    user = services.keystone.user("least", "admin")
    said = services.keystone.credential(user, "least", rules)
    said.pop("auth_type")
    token = str(Session(ApplicationCredential(**said)).get_token())
    for call in calls.CALLS:
        kind, prefix = calls.CATALOG[call.service]
        path = prefix + call.path.replace("{", "").replace("}", "")
        assert services.status(token, kind, call.method, path) == 204, call.name
    for kind, method, path in (
        ("compute", "DELETE", "/v2.1/servers/server"),
        ("compute", "POST", "/v2.1/servers"),
        ("compute", "DELETE", "/v2.1/os-services/service"),
        ("compute", "GET", "/v2.1/os-keypairs"),
        ("placement", "PUT", "/allocations/server"),
        ("network", "POST", "/v2.0/ports"),
        ("block-storage", "GET", "/v3/backups"),
        ("image", "DELETE", "/v2/images/image"),
        ("key-manager", "GET", "/v1/secrets/secret/payload"),
    ):
        assert services.status(token, kind, method, path) == 401, (method, path)
    whole = services.keystone.token("least")
    assert services.status(whole, "compute", "POST", "/v2.1/servers") == 204
