# SPDX-License-Identifier: Apache-2.0
"""The host weighers that nova-scheduler loads."""


def all_weighers() -> list[type]:
    """For ``[filter_scheduler] weight_classes``, as Nova's function of that name.

    The imports wait until the scheduler asks: importing a weigher imports Nova.
    """
    from nova_ha_scheduler.weighers.admission import HAAdmissionWeigher
    from nova_ha_scheduler.weighers.failover_host import FailoverHostWeigher
    from nova_ha_scheduler.weighers.storage_zone import StorageZoneWeigher

    return [FailoverHostWeigher, StorageZoneWeigher, HAAdmissionWeigher]
