# SPDX-License-Identifier: Apache-2.0
"""The stack's keystone: real tokens, which expire."""

import getpass
import grp
import os
from collections.abc import Mapping, Sequence

import requests

from tests.lib import ports
from tests.lib.cloud.config import Conf, render
from tests.lib.cloud.stubs import PROJECT, USER
from tests.lib.errors import ProgramError
from tests.lib.stack.programs import Program
from tests.lib.stack.site import PASSWORD, Site, login
from tests.lib.waiting import PATIENCE

_REGION = "RegionOne"
_INTERFACES = ("public", "internal")


class Keystone:
    """One server.

    :ivar url: without the version.
    """

    def __init__(self, site: Site, database: str) -> None:
        port = ports.free_port()
        self.url = f"http://127.0.0.1:{port}"
        self._site = site
        self._database = database
        self._folder = site.folder / "keystone"
        self._file = self._folder / "keystone.conf"
        self.program: Program = site.web(
            "keystone",
            "tests.lib.stack.keystone_wsgi",
            port,
            OS_KEYSTONE_CONFIG_DIR=str(self._folder),
        )

    def prepare(self) -> None:
        """Make its tables and the administrator; the database has to run."""
        self._folder.mkdir()
        self._write(self._site.layout.token_seconds)
        user, group = getpass.getuser(), grp.getgrgid(os.getgid()).gr_name
        self._site.manage(
            "keystone.cmd.manage",
            self._file,
            ["db_sync"],
            ["fernet_setup", f"--keystone-user={user}", f"--keystone-group={group}"],
            ["bootstrap"]
            + [f"--bootstrap-password={PASSWORD}"]
            + [f"--bootstrap-username={USER['name']}"]
            + [f"--bootstrap-project-name={PROJECT['name']}"]
            + [f"--bootstrap-region-id={_REGION}"]
            + [f"--bootstrap-{name}-url={self.url}/v3" for name in _INTERFACES],
        )

    def expire_after(self, seconds: int) -> None:
        """Restart it; the tokens that it makes from now on hold so long."""
        self._write(seconds)
        self.program.restart()

    def _write(self, token_seconds: int) -> None:
        conf: Conf = {
            "DEFAULT": {"use_stderr": True},
            "database": {"connection": self._database, "max_retries": -1},
            "token": {"expiration": token_seconds},
            # As memcached in a real one: else each look at a token takes tens of ms.
            "cache": {"backend": "oslo_cache.dict"},
            "fernet_tokens": {"key_repository": self._folder / "keys"},
            "identity": {"password_hash_rounds": 4},
        }
        (self._folder / "keys").mkdir(exist_ok=True, mode=0o700)
        self._file.write_text(render(conf))

    def revoke(self, token: str) -> None:
        """End a token before its time, if it has not come."""
        answer = requests.delete(
            f"{self.url}/v3/auth/tokens",
            headers={"X-Auth-Token": self.token(), "X-Subject-Token": token},
            timeout=PATIENCE,
        )
        if answer.status_code != requests.codes.not_found:
            answer.raise_for_status()

    def allow_service_tokens(self) -> None:
        """Give the administrator the role that services have towards each other."""
        token = self.token()
        found = {
            kind: self._get(f"{kind}?name={name}", token)[kind][0]["id"]
            for kind, name in (
                ("projects", PROJECT["name"]),
                ("users", USER["name"]),
                ("roles", "service"),
            )
        }
        path = "/".join(f"{kind}/{id}" for kind, id in found.items())
        requests.put(
            f"{self.url}/v3/{path}", headers={"X-Auth-Token": token}, timeout=PATIENCE
        ).raise_for_status()

    def catalog(self, endpoints: Mapping[str, str]) -> None:
        """Enter services, by type, with their URLs."""
        token = self.token()
        for kind, url in endpoints.items():
            service = {"type": kind, "name": kind}
            answer = self._post("services", {"service": service}, token)
            for interface in _INTERFACES:
                endpoint = {
                    "service_id": answer["service"]["id"],
                    "interface": interface,
                    "region_id": _REGION,
                    "url": url,
                }
                self._post("endpoints", {"endpoint": endpoint}, token)

    def user(self, name: str, role: str, project: str = str(PROJECT["name"])) -> str:
        """Make a user, with PASSWORD and one role in a project, which is made if need
        be, and on the whole system. :returns: the user's id."""
        token = self.token()
        said = {"name": name, "password": PASSWORD, "domain_id": "default"}
        user = self._post("users", {"user": said}, token)["user"]["id"]
        if not (known := self._get(f"projects?name={project}", token)["projects"]):
            its = {"name": project, "domain_id": "default"}
            known = [self._post("projects", {"project": its}, token)["project"]]
        (found,) = self._get(f"roles?name={role}", token)["roles"]
        for place in (f"projects/{known[0]['id']}", "system"):
            requests.put(
                f"{self.url}/v3/{place}/users/{user}/roles/{found['id']}",
                headers={"X-Auth-Token": token},
                timeout=PATIENCE,
            ).raise_for_status()
        return str(user)

    def credential(
        self,
        user: str,
        name: str,
        rules: Sequence[Mapping[str, str]],
        called: str = "nova-ha",
    ) -> dict[str, str]:
        """An application credential of a user, by name and id, for those requests
        alone: how [cloud] of nova-ha.conf says it."""
        said = {"name": called, "access_rules": [*rules]}
        path = f"users/{user}/application_credentials"
        made = self._post(path, {"application_credential": said}, self.token(name))
        return {
            "auth_type": "v3applicationcredential",
            "auth_url": f"{self.url}/v3",
            "application_credential_id": made["application_credential"]["id"],
            "application_credential_secret": made["application_credential"]["secret"],
        }

    def token(
        self, name: str = str(USER["name"]), project: str = str(PROJECT["name"])
    ) -> str:
        """A new one, of the administrator's or of another user."""
        domain = {"id": "default"}
        user = {"name": name, "password": PASSWORD, "domain": domain}
        scope = {"project": {"name": project, "domain": domain}}
        identity = {"methods": ["password"], "password": {"user": user}}
        answer = requests.post(
            f"{self.url}/v3/auth/tokens",
            json={"auth": {"identity": identity, "scope": scope}},
            timeout=PATIENCE,
        )
        answer.raise_for_status()
        return str(answer.headers["X-Subject-Token"])

    def middleware(self, kind: str) -> dict[str, dict[str, str]]:
        """How services have tokens checked: a section of their conf files.

        :param kind: the service's type in the catalog, by which access rules go.
        """
        options = {
            "service_type": kind,
            "www_authenticate_uri": self.url,
            "interface": "public",
            "token_cache_time": "10",  # seconds until it is noticed that one is revoked
        }
        return {"keystone_authtoken": {**login(self.url), **options}}

    def _get(self, path: str, token: str) -> dict[str, list[dict[str, str]]]:
        answer = requests.get(
            f"{self.url}/v3/{path}", headers={"X-Auth-Token": token}, timeout=PATIENCE
        )
        answer.raise_for_status()
        found: dict[str, list[dict[str, str]]] = answer.json()
        return found

    def _post(self, path: str, body: object, token: str) -> dict[str, dict[str, str]]:
        answer = requests.post(
            f"{self.url}/v3/{path}",
            json=body,
            headers={"X-Auth-Token": token},
            timeout=PATIENCE,
        )
        if not answer.ok:
            raise ProgramError(f"keystone refuses {body}: {answer.text}")
        found: dict[str, dict[str, str]] = answer.json()
        return found
