# SPDX-License-Identifier: Apache-2.0
"""The computes' hypervisor: writes down which servers run on its host, and when.

One line for each thing that happens, before Nova hears of it: so a checker can prove
afterwards what was true, whatever Nova and the trigger believed (truth.py). The file
is the host's disk, too: guests stay defined when its power fails.
"""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from nova.compute import power_state, task_states
from nova.virt import fake

from tests.lib.cloud import driver
from tests.lib.cloud.hardware import Hardware, Size
from tests.lib.stack import machines


class RecordingDriver(driver.Driver):
    """One host's hypervisor in a process of its own."""

    machine: machines.Machine
    rebuild_seconds: Path

    def init_host(self, host: str) -> None:
        super().init_host(host)
        warm = machines.WARM in os.environ
        self.instances.update(_guests(machines.read(self.machine.records), warm))
        self._write("restart" if warm else "boot", pid=os.getpid())

    def _write(self, event: str, **details: Any) -> None:
        line = {"at": time.time(), "host": self.machine.name, "event": event}
        machines.append(self.machine.records, {**line, **details})

    def _runs(self, instance: Any, **details: Any) -> None:
        disk = self.hardware.disk(self.machine.name, instance.uuid)
        self._write(
            "run",
            server=instance.uuid,
            name=instance.name,
            disk=str(disk.parent),
            **details,
        )

    def instance_exists(self, instance: Any) -> bool:
        lines = machines.read(self.machine.records)
        events = [li["event"] for li in lines if li.get("server") == instance.uuid]
        if events[-1:] == ["gone"]:  # its administrator has destroyed it, perhaps
            self.instances.pop(instance.uuid, None)
        return bool(super().instance_exists(instance))

    def spawn(
        self,
        context: Any,
        instance: Any,
        image_meta: Any,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        self.hardware.rebuild_seconds = self._takes
        found = self.instance_on_disk(instance)
        rebuilt = instance.task_state == task_states.REBUILD_SPAWNING
        super().spawn(context, instance, image_meta, *args, **kwargs)
        made = bool(instance.image_ref) and not found
        self._runs(instance, made=made, rebuilt=rebuilt)
        if not kwargs.get("power_on", True):
            self._write("stop", server=instance.uuid)

    def destroy(self, context: Any, instance: Any, *args: Any, **kwargs: Any) -> None:
        super().destroy(context, instance, *args, **kwargs)
        self._write("gone", server=instance.uuid)

    def post_live_migration_at_source(
        self, context: Any, instance: Any, network_info: Any
    ) -> None:
        super().post_live_migration_at_source(context, instance, network_info)
        self._write("gone", server=instance.uuid)

    def power_off(self, instance: Any, *args: Any, **kwargs: Any) -> None:
        super().power_off(instance, *args, **kwargs)
        self._write("stop", server=instance.uuid)

    def power_on(self, context: Any, instance: Any, *args: Any, **kwargs: Any) -> None:
        self._runs(instance)
        super().power_on(context, instance, *args, **kwargs)

    @property
    def _takes(self) -> float:
        """Seconds to bring a server up again."""
        if not self.rebuild_seconds.exists():
            return 0.0
        return float(self.rebuild_seconds.read_text())

    def reboot(self, context: Any, instance: Any, *args: Any, **kwargs: Any) -> None:
        time.sleep(self._takes)
        self._runs(instance)
        super().reboot(context, instance, *args, **kwargs)
        self.instances[instance.uuid].state = power_state.RUNNING

    def resume_state_on_host_boot(
        self, context: Any, instance: Any, *args: Any, **kwargs: Any
    ) -> None:
        self._runs(instance)
        super().resume_state_on_host_boot(context, instance, *args, **kwargs)

    def finish_migration(
        self,
        context: Any,
        migration: Any,
        instance: Any,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        super().finish_migration(context, migration, instance, *args, **kwargs)
        self._runs(instance)

    def finish_revert_migration(
        self, context: Any, instance: Any, *args: Any, **kwargs: Any
    ) -> None:
        super().finish_revert_migration(context, instance, *args, **kwargs)
        self._runs(instance)


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
    RecordingDriver.rebuild_seconds = room / "rebuild-seconds"
    sys.modules["nova.virt.tests_stack"] = sys.modules[__name__]


NAME = f"tests_stack.{RecordingDriver.__name__}"
