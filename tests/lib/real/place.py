# SPDX-License-Identifier: Apache-2.0
"""Where everything of a host lies. Imports next to nothing."""

import json
from dataclasses import dataclass
from pathlib import Path

_FIRST = 11


@dataclass(frozen=True)
class Place:
    """One host's.

    :ivar folder: of the stack.
    :ivar zone: its storage zone; :ivar address: in the network of the hosts.
    """

    folder: Path
    host: str
    zone: str
    address: str
    number: int

    @classmethod
    def of(cls, room: Path, host: str) -> "Place":
        """As the layout in the machine room has it."""
        zones = json.loads((room / "layout").read_text())["zones"]
        number = [*zones].index(host) + _FIRST
        return cls(room.parent, host, zones[host], f"10.9.0.{number}", number)

    @property
    def own(self) -> Path:
        """What is the host's own, and is there still after a power cut."""
        return self.folder / "machines" / self.host

    @property
    def disks(self) -> Path:
        """The zone's shared storage, as it lies on this machine."""
        return disks(self.folder, self.zone)

    @property
    def instances(self) -> Path:
        """Where each host sees the storage of its zone: nova's instances_path."""
        return self.folder / "shared" / "instances"

    @property
    def mounts(self) -> Path:
        """Where each host mounts exports of cinder's."""
        return self.folder / "shared" / "mnt"

    @property
    def mountable(self) -> Path:
        """A file with the exports that the host may mount."""
        return self.own / "mountable"

    @property
    def switch(self) -> Path:
        """A file with the pid of the process in whose namespace the switch is, which
        joins all hosts."""
        return self.folder / "machines" / "switch"

    @property
    def cache(self) -> Path:
        """What libvirt has found out about QEMU: for all hosts, it takes seconds."""
        return self.folder / "cache"

    @property
    def shim(self) -> Path:
        """sharedfs.c, compiled."""
        return self.folder / "sharedfs.so"


def disks(folder: Path, zone: str) -> Path:
    return folder / "zones" / zone
