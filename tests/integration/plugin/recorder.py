# SPDX-License-Identifier: Apache-2.0
"""A filter that passes all hosts and writes down what each request looked like."""

from dataclasses import dataclass

from nova import context as nova_context
from nova import exception, objects
from nova.scheduler import filters
from oslo_db import exception as db_exception

from nova_ha_scheduler.operation import describe


@dataclass(frozen=True)
class Row:
    """A row of the table in nova.md, as this Nova shows it.

    :ivar operation: what the plugin makes of it.
    """

    operation: str
    source: str | None
    has_cell: bool
    ignore_hosts: tuple
    force_hosts: tuple
    hint: tuple
    host: str | None = None
    task_state: str | None = None
    migration: tuple | None = None
    hosts_seen: frozenset = frozenset()


rows: dict[str, list[Row]] = {}


class Recorder(filters.BaseHostFilter):
    """First in the chain: it sees what Nova hands over."""

    RUN_ON_REBUILD = True
    run_filter_once_per_request = True

    def filter_all(self, filter_obj_list, spec_obj):
        hosts = list(filter_obj_list)
        request = describe(spec_obj, 10).request
        destination = spec_obj.requested_destination
        has_cell = bool(destination and "cell" in destination)
        hints = (spec_obj.scheduler_hints or {}).get("_nova_check_type", ())
        row = Row(
            operation=request.operation.value,
            source=request.source,
            has_cell=has_cell,
            ignore_hosts=tuple(spec_obj.ignore_hosts or ()),
            force_hosts=tuple(spec_obj.force_hosts or ()),
            hint=tuple(hints),
            hosts_seen=frozenset(host.host for host in hosts),
            **self._look_up(spec_obj.instance_uuid),
        )
        rows.setdefault(spec_obj.instance_uuid, []).append(row)
        return hosts

    @staticmethod
    def _look_up(uuid):
        """By Nova's ordinary means, not by the plugin's."""
        context = nova_context.get_admin_context()
        try:
            mapping = objects.InstanceMapping.get_by_instance_uuid(context, uuid)
        except exception.InstanceMappingNotFound:
            return {}
        if mapping.cell_mapping is None:
            return {}
        try:
            with nova_context.target_cell(context, mapping.cell_mapping) as cell:
                instance = objects.Instance.get_by_uuid(cell, uuid)
                migrations = objects.MigrationList.get_by_filters(
                    cell, {"instance_uuid": uuid}
                )
        except db_exception.DBError:  # a test has broken that database
            return {}
        newest = max(migrations, key=lambda m: m.id, default=None)
        return {
            "host": instance.host,
            "task_state": instance.task_state,
            "migration": newest and (newest.migration_type, newest.status),
        }
