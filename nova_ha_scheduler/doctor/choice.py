# SPDX-License-Identifier: Apache-2.0
"""Checks on who chooses the host of an evacuation."""

from collections.abc import Iterator

from nova_ha_scheduler.doctor.finding import Finding, Severity
from nova_ha_scheduler.doctor.subject import Subject

_ZONE_FILTER = "StorageZoneFilter"


def plan_not_let_go(subject: Subject) -> Iterator[Finding]:
    """One option that does nothing without the other."""
    options = subject.options
    if options.planned_destinations or options.unnamed_requests:
        return
    yield Finding(
        Severity.WARNING,
        "[evacuation] planned_destinations is false, and unnamed_requests is false",
        "planned_destinations = false has no effect. The trigger names a host in "
        "each request, unless unnamed_requests lets it leave the choice to Nova's "
        "scheduler.",
        "[evacuation] unnamed_requests = true, too, where nova-scheduler has "
        f"{_ZONE_FILTER}; else remove planned_destinations from nova-ha.conf",
    )


def choice_without_zones(subject: Subject) -> Iterator[Finding]:
    """Nova chooses, and knows of no zone."""
    unnamed = subject.options.unnamed_requests
    if unnamed and _ZONE_FILTER not in subject.conf.filters:
        yield Finding(
            Severity.ERROR,
            "[evacuation] unnamed_requests is true, and [filter_scheduler] "
            f"enabled_filters has no {_ZONE_FILTER}",
            "Nova may choose a host that does not see the server's disk. Nova then "
            "rebuilds the disk from the image: the server's data is lost.",
            f"add {_ZONE_FILTER} to [filter_scheduler] enabled_filters and restart "
            "nova-scheduler; until then, [evacuation] unnamed_requests = false",
        )


CHECKS = (plan_not_let_go,)
OF_NOVA = (choice_without_zones,)
