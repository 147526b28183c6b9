# SPDX-License-Identifier: Apache-2.0
"""The host filters that nova-scheduler loads.

Thin adapters: the decisions and their tables are in :mod:`nova_ha_scheduler.rules`.
"""


def all_filters() -> list[type]:
    """For ``[filter_scheduler] available_filters``, as Nova's function of that name.

    The imports wait until the scheduler asks: importing a filter imports Nova.
    """
    from nova_ha_scheduler.filters.failover_host_filter import FailoverHostFilter
    from nova_ha_scheduler.filters.ha_admission_filter import HAAdmissionFilter
    from nova_ha_scheduler.filters.ha_flavor_filter import HAFlavorFilter
    from nova_ha_scheduler.filters.host_maintenance_filter import HostMaintenanceFilter
    from nova_ha_scheduler.filters.storage_zone_filter import StorageZoneFilter

    return [
        StorageZoneFilter,
        FailoverHostFilter,
        HAFlavorFilter,
        HostMaintenanceFilter,
        HAAdmissionFilter,
    ]
