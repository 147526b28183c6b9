# SPDX-License-Identifier: Apache-2.0
"""The computes' hypervisor: libvirt, with a record of what runs (recording.py)."""

import sys
from pathlib import Path
from typing import Any

from nova.virt.libvirt.driver import LibvirtDriver

from tests.lib.real.place import Place
from tests.lib.stack import machines
from tests.lib.stack.recording import Recording


class RecordingLibvirt(Recording, LibvirtDriver):
    """One host's."""

    def post_live_migration_at_destination(
        self, context: Any, instance: Any, *args: Any, **kwargs: Any
    ) -> None:
        super().post_live_migration_at_destination(context, instance, *args, **kwargs)
        self._runs(instance)


def register(room: Path, host: str) -> None:
    """Give this process's driver its host; nova.conf names it tests_real."""
    RecordingLibvirt.machine = machines.Machine(room, host)
    RecordingLibvirt.disks = Place.of(room, host).disks
    RecordingLibvirt.rebuild_seconds = room / "rebuild-seconds"
    sys.modules["nova.virt.tests_real"] = sys.modules[__name__]
