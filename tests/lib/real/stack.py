# SPDX-License-Identifier: Apache-2.0
"""The stack (tests/lib/stack) with nothing but real parts."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, ClassVar

from tests.lib.cloud.config import Conf
from tests.lib.cloud.stubs import IMAGES
from tests.lib.errors import ProgramError
from tests.lib.real import disks, needs
from tests.lib.real.disks import Disks
from tests.lib.real.machines import RealMachine
from tests.lib.real.nova import RealNova
from tests.lib.real.services import Services
from tests.lib.stack.others import Others
from tests.lib.stack.servers import FLAVOR
from tests.lib.stack.site import Layout
from tests.lib.stack.stack import Stack
from tests.lib.waiting import PATIENCE

ZONES = {
    **dict.fromkeys(["a1", "a2", "a9"], "nfs-a"),
    **dict.fromkeys(["b1", "b2", "b9"], "nfs-b"),
}
RESERVE = ("a9", "b9")
_NETWORK = "net"


class RealStack(Stack):
    """Fewer hosts: each is libvirtd, nova-compute, and guests.

    :ivar services: glance, neutron and cinder.
    :ivar disks: what the guests have written, looked at all the while.
    """

    nova_class = RealNova
    bears = 6  # each is a QEMU
    # A guest that really starts takes seconds, and a busy machine some more: what Nova
    # works on still must not be reset.
    slowly: ClassVar[Conf] = {"evacuation": {"slow_after": 60}}
    machines: Mapping[str, RealMachine]

    @staticmethod
    def layout() -> Layout:
        return Layout(zones=ZONES, reserve=RESERVE)

    def _start(self) -> None:
        if found := needs.missing():
            raise ProgramError("; ".join(found))
        super()._start()
        self.disks.start()

    def stop(self) -> None:
        self.disks.stop()
        super().stop()

    def _build(self) -> None:
        self.disks = Disks(self.folder)
        super()._build()

    def _make_others(self) -> Others:
        self.services = Services(
            self.site,
            self.databases.url,
            self.keystone,
            self.rabbitmq.url,
            self.openstack,
        )
        return self.services

    # What is there.

    def standing(self, servers: Collection[str]) -> list[str]:
        """What the disks say against it that these run, and that no other guest has
        their disks; takes some seconds."""
        files = {server: self.disks_of(server) for server in servers}
        wrong = [f"{id} has no disk, or two" for id, its in files.items() if not its]
        still = self.disks.still([disk for its in files.values() for disk in its])
        return [*self.disks.breaches, *wrong, *(f"{d} stands still" for d in still)]

    def silent(self, servers: Collection[str]) -> set[str]:
        return self.disks.silent(servers)

    def disks_of(self, server: str) -> list[Path]:
        """All disks of a server; none if its root on the zones' storage is not there
        once."""
        shown = self.server(server)
        volumes = shown["os-extended-volumes:volumes_attached"]
        found = [
            path
            for volume in volumes
            for path in self.services.volumes.exports.glob(f"*/volume-{volume['id']}")
        ]
        root = self.disks.of(server) if shown["image"] else found[:1]
        return [*root, *found] if len(root) == 1 else []

    def boot_number(self, server: str) -> int:
        """Which boot of its root disk has written there last; 0: none has."""
        mark = disks.read(self.disks_of(server)[0])
        return mark.boot if mark else 0

    def runs_on(self, server: str) -> set[str]:
        """The hosts that have a QEMU of it, which may hang."""
        return {host for host, m in self.machines.items() if server in m.guests()}

    def xml(self, server: str, host: str) -> str:
        """The guest, as libvirt has it on a host."""
        return self.machines[host].enter("virsh", "dumpxml", server)

    # As tenants do.

    def volume(self, zone: str, image: bool = False) -> str:
        """A new volume of a GiB in a zone; return its id.

        :param image: a copy of the guests' image, that boots.
        """
        store = self.openstack().block_storage
        its = {"image_id": IMAGES["first"]} if image else {}
        made = store.create_volume(size=1, volume_type=zone, **its)
        store.wait_for_status(made, "available", failures=["error"], wait=PATIENCE)
        return str(made.id)

    def port(self) -> str:
        """A new port; return its id."""
        net = self.openstack().network
        found = net.find_network(_NETWORK)
        if not found:
            found = net.create_network(name=_NETWORK)
            net.create_subnet(
                network_id=found.id,
                ip_version=4,
                cidr="10.1.0.0/24",
                is_dhcp_enabled=False,
            )
        return str(net.create_port(network_id=found.id).id)

    def boot_from(
        self, host: str, *volumes: str, ports: Collection[str] = (), **request: Any
    ) -> str:
        """A server whose root is the first of some volumes; return its id when it is
        active."""
        request |= {
            "host": host,
            "imageRef": "",
            "block_device_mapping_v2": [
                {
                    "boot_index": -1 if number else 0,
                    # A BIOS that boots from a virtio disk looks at no other one.
                    "disk_bus": "ide" if volumes[1:] else "virtio",
                    "uuid": volume,
                    "source_type": "volume",
                    "destination_type": "volume",
                }
                for number, volume in enumerate(volumes)
            ],
        }
        if ports:
            request["networks"] = [{"port": port} for port in ports]
        flavor = self.openstack().compute.find_flavor(FLAVOR, ignore_missing=False)
        return str(self.boot(f"{host}-volumes", flavor.id, **request)["id"])

    def attached(self, volume: str) -> Mapping[str, Any]:
        """A volume's only attachment that is in use."""
        store = self.openstack().block_storage
        found = [
            each
            for each in store.attachments(details=True, volume_id=volume)
            if each.status == "attached"
        ]
        (only,) = found
        return dict(only.to_dict())
