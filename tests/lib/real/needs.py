# SPDX-License-Identifier: Apache-2.0
"""What the stack of real parts needs of this machine. As a program, it says what is
missing, and ends with 1 if anything is."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

from tests.lib import packages
from tests.lib.errors import ProgramError

LIBVIRT = Path("/usr/lib/python3/dist-packages")
"""Where the system has libvirt's Python module."""

_PROGRAMS = {
    "as": "binutils",
    "gcc": "gcc",
    "genisoimage": "genisoimage",
    "ip": "iproute2",
    "libvirtd": "libvirt-daemon",
    "nsenter": "util-linux",
    "qemu-img": "qemu-utils",
    "qemu-system-x86_64": "qemu-system-x86",
    "virsh": "libvirt-clients",
}
_MODULES = ("glance", "neutron", "cinder", "keystone")
_NAMESPACES = ["unshare", "--mount", "--uts", "--pid", "--net", "--fork", "true"]


def missing() -> list[str]:
    """Sentences on what is not there."""
    found = []
    for program, package in _PROGRAMS.items():
        try:
            packages.find(program, package)
        except ProgramError as error:
            found.append(str(error))
    version = f"{sys.version_info.major}{sys.version_info.minor}"
    if not [*LIBVIRT.glob(f"libvirtmod.cpython-{version}-*")]:
        found.append(f"python3-libvirt for Python {sys.version.split()[0]} is needed")
    for module in _MODULES:
        if importlib.util.find_spec(module) is None:
            found.append(f"{module} is needed: fullstack-requirements.txt")
    if not Path("/dev/net/tun").exists():
        found.append("/dev/net/tun is needed")
    if os.geteuid() or subprocess.run(_NAMESPACES, capture_output=True).returncode:
        found.append("root is needed, and that it may make namespaces")
    return found


if __name__ == "__main__":
    found = missing()
    for each in found:
        print(each)
    sys.exit(bool(found))
