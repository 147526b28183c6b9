# SPDX-License-Identifier: Apache-2.0
"""Checks on nova.conf: what nova-scheduler loads, and what works against it."""

import difflib
import shlex
from collections.abc import Iterator

from nova_ha_scheduler.doctor.finding import Finding, Severity, names
from nova_ha_scheduler.doctor.nova_conf import (
    ADMISSION_FILTER,
    OUR_FILTERS,
    OUR_WEIGHERS,
    STOCK_FILTERS,
    STOCK_WEIGHERS,
)
from nova_ha_scheduler.doctor.subject import Subject
from nova_ha_scheduler.rules import vocabulary

ERROR, WARNING, INFO = Severity.ERROR, Severity.WARNING, Severity.INFO
RESTART = "and restart nova-scheduler"

FILTERS = {
    "HostMaintenanceFilter": vocabulary.MAINTENANCE,
    "StorageZoneFilter": vocabulary.STORAGE_ZONE,
    "FailoverHostFilter": vocabulary.RESERVED,
    "HAFlavorFilter": vocabulary.HA,
}
"""Our filters, and the tag whose rule each keeps."""

_OURS = (*FILTERS, ADMISSION_FILTER)

_WITHOUT = {
    "HostMaintenanceFilter": "servers are put on hosts under maintenance",
    "StorageZoneFilter": "a move, also an evacuation by hand, may go to a host that "
    "does not see the server's disk: Nova then rebuilds it from the image",
    "FailoverHostFilter": "reserve hosts fill up with ordinary servers",
    "HAFlavorFilter": "ha=true servers land on hosts that nobody watches",
}

_COUNTING = {
    "IoOpsFilter": "max_io_ops_per_host",
    "AggregateIoOpsFilter": "max_io_ops_per_host",
    "NumInstancesFilter": "max_instances_per_host",
    "AggregateNumInstancesFilter": "max_instances_per_host",
}


def _offers(subject: Subject, all_of_them: str) -> bool:
    """Whether available_filters has this list, or a filter of the same package."""
    found = subject.conf.words("filter_scheduler", "available_filters")
    package = all_of_them.removesuffix("all_filters")
    return any(name == all_of_them or name.startswith(package) for name in found)


def filter_not_enabled(subject: Subject) -> Iterator[Finding]:
    for name in FILTERS:
        if name not in subject.conf.filters:
            used = _in_use(subject, FILTERS[name])
            hint = difflib.get_close_matches(name, subject.conf.filters, 1, 0.8)
            spelt = f" (it has {hint[0]})" if hint else ""
            yield Finding(
                ERROR if used else WARNING,
                f"[filter_scheduler] enabled_filters has no {name}{spelt}",
                f"Without it, {_WITHOUT[name]}.",
                f"add {name} to [filter_scheduler] enabled_filters {RESTART}",
            )


def _in_use(subject: Subject, tag: str) -> bool:
    """Whether the tag stands on a host of the picture, if there is one."""
    if subject.picture is None:
        return False
    facts = [host.facts for host in subject.hosts]
    if tag == vocabulary.STORAGE_ZONE:
        return any(found.zones for found in facts)
    return any(tag in found.flags for found in facts)


def filters_not_available(subject: Subject) -> Iterator[Finding]:
    ours = [name for name in subject.conf.filters if name in _OURS]
    others = [name for name in subject.conf.filters if name not in _OURS]
    for enabled, needed in ((ours, OUR_FILTERS), (others, STOCK_FILTERS)):
        if enabled and not _offers(subject, needed):
            yield Finding(
                ERROR,
                f"{names(enabled)} enabled, but [filter_scheduler] available_filters "
                f"has no {needed}",
                "nova-scheduler does not start, because it does not know these "
                "filters. Where the option is set, Nova's own filters have to be "
                "named, too.",
                f"available_filters = {needed} on a line of its own, {RESTART}",
            )


def filters_late(subject: Subject) -> Iterator[Finding]:
    enabled = subject.conf.filters
    ours = [index for index, name in enumerate(enabled) if name in FILTERS]
    if ours and ours != list(range(len(ours))):
        yield Finding(
            INFO,
            "the filters of nova-ha-scheduler do not stand first in [filter_scheduler] "
            "enabled_filters",
            "These filters cost least for each host. Where they stand first, the log "
            "says in their words why no host is left. The outcome is the same.",
            f"put {names(FILTERS)} first",
        )


def compute_filter_missing(subject: Subject) -> Iterator[Finding]:
    if "ComputeFilter" not in subject.conf.filters:
        yield Finding(
            ERROR,
            "[filter_scheduler] enabled_filters has no ComputeFilter",
            "Nova chooses hosts that are down or disabled.",
            f"add ComputeFilter to [filter_scheduler] enabled_filters {RESTART}",
        )


def weigher_not_loaded(subject: Subject) -> Iterator[Finding]:
    loaded = subject.conf.words("filter_scheduler", "weight_classes")
    package = OUR_WEIGHERS.removesuffix("all_weighers")
    if not any(name.startswith(package) for name in loaded):
        yield Finding(
            INFO,
            f"[filter_scheduler] weight_classes has no {OUR_WEIGHERS}",
            "An evacuation that the trigger did not ask for does not prefer the "
            "reserve. Boots are not spread over the zones.",
            f"weight_classes = {STOCK_WEIGHERS},{OUR_WEIGHERS} {RESTART}",
        )


