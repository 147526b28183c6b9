# SPDX-License-Identifier: Apache-2.0
"""The computes' hypervisor where Nova's fake one stands in for it.

Its records (recording.py) are the host's disk, too: guests stay defined when its power
fails.
"""

import json
import sys
from pathlib import Path
from typing import Any

from nova.compute import power_state
from nova.virt import fake

from tests.lib.cloud import driver
from tests.lib.cloud.hardware import Hardware, Size
from tests.lib.stack import machines
from tests.lib.stack.recording import Recording


class RecordingDriver(Recording, driver.Driver):
    """One host's hypervisor in a process of its own."""

    def init_host(self, host: str) -> None:
        super().init_host(host)
        self.instances.update(_guests(machines.read(self.machine.records), self.warm))

    def instance_exists(self, instance: Any) -> bool:
        lines = machines.read(self.machine.records)
        events = [li["event"] for li in lines if li.get("server") == instance.uuid]
        if events[-1:] == ["gone"]:  # its administrator has destroyed it, perhaps
            self.instances.pop(instance.uuid, None)
        return bool(super().instance_exists(instance))

    def reboot(self, context: Any, instance: Any, *args: Any, **kwargs: Any) -> None:
        super().reboot(context, instance, *args, **kwargs)
        self.instances[instance.uuid].state = power_state.RUNNING


def _guests(records: list[dict[str, Any]], warm: bool) -> dict[str, fake.FakeInstance]:
    """The guests that are defined on a host.

    :param warm: those that ran still run; else none does.
    """
    found: dict[str, fake.FakeInstance] = {}
    for record in records:
        server = str(record.get("server"))
        if record["event"] == "run":
            state = power_state.RUNNING if warm else power_state.SHUTDOWN
            found[server] = fake.FakeInstance(record["name"], state, server)
        elif record["event"] == "stop" and server in found:
            found[server].state = power_state.SHUTDOWN
        elif record["event"] == "boot":
            for guest in found.values():
                guest.state = power_state.SHUTDOWN
        elif record["event"] == "gone":
            found.pop(server, None)
    return found


def register(room: Path, host: str) -> None:
    """Give this process's driver its host; nova.conf names it tests_stack."""
    layout = json.loads((room / "layout").read_text())
    size = Size(**layout["size"])
    driver.Driver.hardware = Hardware(room, layout["zones"], size)
    RecordingDriver.machine = machines.Machine(room, host)
    RecordingDriver.disks = driver.Driver.hardware.storage(host)
    RecordingDriver.rebuild_seconds = room / "rebuild-seconds"
    sys.modules["nova.virt.tests_stack"] = sys.modules[__name__]


NAME = f"tests_stack.{RecordingDriver.__name__}"
