# SPDX-License-Identifier: Apache-2.0
"""A cloud, its fence devices and a broker, with a proxy before each of them.

======  =================  ===================================
zone    hosts              what happens to them
======  =================  ===================================
nfs-a   a1 a2 a3           a1 dies while all peers are hostile
nfs-b   b1 b2 b3           b1 dies while most of them answer
======  =================  ===================================
"""

from tests.lib.cloud import Cloud, CloudError  # isort: skip  (prepares the process for Nova)

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from tests.lib import broker as rabbitmq
from tests.lib import redfish
from tests.lib.broker import Broker
from tests.lib.cloud.config import Conf
from tests.lib.cloud.stubs import IMAGES
from tests.lib.redfish import Bmcs
from tests.lib.rig import Trigger
from tests.lib.siege.proxy import Choices, Proxy
from tests.lib.stack.gate import Request, Rule

A, B = "a1", "b1"
ZONES = {f"{zone}{number}": f"nfs-{zone}" for zone in "ab" for number in (1, 2, 3)}

_CONF: Conf = {
    "DEFAULT": {"report_interval": 2, "service_down_time": 12},
    "filter_scheduler": {
        "available_filters": [
            "nova.scheduler.filters.all_filters",
            "nova_ha_scheduler.filters.all_filters",
        ],
        "enabled_filters": ["StorageZoneFilter", "HAFlavorFilter", "ComputeFilter"],
    },
}
_LOGIN = {
    "auth_type": "password",
    "username": "admin",
    "password": "any",
    "project_name": "demo",
    "user_domain_id": "default",
    "project_domain_id": "default",
    "timeout": 5,
}
_TRIGGER: Conf = {
    "DEFAULT": {"debug": True},
    "detection": {"poll_interval": 1, "down_time": 12, "clock_skew": 1},
    "evacuation": {
        "follow_interval": 0.5,
        "retry_interval": 1,
        "settle": 4,
        "check_time": 20,
        "device_check_interval": 5,
    },
    "fencing": {"request_timeout": 3, "power_off_timeout": 8},
    "guard": {"max_hosts": 9, "max_zone_percent": 100, "max_cloud_percent": 100},
    "return": {"flapping_within": 0},
    "journal": {"lease_timeout": 5},
}


class _Compute(Proxy):
    """Nova's; whoever looks sees each request before it is carried out."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.seen: Callable[[Request], None] = lambda request: None

    def admit(self, request: Request) -> Rule | None:
        rule = super().admit(request)
        if rule is None:
            self.seen(request)
        return rule


@dataclass
class Site:
    """All that stands while seeds come and go."""

    cloud: Cloud
    bmcs: Bmcs
    broker: Broker
    proxies: dict[str, Proxy]
    flavor: str

    @property
    def compute(self) -> _Compute:
        found = self.proxies["compute"]
        assert isinstance(found, _Compute)
        return found

    def choose(self, choices: Choices) -> None:
        """Let a seed decide."""
        for proxy in self.proxies.values():
            proxy.choices = choices

    def trigger(self, folder: Path) -> Trigger:
        """One with a journal of its own, that knows the proxies alone."""
        urls = {name: proxy.url for name, proxy in self.proxies.items()}
        conf: dict[str, dict[str, Any]] = {k: dict(v) for k, v in _TRIGGER.items()}
        conf["cloud"] = {**_LOGIN, "auth_url": urls["identity"] + "/v3"}
        conf["oslo_messaging_notifications"] = {
            "transport_url": self.broker.url,
            "driver": "messagingv2",
        }
        made = Trigger(folder, self.cloud.clouds_yaml, conf)
        self.bmcs.fencing_file(made.fencing_file, addresses={A: urls["bmc"]})
        return made

    def boot(self, seed: int) -> dict[str, str]:
        """Servers on both hosts that die, one of them with its disk on a volume.

        :returns: the host of each.
        """
        storage = self.cloud.openstack().block_storage
        found = {}
        for host in (A, B):
            volume = storage.create_volume(size=1, image=IMAGES["first"])
            root = {
                "boot_index": 0,
                "uuid": volume.id,
                "source_type": "volume",
                "destination_type": "volume",
            }
            on_volume = {"imageRef": "", "block_device_mapping_v2": [root]}
            for number, more in enumerate(({}, {}, on_volume)):
                name = f"{host}-{seed}-{number}"
                created = self.cloud.create(name, self.flavor, host=host, **more)
                found[created] = host
        for server in found:
            self.cloud.wait_status(server, "ACTIVE")
        return found

    def heal(self) -> None:
        """All hosts are up and empty again."""
        self.choose(Choices(0))
        cloud = self.cloud
        for host in ZONES:
            if not cloud.is_running(host):
                cloud.revive(host)
        for host in ZONES:
            cloud.wait(f"{host} is cleaned up", partial(self._lift, host))
            cloud.wait(f"{host} is heard", partial(self._is_up, host))
            cloud.openstack().compute.enable_service(self._service(host))
            if self.bmcs.power(host) != "On":
                self.bmcs.switch_on(host)
        listed = cloud.nova("GET", "/servers?all_tenants=1").json()["servers"]
        for server in listed:
            cloud.delete(server["id"])
        self._forget_others()

    def _forget_others(self) -> None:
        self.cloud.neutron.ports.clear()
        self.cloud.cinder.others.clear()
        self.cloud.glance.others.clear()

    def _service(self, host: str) -> Any:
        compute = self.cloud.openstack().compute
        (found,) = compute.services(binary="nova-compute", host=host)
        return found

    def _is_up(self, host: str) -> bool:
        return bool(self._service(host).state == "up")

    def _lift(self, host: str) -> bool:
        try:
            self.cloud.force_down(host, False)
        except CloudError:
            return False
        return True


@contextlib.contextmanager
def running(folder: Path) -> Iterator[Site]:
    """Bring all of it up in a folder."""
    with contextlib.ExitStack() as stack:
        broker = stack.enter_context(rabbitmq.running(folder / "rabbitmq"))
        bmcs = stack.enter_context(redfish.bmcs(folder, ZONES))
        cloud = stack.enter_context(
            Cloud(folder / "cloud", {"cell1": list(ZONES)}, ZONES, _CONF)
        )
        for zone in sorted(set(ZONES.values())):
            tags = {"ha": "true", "storage_zone": zone}
            hosts = [host for host in ZONES if ZONES[host] == zone]
            cloud.aggregate(f"zone-{zone}", tags, hosts)
        proxies = {
            name: (_Compute if name == "compute" else Proxy)(name)
            for name in (*cloud.endpoints, "bmc")
        }
        servers = {name: _root(url) for name, url in cloud.endpoints.items()}
        servers["bmc"] = bmcs.url
        addresses = {servers[name]: proxy.url for name, proxy in proxies.items()}
        for name, proxy in proxies.items():
            proxy.instead_of(addresses)
            proxy.open(int(servers[name].rpartition(":")[2]))
            stack.callback(proxy.close)
        flavor = cloud.flavor("protected", {"ha": "true"})
        yield Site(cloud, bmcs, broker, proxies, flavor)


def _root(url: str) -> str:
    """http://127.0.0.1:8774/v2.1 without the path."""
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.partition('/')[0]}"
