# SPDX-License-Identifier: Apache-2.0
"""Whether the trigger's user may read a volume's key, as a real Barbican says.

Nova and Cinder are stand-ins here: each answers one list. Keystone is, too; see
tests/lib/barbican.py.
"""

from collections.abc import Iterator, Mapping
from typing import Any, cast

import openstack
import pytest
import requests

from nova_ha_scheduler.cluster.openstack import beforehand
from nova_ha_scheduler.cluster.openstack.api import Api
from nova_ha_scheduler.cluster.picture import Server
from tests.lib import barbican
from tests.lib.barbican import Barbican, person

SERVER = Server("11111111-1111-4111-8111-111111111111", "db1", "node1")
VOLUME = "33333333-3333-4333-8333-333333333333"
OWNER = person("owner", "theirs", "member", "creator")
ADMIN = person("trigger", "service", "admin")
"""Nova's administrator, in a project of its own, as the trigger's user is."""
SERVANT = person("trigger", "service", "service")
"""As one who has the role of services alone."""


@pytest.fixture(scope="module", params=["new", "legacy"])
def keys(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Barbican]:
    folder = tmp_path_factory.mktemp("barbican")
    with barbican.running(folder, request.param == "new") as found:
        yield found


class Cloud:
    """Nova's and Cinder's answers, and Barbican's own."""

    def __init__(self, keys: Barbican, who: Mapping[str, str], key: str) -> None:
        connection = openstack.connect(
            load_yaml_config=False,
            load_envvars=False,
            auth_type="none",
            auth={"endpoint": keys.url},
            key_manager_endpoint_override=f"{keys.url}/v1",
        )
        connection.session.additional_headers = dict(who)
        self._real, self._key = Api(connection), key

    def status(self, service: str, method: str, path: str) -> int:
        return self._real.status(service, method, path)

    def get(self, service: str, path: str, *_: Any) -> Any:
        if service == "key_manager":
            return self._real.get(service, path)
        assert (service, path) == ("block_storage", f"/volumes/{VOLUME}/encryption")
        return {"encryption_key_id": self._key}

    def pages(self, service: str, path: str, key: str, *_: Any, **more: Any) -> Any:
        attached = "os-extended-volumes:volumes_attached"
        known = {"id": SERVER.uuid, "tenant_id": "theirs", attached: [{"id": VOLUME}]}
        volume = {"id": VOLUME, "encrypted": True}
        volume["attachments"] = [{"server_id": SERVER.uuid}]
        return iter({"servers": [known], "volumes": [volume]}[key])


def _locked(keys: Barbican, who: Mapping[str, str], key: str) -> list[str]:
    api = cast(Api, Cloud(keys, who, key))
    return beforehand.locked(api, {SERVER.uuid: SERVER}).get(SERVER.uuid, [])


@pytest.mark.parametrize("who", [ADMIN, SERVANT], ids=["admin", "service"])
def test_who_may_read_a_key(keys: Barbican, who: Mapping[str, str]) -> None:
    """By the words of the remedy, an administrator of another project may, too, and a
    service."""
    key = keys.store(OWNER, "the key of a disk")
    assert _locked(keys, OWNER, key) == []
    assert keys.read(OWNER, key) == "the key of a disk"
    (words,) = _locked(keys, who, key)
    assert key in words
    assert "(403)" in words
    with pytest.raises(requests.HTTPError, match="403"):
        keys.read(who, key)
    keys.let_read(OWNER, key, "trigger")
    assert keys.read(who, key) == "the key of a disk"
    assert _locked(keys, who, key) == []


def test_a_key_that_is_gone(keys: Barbican) -> None:
    (words,) = _locked(keys, OWNER, "44444444-4444-4444-8444-444444444444")
    assert "(404)" in words
