# SPDX-License-Identifier: Apache-2.0
"""As whom the cloud knows the trigger, and where its services are."""

from types import SimpleNamespace
from typing import Any

import pytest
from keystoneauth1 import access

from nova_ha_scheduler.cluster.errors import CloudUnreachable
from nova_ha_scheduler.cluster.openstack.api import Api

TOKEN: dict[str, Any] = {
    "user": {"name": "nova-ha", "id": "u1", "domain": {"id": "default"}},
    "project": {"name": "service", "id": "p1"},
    "roles": [{"name": "reader", "id": "2"}, {"name": "admin", "id": "1"}],
    "catalog": [{"type": "compute"}, {"type": "volumev3"}],
}


def _api(token: Any, auth: Any = None) -> Api:
    found = access.create(body={"token": token}, auth_token="t") if token else None
    auth = auth or SimpleNamespace(get_access=lambda session: found)
    session = SimpleNamespace(auth=auth, get_auth_headers=dict)

    def service(kind: str, url: str | None) -> Any:
        return SimpleNamespace(service_type=kind, get_endpoint=lambda: url)

    connection: Any = SimpleNamespace(
        session=session,
        compute=service("compute", "http://c/compute/v2.1/"),
        block_storage=service("block-storage", "http://c:8776/v3/p1"),
        image=service("image", None),
    )
    return Api(connection)


def test_the_user() -> None:
    assert _api(TOKEN).user() == (
        "nova-ha (u1) of project service, roles: admin, reader"
    )
    credential = {**TOKEN, "application_credential": {"id": "c1"}}
    assert ", application credential c1, roles: " in _api(credential).user()


@pytest.mark.parametrize("part", ["user", "roles"])
@pytest.mark.parametrize("said", [None, 5, {"name": 3}, [7]])
def test_a_token_that_cannot_be_read(part: str, said: Any) -> None:
    """It is no reason for a step to break."""
    with pytest.raises(CloudUnreachable, match="cannot be read"):
        _api({**TOKEN, part: said}).user()


def test_a_login_without_a_token() -> None:
    api = _api(TOKEN, SimpleNamespace(get_headers=dict))
    assert (api.access(), api.user(), api.endpoint("compute")) == (None, "", None)


def test_endpoints() -> None:
    api = _api(TOKEN)
    assert api.endpoint("compute") == ("compute", "/compute/v2.1")
    assert api.endpoint("block_storage") == ("volumev3", "/v3/p1")
    assert api.endpoint("image") is None
