# SPDX-License-Identifier: Apache-2.0
"""A compute host: namespaces in which libvirtd, nova-compute and guests live.

PID, mount and UTS namespaces are the host's; libvirtd, guests and their taps are in its
network namespace, too, whose only way out is a switch that joins the hosts.
nova-compute is not: the services that it asks are on this machine's loopback. All of it
ends with the first process: the kernel sees to that.
"""

import ctypes
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

from tests.lib.real.place import Place

_NEWNS, _NEWUTS, _NEWPID = 0x20000, 0x4000000, 0x20000000  # of unshare(2)
_NET = "host"
"""The name that ``ip netns`` has in the host for its network namespace."""
IN_NET = ["nsenter", f"--net=/run/netns/{_NET}"]
LIBVIRT = Path("/run/libvirt/libvirt-sock")
_PATIENCE = 30.0
_USER = "libvirt-qemu"  # libvirtd wants it to be there


def unshare() -> None:
    """From now on, this process has mounts and a host name of its own, and its next
    child is the first process of a PID namespace."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_NEWNS | _NEWUTS | _NEWPID):
        raise OSError(ctypes.get_errno(), "no new namespaces")


class Outside:
    """The view on processes that this machine has. Make it before unshare()."""

    def __init__(self) -> None:
        self._proc = os.open("/proc", os.O_RDONLY)

    @property
    def pid(self) -> int:
        """This process's."""
        return int(os.readlink("self", dir_fd=self._proc))


def furnish(place: Place, switch: int) -> None:
    """Make the host's mounts and network; called by its first process.

    :param switch: an open file: the network namespace of the switch.
    """
    socket.sethostname(place.host)
    own = place.own
    _run("mount", "--make-rprivate", "/")
    _run("mount", "-t", "proc", "proc", "/proc")
    _run("mount", "-t", "tmpfs", "tmpfs", "/run")
    Path("/run/lock").mkdir()
    for source, target in (
        (own / "etc", "/etc/libvirt"),
        (own / "lib", "/var/lib/libvirt"),
        (own / "log", "/var/log/libvirt"),
        (own / "hosts", "/etc/hosts"),
        (own / "passwd", "/etc/passwd"),
        (own / "group", "/etc/group"),
        (place.cache, "/var/cache/libvirt"),
        (place.disks, str(place.instances)),
    ):
        if source.is_dir():  # libvirtd would make it, had it ever run on this machine
            Path(target).mkdir(parents=True, exist_ok=True)
        _run("mount", "--bind", str(source), target)
    _connect(place, switch)
    # What nova-compute sees of the network is the host's.
    _run(*IN_NET, "mount", "-t", "sysfs", "sysfs", "/sys")


def _connect(place: Place, switch: int) -> None:
    """A cable to the switch; it vanishes with the host, a little later."""
    _run("ip", "netns", "add", _NET)
    there = ["nsenter", f"--net=/proc/self/fd/{switch}", "ip", "link"]
    cable = [*there, "add", place.host, "type", "veth", "peer", "name", "eth0"]
    end = time.monotonic() + _PATIENCE
    while subprocess.run([*cable, "netns", _NET], pass_fds=[switch]).returncode:
        if time.monotonic() > end:
            raise OSError(f"{place.host}: no cable to the switch")
        time.sleep(0.1)
    for command in (
        [*there, "set", place.host, "master", "switch", "up"],
        [*IN_NET, "ip", "link", "set", "lo", "up"],
        [*IN_NET, "ip", "address", "add", f"{place.address}/24", "dev", "eth0"],
        [*IN_NET, "ip", "link", "set", "eth0", "up"],
    ):
        subprocess.run(command, pass_fds=[switch], check=True)


def start_libvirtd(place: Place) -> None:
    """Start it, if it does not run; return when it answers."""
    if _answers():
        return
    with (place.own / "libvirtd.log").open("ab") as log:
        subprocess.Popen(
            [*IN_NET, "libvirtd", "--listen"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**os.environ, "LD_PRELOAD": str(place.shim)},
            start_new_session=True,
            preexec_fn=lambda: signal.signal(signal.SIGCHLD, signal.SIG_DFL),
        )
    end = time.monotonic() + _PATIENCE
    while not _answers():
        if time.monotonic() > end:
            raise OSError(f"{place.host}: libvirtd does not start")
        time.sleep(0.05)


def _answers() -> bool:
    with socket.socket(socket.AF_UNIX) as door:
        try:
            door.connect(str(LIBVIRT))
        except OSError:
            return False
    return True


def _run(*command: str) -> None:
    subprocess.run(command, check=True)


def write_files(place: Place, hosts: dict[str, str]) -> None:
    """What a host has on its own disk.

    :param hosts: the addresses of all, by name.
    """
    own = place.own
    for name in ("etc/qemu", "lib", "log"):
        (own / name).mkdir(parents=True)
    names = [f"{address} {name}\n" for name, address in hosts.items()]
    (own / "hosts").write_text("".join(["127.0.0.1 localhost\n", *names]))
    for name, line in (
        ("passwd", f"{_USER}:x:64055:64055::/:/bin/false\n"),
        ("group", f"{_USER}:x:64055:\n"),
    ):
        text = Path("/etc", name).read_text()
        (own / name).write_text(text if f"{_USER}:" in text else text + line)
    uuid = f"0000{place.number:04d}-0000-4000-8000-000000000000"
    (own / "etc" / "libvirtd.conf").write_text(
        f"""\
listen_tls = 0
listen_tcp = 1
listen_addr = "{place.address}"
auth_tcp = "none"
auth_unix_rw = "none"
auth_unix_ro = "none"
host_uuid = "{uuid}"
"""
    )
    (own / "etc" / "qemu.conf").write_text(
        f"""\
user = "root"
group = "root"
dynamic_ownership = 0
remember_owner = 0
security_driver = "none"
namespaces = [ ]
cgroup_controllers = [ ]
stdio_handler = "file"
migration_address = "{place.address}"
migration_host = "{place.address}"
"""
    )
    place.mountable.write_text(f"{place.zone}\n")
