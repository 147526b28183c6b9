# SPDX-License-Identifier: Apache-2.0
"""The machine room: what is physically there, whatever Nova believes.

Hosts have a size, mount the storage of one zone, and keep the definitions of their
guests when power fails. A server's disk is a file in the directory of its zone; a
host outside of all zones has a directory of its own. Disks are born with random
bytes, so a disk that was lost and made anew from its image shows as other bytes.
"""

import dataclasses
import secrets
import shutil
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_DISK_BYTES = 64


@dataclasses.dataclass(frozen=True)
class Size:
    """What a host offers."""

    vcpus: int = 64
    memory_mb: int = 262144
    local_gb: int = 10000


class Hardware:
    """Hosts, the storage that they mount, and the files on it.

    :param root: the directory that holds all storage
    :param zones: the storage zone that each host mounts, by host
    :param sizes: the sizes of hosts that differ from ``size``, by host
    :param rebuild_seconds: how long a host takes to bring up a server that is rebuilt
        or evacuated; may be changed at any time
    """

    def __init__(
        self,
        root: Path,
        zones: Mapping[str, str] | None = None,
        size: Size | None = None,
        sizes: Mapping[str, Size] | None = None,
        rebuild_seconds: float = 0.0,
    ) -> None:
        self.rebuild_seconds = rebuild_seconds
        self._root = root
        self._zones = dict(zones or {})
        self._size = size or Size()
        self._sizes = dict(sizes or {})
        self._guests: dict[str, dict[str, Any]] = {}

    def size(self, host: str) -> Size:
        return self._sizes.get(host, self._size)

    def guests(self, host: str) -> dict[str, Any]:
        """Return the guests defined on a host by uuid; outlives nova-compute."""
        return self._guests.setdefault(host, {})

    def power_off(self, host: str) -> None:
        """Leave a host's guests defined, but not running."""
        from nova.compute import power_state  # only where Nova runs

        for guest in self.guests(host).values():
            guest.state = power_state.SHUTDOWN

    def kept(self) -> dict[str, list[Any]]:
        """What goes on while all of Nova's processes are new ones: the guests."""
        return {
            host: [[guest.name, guest.state, guest.uuid] for guest in guests.values()]
            for host, guests in self._guests.items()
        }

    def restore(self, kept: Mapping[str, list[Any]]) -> None:
        from nova.virt.fake import FakeInstance  # only where Nova runs

        for host, guests in kept.items():
            found = [FakeInstance(*guest) for guest in guests]
            self.guests(host).update({guest.uuid: guest for guest in found})

    def storage(self, host: str) -> Path:
        """Return the directory where a host keeps disks: its zone's or its own."""
        zone = self._zones.get(host)
        return self._root / ("zones" if zone else "local") / (zone or host)

    def disk(self, host: str, server: str) -> Path:
        """Return where a host looks for a server's disk, which may not be there."""
        return self.storage(host) / f"{server}.disk"

    def disks(self, server: str) -> list[Path]:
        """Return all copies of a server's disk, wherever they lie."""
        return sorted(self._root.glob(f"*/*/{server}.disk"))

    def create_disk(self, host: str, server: str, image: str | None) -> None:
        """Make a server's disk, from a snapshot's bytes or new ones, if it is absent.

        Hypervisors do not overwrite a disk that they find; an evacuation within a
        zone relies on that.
        """
        disk = self.disk(host, server)
        if disk.exists():
            return
        disk.parent.mkdir(parents=True, exist_ok=True)
        snapshot = self._snapshot(image) if image else None
        if snapshot and snapshot.exists():
            shutil.copyfile(snapshot, disk)
        else:
            disk.write_bytes(secrets.token_bytes(_DISK_BYTES))

    def copy_disk(self, server: str, source: str, destination: str) -> None:
        """Copy a disk between hosts, unless they share the storage it lies on."""
        old, new = self.disk(source, server), self.disk(destination, server)
        if old != new and old.exists():
            new.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(old, new)

    def snapshot_disk(self, host: str, server: str, image: str) -> None:
        """Keep a disk's bytes as those of an image."""
        disk = self.disk(host, server)
        if disk.exists():
            snapshot = self._snapshot(image)
            snapshot.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(disk, snapshot)

    def _snapshot(self, image: str) -> Path:
        return self._root / "images" / image


def node_uuid(host: str) -> str:
    """Return a host's compute node uuid, the same in every run."""
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{host}.tests.lib.cloud"))
