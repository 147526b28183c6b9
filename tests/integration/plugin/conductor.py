# SPDX-License-Identifier: Apache-2.0
"""Ask the scheduler as the conductor does, where the API would not let one so far."""

import contextlib

import oslo_messaging
from nova import context as nova_context
from nova import exception, objects


def in_cell(uuid, **fields):
    """The destination that the conductor sets for a move: the server's cell."""
    context = nova_context.get_admin_context()
    mapping = objects.InstanceMapping.get_by_instance_uuid(context, uuid)
    return objects.Destination(cell=mapping.cell_mapping, **fields)


def request(uuid, destination=None, ignore=None):
    """A RequestSpec as the scheduler gets it."""
    context = nova_context.get_admin_context()
    spec = objects.RequestSpec.get_by_instance_uuid(context, uuid)
    spec.requested_destination = destination
    spec.ignore_hosts = ignore
    spec.requested_resources = []
    return spec


def select(cloud, uuid, destination=None, ignore=None):
    """Ask the scheduler for a host; return its name, or None if there is none."""
    try:
        ((selection,),) = cloud.scheduler.select_destinations(
            nova_context.get_admin_context(),
            spec_obj=request(uuid, destination, ignore),
            instance_uuids=[uuid],
            return_objects=True,
        )
    except oslo_messaging.ExpectedException as expected:
        if expected.exc_info[0] is exception.NoValidHost:
            return None
        raise
    return selection.service_host


@contextlib.contextmanager
def live_migrating(uuid):
    """Have a server look as it does while a host is sought for its live migration."""
    with nova_context.target_cell(
        nova_context.get_admin_context(), in_cell(uuid).cell
    ) as cell:
        instance = objects.Instance.get_by_uuid(cell, uuid)
        migration = objects.Migration(
            cell,
            source_compute=instance.host,
            instance_uuid=uuid,
            status="accepted",
            migration_type="live-migration",
        )
        migration.create()
        instance.task_state = "migrating"
        instance.save()
        try:
            yield
        finally:
            migration.status = "error"
            migration.save()
            instance.task_state = None
            instance.save()
