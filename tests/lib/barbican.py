# SPDX-License-Identifier: Apache-2.0
"""A real Barbican, whose keystone alone is a stand-in: who asks says of itself, in the
headers that keystonemiddleware sets, who keystone has found it to be.

Run as a program, it is the service, until it is ended.
"""

import contextlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import requests

from tests.lib import peers, ports

_CONF = """\
[DEFAULT]
host_href = {url}
db_auto_create = true
[database]
connection = sqlite:///{folder}/barbican.sqlite
[oslo_policy]
enforce_new_defaults = {new_defaults}
enforce_scope = {new_defaults}
[secretstore]
enabled_secretstore_plugins = store_crypto
[crypto]
enabled_crypto_plugins = simple_crypto
[simple_crypto_plugin]
kek = dGhpcnR5X3R3b19ieXRlX2tleWJsYWhibGFoYmxhaGg=
"""


def person(user: str, project: str, *roles: str) -> dict[str, str]:
    """The headers of somebody whom keystone has found to be that."""
    return {
        "X-Identity-Status": "Confirmed",
        "X-User-Id": user,
        "X-Project-Id": project,
        "X-Roles": ",".join(roles),
    }


class Barbican:
    def __init__(self, url: str) -> None:
        self.url = url

    def store(self, who: Mapping[str, str], payload: str) -> str:
        """The id of a new secret."""
        body = {"payload": payload, "payload_content_type": "text/plain"}
        address = self.call("POST", "/v1/secrets", who, body).json()["secret_ref"]
        return str(address).rpartition("/")[2]

    def let_read(self, who: Mapping[str, str], secret: str, user: str) -> None:
        """As ``openstack acl user add --operation-type read`` does."""
        rights = {"read": {"users": [user], "project-access": True}}
        self.call("PATCH", f"/v1/secrets/{secret}/acl", who, rights)

    def read(self, who: Mapping[str, str], secret: str) -> str:
        """The payload. :raises requests.HTTPError: it is not for them."""
        found = self.call("GET", f"/v1/secrets/{secret}/payload", who)
        return str(found.text)

    def call(
        self, method: str, path: str, who: Mapping[str, str], body: Any = None
    ) -> requests.Response:
        found = requests.request(
            method, f"{self.url}{path}", json=body, headers=dict(who), timeout=60
        )
        found.raise_for_status()
        return found


@contextlib.contextmanager
def running(folder: Path, new_defaults: bool) -> Iterator[Barbican]:
    """:param new_defaults: [oslo_policy] enforce_new_defaults of its configuration."""
    port = ports.free_port()
    url = f"http://127.0.0.1:{port}"
    # Its parts read the configuration each for itself, where Barbican looks for one.
    conf = folder / ".barbican" / "barbican.conf"
    conf.parent.mkdir()
    conf.write_text(_CONF.format(url=url, folder=folder, new_defaults=new_defaults))

    def ready() -> bool:
        try:
            return requests.get(f"{url}/v1/secrets", timeout=5).status_code == 401
        except requests.ConnectionError:
            return False

    command: Sequence[str] = [sys.executable, "-m", __name__, str(port)]
    more = {"HOME": str(folder)}
    with peers.running(command, folder / "log", ready, seconds=120, env=more):
        yield Barbican(url)


def main() -> None:
    from wsgiref.simple_server import make_server

    from barbican.api import app
    from barbican.api.middleware.context import ContextMiddleware
    from barbican.api.middleware.microversion import MicroversionMiddleware
    from paste.urlmap import URLMap

    (port,) = sys.argv[1:]
    found = URLMap()
    served = MicroversionMiddleware(app.create_main_app({}))
    found["/v1"] = ContextMiddleware(served)
    make_server("127.0.0.1", int(port), found).serve_forever()


if __name__ == "__main__":
    main()
