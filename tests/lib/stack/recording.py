# SPDX-License-Identifier: Apache-2.0
"""What the computes' hypervisors have in common: each writes down which servers run on
its host, and when.

One line for each thing that happens, before Nova hears of it: so a checker can prove
afterwards what was true, whatever Nova and the trigger believed (truth.py).
"""

import os
import time
from pathlib import Path
from typing import Any, ClassVar

from nova.compute import task_states
from nova.virt import driver

from tests.lib.stack import machines


class Recording(driver.ComputeDriver):
    """Stands before a driver of Nova's; one host's, in a process of its own.

    :cvar machine: the host.
    :cvar disks: the folder of its storage, by which truth.py tells one from another.
    :cvar rebuild_seconds: a file that says how long a server takes to come up.
    """

    machine: ClassVar[machines.Machine]
    disks: ClassVar[Path]
    rebuild_seconds: ClassVar[Path]

    @property
    def warm(self) -> bool:
        """Whether the host had power all the time, and its guests run."""
        return machines.WARM in os.environ

    def init_host(self, host: str) -> None:
        super().init_host(host)
        self._write("restart" if self.warm else "boot", pid=os.getpid())

    def _write(self, event: str, **details: Any) -> None:
        line = {"at": time.time(), "host": self.machine.name, "event": event}
        machines.append(self.machine.records, {**line, **details})

    def _runs(self, instance: Any, **details: Any) -> None:
        its = {"server": instance.uuid, "name": instance.name, "disk": str(self.disks)}
        self._write("run", **its, **details)

    @property
    def _takes(self) -> float:
        """Seconds to bring a server up again."""
        if not self.rebuild_seconds.exists():
            return 0.0
        return float(self.rebuild_seconds.read_text())

    def spawn(
        self,
        context: Any,
        instance: Any,
        image_meta: Any,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        found = self.instance_on_disk(instance)
        rebuilt = instance.task_state == task_states.REBUILD_SPAWNING
        if rebuilt:
            time.sleep(self._takes)
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
        super().power_on(context, instance, *args, **kwargs)
        self._runs(instance)

    def reboot(self, context: Any, instance: Any, *args: Any, **kwargs: Any) -> None:
        time.sleep(self._takes)
        super().reboot(context, instance, *args, **kwargs)
        self._runs(instance)

    def rescue(self, context: Any, instance: Any, *args: Any, **kwargs: Any) -> None:
        super().rescue(context, instance, *args, **kwargs)
        self._runs(instance)

    def resume_state_on_host_boot(
        self, context: Any, instance: Any, *args: Any, **kwargs: Any
    ) -> None:
        super().resume_state_on_host_boot(context, instance, *args, **kwargs)
        self._runs(instance)

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
