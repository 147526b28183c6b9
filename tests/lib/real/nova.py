# SPDX-License-Identifier: Apache-2.0
"""Nova's configuration and programs, where its hypervisors are libvirt and QEMU."""

import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.lib import packages
from tests.lib.cloud import config
from tests.lib.real import namespaces
from tests.lib.real.machines import RealMachine
from tests.lib.real.needs import LIBVIRT
from tests.lib.real.place import Place, disks
from tests.lib.stack.machines import Machine
from tests.lib.stack.nova import Nova
from tests.lib.stack.programs import Program
from tests.lib.stack.site import script

_SHIM = Path(__file__).with_name("sharedfs.c")

_SWITCH = (
    "ip link add switch type bridge && ip link set switch up && echo ready && "
    "exec sleep infinity"
)


class RealNova(Nova):
    """Its services.

    :ivar switch: a process in whose network namespace the hosts are joined.
    """

    driver = "tests_real.RecordingLibvirt"  # driver.py says why the name
    computes = "tests.lib.real.compute"
    machines: Mapping[str, RealMachine]

    def prepare(self) -> None:
        folder = self._site.folder
        for name in ("shared/instances", "shared/mnt", "cache", "libvirt"):
            (folder / name).mkdir(parents=True)
        for zone in set(self._site.layout.zones.values()):
            disks(folder, zone).mkdir(parents=True)
        self._link_libvirt(folder / "libvirt")
        shared = f'-DSHARED="{folder / "shared"}"'
        compile_ = [packages.find("gcc", "gcc"), "-shared", "-fPIC", shared]
        made = ["-o", str(folder / "sharedfs.so"), str(_SHIM), "-ldl"]
        subprocess.run([*compile_, "-D_LARGEFILE64_SOURCE", *made], check=True)
        super().prepare()
        self.switch: Program = self._site.program(
            "switch",
            ["unshare", "--net", "sh", "-c", _SWITCH],
            lambda program: "ready" in program.logged,
        )
        self.switch.start()
        place = next(iter(self.machines.values())).place
        place.switch.write_text(str(self.switch.pid))

    def _link_libvirt(self, folder: Path) -> None:
        """Let the computes find libvirt's Python module, which is the system's."""
        for file in LIBVIRT.glob("libvirt*"):
            (folder / file.name).symlink_to(file)
        path = self.starter.environment["PYTHONPATH"]
        self.starter.environment["PYTHONPATH"] = f"{path}:{folder}"

    def more_conf(self, password: Mapping[str, str]) -> config.Conf:
        # Else cinder does not let go of a volume of a dead host.
        return {"service_user": {"send_service_user_token": True, **password}}

    def machine(self, host: str) -> RealMachine:
        return RealMachine(self._site.room, host)

    def host_conf(self, machine: Machine) -> config.Conf:
        place = Place.of(self._site.room, machine.name)
        layout = self._site.layout
        all_ = {host: Place.of(self._site.room, host).address for host in layout.zones}
        namespaces.write_files(place, all_)
        helper = [*namespaces.IN_NET, script("privsep-helper")]
        option = f"--config-file={machine.conf_file}"
        return config.merge(
            super().host_conf(machine),
            {
                "DEFAULT": {
                    "instances_path": place.instances,
                    # Else a resize makes qcow2 of a raw disk, and opens it as raw.
                    "use_cow_images": False,
                    "cpu_allocation_ratio": 64,
                    "reserved_host_memory_mb": 0,
                    "shutdown_timeout": 0,  # the guests do not hear of it
                    # A server whose port stays down is there all the same.
                    "vif_plugging_is_fatal": False,
                    "vif_plugging_timeout": 5,
                },
                "libvirt": {
                    "virt_type": "qemu",
                    "images_type": "raw",  # what a guest has written can be read
                    "hw_machine_type": "x86_64=pc",
                    "live_migration_scheme": "tcp",
                    "live_migration_inbound_addr": place.address,
                    "nfs_mount_point_base": place.mounts,
                },
                "nova_sys_admin": {"helper_command": " ".join([*helper, option])},
            },
        )
