# SPDX-License-Identifier: Apache-2.0
"""What the role ``service`` gets of Neutron, Cinder and Glance, beside Nova; and what a
token of the whole system gets."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
import requests
from keystoneauth1.identity.v3 import Password
from keystoneauth1.session import Session

from tests.fullstack.conftest import check, recovered
from tests.fullstack.test_permissions import OURS, SAMPLE, as_user, findings
from tests.lib.real.stack import RealStack
from tests.lib.stack import servers
from tests.lib.stack.evacuator import Trigger
from tests.lib.stack.site import PASSWORD

pytestmark = pytest.mark.real

ZONE, HOST = "nfs-a", "a1"

APIS = {"nova": "nova-api", "cinder": "cinder-api", "glance": "glance"}
"""By the folder of its configuration."""

LISTS = {
    "network": "/v2.0/ports",
    "block-storage": "/volumes/detail?all_tenants=1",
    "image": "/v2/images?visibility=all",
}

Obey = Callable[..., None]


@pytest.fixture
def obey(real: RealStack) -> Iterator[Obey]:
    """Have some services take their samples of a policy, and the others none."""

    def changed(**samples: Path) -> None:
        for name, api in APIS.items():
            path = real.site.folder / name / "policy.yaml"
            path.unlink(missing_ok=True)
            if name in samples:
                path.write_text(samples[name].read_text())
            real.programs[api].restart()

    yield changed
    changed()


def asked(real: RealStack, token: str) -> Mapping[str, int]:
    """What each list is answered with."""
    return {
        kind: requests.get(
            real.catalog[kind] + path, headers={"X-Auth-Token": token}, timeout=60
        ).status_code
        for kind, path in LISTS.items()
    }


def test_the_samples_are_enough(
    real: RealStack, trigger: Callable[..., Trigger], obey: Obey
) -> None:
    """Without that of Cinder, check says so; with it, a server with a volume and a port
    of another project comes back."""
    real.keystone.user("servant", "service", OURS)
    servant = as_user(real, "servant", project_name=OURS)
    cinders = SAMPLE.with_name("cinder-policy.yaml.sample")
    token = real.keystone.token("servant", OURS)
    (plain,) = servers.boot(real, HOST, 1)
    port = real.port()
    server = real.boot_from(HOST, real.volume(ZONE, image=True), ports=[port])
    obey(nova=SAMPLE)
    assert asked(real, token) == {"network": 200, "block-storage": 403, "image": 403}
    listed = real.catalog["network"] + LISTS["network"]
    shown = requests.get(listed, headers={"X-Auth-Token": token}, timeout=60).json()
    bound = {each["id"]: each["binding:host_id"] for each in shown["ports"]}
    assert bound[port] == HOST
    (finding,) = findings(trigger(name="-nova", conf=servant), code=2)
    assert finding["what"] == "GET /volumes/detail is refused"

    obey(nova=SAMPLE, cinder=cinders, glance=SAMPLE)
    assert set(asked(real, token).values()) == {200}
    ours = trigger(conf=servant)
    assert findings(ours) == []
    ours.service().start()
    real.machines[HOST].kill()
    check(real, [recovered(real, ours, HOST)], {plain, server})
    bound = real.openstack().network.get_port(port)
    assert (bound.status, bound.binding_host_id) == ("ACTIVE", real.host(server))


def test_a_token_of_the_whole_system(real: RealStack) -> None:
    """Whatever its roles are, Nova, Placement and Glance refuse it, and Neutron shows
    nothing to it. Cinder has no bounds for it."""
    real.keystone.user("system", "admin")
    login = Password(
        f"{real.keystone.url}/v3",
        username="system",
        password=PASSWORD,
        user_domain_id="default",
        system_scope="all",
    )
    token = {"X-Auth-Token": str(Session(login).get_token())}
    assert real.port()

    def got(url: str) -> requests.Response:
        return requests.get(url, headers=token, timeout=60)

    for url in (
        f"{real.endpoints['compute']}/os-services",
        f"{real.endpoints['compute']}/servers/detail?all_tenants=1",
        f"{real.endpoints['placement']}/resource_providers",
        real.catalog["image"] + LISTS["image"],
    ):
        assert got(url).status_code == 403, url
    assert got(real.catalog["network"] + LISTS["network"]).json() == {"ports": []}
    assert got(real.catalog["block-storage"] + LISTS["block-storage"]).ok