def weighers_lost(subject: Subject) -> Iterator[Finding]:
    """weight_classes is a list: of two lines, oslo.config takes the last one alone."""
    loaded = subject.conf.words("filter_scheduler", "weight_classes")
    package = STOCK_WEIGHERS.removesuffix("all_weighers")
    if not any(name.startswith(package) for name in loaded):
        yield Finding(
            WARNING,
            f"[filter_scheduler] weight_classes has no {STOCK_WEIGHERS}",
            "Nova's own weighers (free memory, CPUs, failed builds) are not loaded. "
            "weight_classes is one list: where it stands on two lines, Nova reads "
            "only the last line.",
            f"weight_classes = {STOCK_WEIGHERS},{OUR_WEIGHERS} {RESTART}",
        )


def counting_filter(subject: Subject) -> Iterator[Finding]:
    """A host's limit that the planner does not see."""
    most = subject.options.max_in_flight_per_destination
    for name, option in _COUNTING.items():
        limit = subject.conf.number("filter_scheduler", option)
        if name not in subject.conf.filters:
            continue
        if option == "max_io_ops_per_host" and limit > most:
            continue
        why = (
            f"An evacuation counts as such an operation, and up to {most} are sent to "
            "one host at the same time ([evacuation] max_in_flight_per_destination)"
            if option == "max_io_ops_per_host"
            else "The planner does not count servers"
        )
        yield Finding(
            WARNING,
            f"{name} is enabled, with [filter_scheduler] {option} = {limit}",
            f"{why}. Beyond the limit, Nova finds no valid host for an evacuation, "
            "and sets the server to ERROR.",
            f"take {name} out of enabled_filters, or raise {option}",
        )


def extra_specs_filter_compares_text(subject: Subject) -> Iterator[Finding]:
    """AggregateInstanceExtraSpecsFilter reads our unscoped ``ha`` as text."""
    if "AggregateInstanceExtraSpecsFilter" not in subject.conf.filters:
        return
    in_use = [one.metadata for one in subject.aggregates or () if one.hosts]
    for flavor in subject.flavors or ():
        for key in vocabulary.spellings(flavor.extra_specs, vocabulary.HA):
            value = flavor.extra_specs[key]
            on_hosts = {metadata[key] for metadata in in_use if key in metadata}
            if value in on_hosts:
                continue
            spelt = names(repr(word) for word in on_hosts) or f"no {key} at all"
            yield Finding(
                ERROR,
                f"flavor {flavor.name} says {key}={value!r}, aggregates say {spelt}, "
                "and AggregateInstanceExtraSpecsFilter is enabled",
                "AggregateInstanceExtraSpecsFilter compares the texts: no host "
                "passes for this flavor, not even for an evacuation.",
                f"openstack flavor set --property ha=true {flavor.name}, with the "
                "aggregates' spelling; or openstack flavor unset --property "
                f"{shlex.quote(key)} {flavor.name} where it is not meant",
            )


def placement_limit(subject: Subject) -> Iterator[Finding]:
    if subject.conf.ours("placement_prefilter"):
        return
    most = subject.conf.number("scheduler", "max_placement_results")
    hosts = len(subject.hosts) if subject.picture else None
    if hosts is not None and hosts <= most:
        return
    counted = f"there are {hosts} hosts" if hosts else "how many hosts there are"
    why = "" if hosts else " where there are more hosts than that"
    yield Finding(
        ERROR if hosts else WARNING,
        f"[ha_scheduler] placement_prefilter is off, and [scheduler] "
        f"max_placement_results is {most}" + (f": {counted}" if hosts else ""),
        "Placement may offer none of the few hosts that the rules pass: moves and "
        f"evacuations fail although there is room{why}.",
        f"[ha_scheduler] placement_prefilter = true, {RESTART}",
    )


def placement_hides_hosts(subject: Subject) -> Iterator[Finding]:
    """Placement is asked for less than the planner knows of."""
    hidden = {
        "limit_tenants_to_placement_aggregate": "a tenant with aggregates of its own "
        "(filter_tenant_id) gets no others",
        "enable_isolated_aggregate_filtering": "a server whose flavor and image do not "
        "require the traits of an aggregate (trait:...=required) is kept off its hosts",
    }
    for option, effect in hidden.items():
        if subject.conf("scheduler", option):
            yield Finding(
                INFO,
                f"[scheduler] {option} is on",
                f"With this option, {effect}, for evacuations, too. The planner does "
                "not know the option: Nova may refuse a destination that the planner "
                "names.",
                "put reserve hosts into the same aggregates as the hosts that they "
                "stand in for",
            )


def unknown_option(subject: Subject) -> Iterator[Finding]:
    for problem in subject.conf.unknown():
        yield Finding(
            ERROR,
            problem,
            "Nova passes over an option that it does not know: the option has no "
            "effect.",
            f"mend the name {RESTART}",
        )


def policies_differ(subject: Subject) -> Iterator[Finding]:
    """The planner and the scheduler have to say the same."""
    theirs, ours = subject.conf.policy, subject.options.policy
    for name, value in vars(theirs).items():
        mine = vars(ours)[name]
        if value != mine:
            yield Finding(
                ERROR,
                f"[ha_scheduler] {name} is {_shown(value)} in nova.conf, and "
                f"{_shown(mine)} in nova-ha.conf",
                "The trigger plans by other rules than the scheduler. The trigger "
                "asks for what Nova refuses, or does not ask for what Nova would do.",
                f"[ha_scheduler] {name} = {_shown(value)} in nova-ha.conf, and restart "
                "nova-ha-evacuator",
            )


def _shown(value: object) -> str:
    return str(getattr(value, "value", value)).lower()


CHECKS = (
    unknown_option,
    filters_not_available,
    filter_not_enabled,
    filters_late,
    compute_filter_missing,
    weigher_not_loaded,
    weighers_lost,
    counting_filter,
    placement_limit,
    placement_hides_hosts,
    policies_differ,
)
OF_FLAVORS = (extra_specs_filter_compares_text,)
