# SPDX-License-Identifier: Apache-2.0
"""Nova's fake hypervisor, with the parts that this project is about made real.

Node uuids are stable, hosts have sizes, guests survive a crash of their host, and a
server's disk is a file on the storage that its host mounts
(:mod:`tests.lib.cloud.hardware`).
When a disk is made, copied, kept or deleted follows the calls of
``nova/compute/manager.py`` and what the libvirt driver does in them.
"""

import sys
import time
from typing import Any, ClassVar

from nova.compute import power_state, task_states
from nova.virt import fake

from tests.lib.cloud.hardware import Hardware, node_uuid


class Driver(fake.FakeDriver):
    """One host's hypervisor."""

    #: Nova makes driver objects by name and without arguments, hence a class
    #: attribute. Set before the first compute starts.
    hardware: ClassVar[Hardware]

    def init_host(self, host: str) -> None:
        super().init_host(host)
        size = self.hardware.size(host)
        self.vcpus, self.memory_mb = size.vcpus, size.memory_mb
        self.local_gb = size.local_gb
        self.resources = fake.Resources(size.vcpus, size.memory_mb, size.local_gb)
        self.instances = self.hardware.guests(host)

    # What the host is.

    def get_nodenames_by_uuid(self, refresh: bool = False) -> dict[str, str]:
        return {node_uuid(name): name for name in self.get_available_nodes()}

    def get_available_resource(self, nodename: str) -> dict[str, Any]:
        resources = super().get_available_resource(nodename)
        return {**resources, "uuid": node_uuid(nodename)}

    # Boot, rebuild, evacuation, unshelve, delete.

    def spawn(
        self,
        context: Any,
        instance: Any,
        image_meta: Any,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        if instance.task_state == task_states.REBUILD_SPAWNING:
            time.sleep(self.hardware.rebuild_seconds)
        if instance.image_ref:  # a volume-backed server has none, and no local disk
            image = image_meta.id if image_meta and "id" in image_meta else None
            self.hardware.create_disk(self._host, instance.uuid, image)
        super().spawn(context, instance, image_meta, *args, **kwargs)

    def instance_on_disk(self, instance: Any) -> bool:
        return self.hardware.disk(self._host, instance.uuid).exists()

    def snapshot(
        self, context: Any, instance: Any, image_id: str, update_task_state: Any
    ) -> None:
        super().snapshot(context, instance, image_id, update_task_state)
        self.hardware.snapshot_disk(self._host, instance.uuid, image_id)

    def destroy(
        self,
        context: Any,
        instance: Any,
        network_info: Any,
        block_device_info: Any = None,
        destroy_disks: bool = True,
        destroy_secrets: bool = True,
    ) -> None:
        if instance.uuid in self.instances:  # else the fake driver warns
            super().destroy(context, instance, network_info, block_device_info)
        if destroy_disks:
            self.hardware.disk(self._host, instance.uuid).unlink(missing_ok=True)

    def cleanup(
        self,
        context: Any,
        instance: Any,
        network_info: Any,
        block_device_info: Any = None,
        destroy_disks: bool = True,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        super().cleanup(context, instance, network_info, block_device_info)
        if destroy_disks:
            self.hardware.disk(self._host, instance.uuid).unlink(missing_ok=True)

    # A guest that is not there: nova.virt.libvirt.driver makes it anew to start it, has
    # nothing to do where it is to be off, and refuses the rest.

    def power_on(self, context: Any, instance: Any, *args: Any, **kwargs: Any) -> None:
        if instance.uuid not in self.instances:
            super().spawn(context, instance, instance.image_meta, None, None, None)
        super().power_on(context, instance, *args, **kwargs)

    def power_off(self, instance: Any, *args: Any, **kwargs: Any) -> None:
        if instance.uuid in self.instances:
            super().power_off(instance, *args, **kwargs)

    def rescue(self, context: Any, instance: Any, *args: Any) -> None:
        self.power_on(context, instance, None)

    def pause(self, instance: Any) -> None:
        self.get_info(instance)

    def suspend(self, context: Any, instance: Any) -> None:
        self.get_info(instance)

    def resume_state_on_host_boot(
        self, context: Any, instance: Any, *args: Any, **kwargs: Any
    ) -> None:
        self.instances[instance.uuid].state = power_state.RUNNING

    # Does another host see this server's disk? The manager asks before it deletes
    # disks: when a dead host returns, and when a resize is reverted.

    def check_instance_shared_storage_local(
        self, context: Any, instance: Any
    ) -> dict[str, str]:
        return {"storage": str(self.hardware.storage(self._host))}

    def check_instance_shared_storage_remote(self, context: Any, data: Any) -> bool:
        return bool(data["storage"] == str(self.hardware.storage(self._host)))

    def check_instance_shared_storage_cleanup(self, context: Any, data: Any) -> None:
        """Libvirt deletes its test file here; there is none."""

    # Cold migration and resize: the source keeps its copy until they are confirmed.

    def migrate_disk_and_power_off(
        self, context: Any, instance: Any, *args: Any, **kwargs: Any
    ) -> str:
        self.power_off(instance)
        return ""  # disk_info, a string over RPC; only the driver reads it

    def finish_migration(
        self,
        context: Any,
        migration: Any,
        instance: Any,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        self.hardware.copy_disk(instance.uuid, migration.source_compute, self._host)
        super().finish_migration(context, migration, instance, *args, **kwargs)

    def confirm_migration(
        self, context: Any, migration: Any, instance: Any, network_info: Any
    ) -> None:
        if migration.source_compute == migration.dest_compute:
            return
        here, there = map(
            self.hardware.storage, (migration.source_compute, migration.dest_compute)
        )
        self.destroy(context, instance, network_info, destroy_disks=here != there)

    # Live migration: block migration when the hosts do not share storage.

    def check_can_live_migrate_destination(
        self, context: Any, instance: Any, *args: Any, **kwargs: Any
    ) -> Any:
        data = super().check_can_live_migrate_destination(
            context, instance, *args, **kwargs
        )
        source, here = map(self.hardware.storage, (instance.host, self._host))
        data.is_shared_block_storage = data.is_shared_instance_path = source == here
        return data

    def pre_live_migration(
        self, context: Any, instance: Any, *args: Any, **kwargs: Any
    ) -> Any:
        self.hardware.copy_disk(instance.uuid, instance.host, self._host)
        return super().pre_live_migration(context, instance, *args, **kwargs)

    def post_live_migration_at_source(
        self, context: Any, instance: Any, network_info: Any
    ) -> None:
        self.instances.pop(instance.uuid, None)


def register(hardware: Hardware) -> str:
    """Give the driver its hardware; return its name for ``compute_driver``.

    Nova loads drivers only from below ``nova.virt``, so it gets a second name there.
    """
    Driver.hardware = hardware
    sys.modules["nova.virt.tests_cloud"] = sys.modules[__name__]
    return f"tests_cloud.{Driver.__name__}"
