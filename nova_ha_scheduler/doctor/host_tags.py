# SPDX-License-Identifier: Apache-2.0
"""Checks on what the aggregates say of hosts."""

from collections import defaultdict
from collections.abc import Iterator

from nova_ha_scheduler.cluster.picture import Host
from nova_ha_scheduler.doctor.finding import Finding, Severity, names
from nova_ha_scheduler.doctor.subject import Subject
from nova_ha_scheduler.evacuation.detection import suspicion
from nova_ha_scheduler.planner.triage import why_left
from nova_ha_scheduler.rules import vocabulary

ERROR, WARNING, INFO = Severity.ERROR, Severity.WARNING, Severity.INFO


def unreadable_object(subject: Subject) -> Iterator[Finding]:
    for one in subject.seen.unread:
        yield Finding(
            ERROR,
            f"{one} cannot be read",
            "The trigger does nothing to an object that it cannot read, and nothing "
            "for that object's host. The trigger looks after the rest.",
            "look at the object in the service that shows it, and mend it there",
        )


def unreadable_tag(subject: Subject) -> Iterator[Finding]:
    for host in subject.hosts:
        for _, sentence in host.facts.bad:
            yield Finding(
                ERROR,
                f"host {host.name}: {sentence}",
                "A tag that cannot be read fails closed: the scheduler refuses the "
                "host wherever the tag matters.",
                "openstack aggregate set --property KEY=VALUE AGGREGATE",
            )


def several_zones(subject: Subject) -> Iterator[Finding]:
    for host in subject.hosts:
        if len(host.facts.zones) > 1:
            yield Finding(
                ERROR,
                f"host {host.name} is in {host.facts.zone_words}",
                "Nobody can know which storage holds the disks of the host's "
                "servers. The servers move nowhere, and are not evacuated.",
                f"nova-ha untag {host.name} --zone, then nova-ha tag {host.name} "
                "--zone ZONE",
            )


def protected_without_zone(subject: Subject) -> Iterator[Finding]:
    for host in subject.protected:
        if _zoneless(host) and vocabulary.RESERVED not in host.facts.flags:
            yield Finding(
                WARNING,
                f"host {host.name} is protected, but in no storage zone",
                "The host counts as one without shared storage. When the host dies, "
                "servers with a local disk are left on it, because Nova would "
                "rebuild their disks from the image.",
                f"nova-ha tag {host.name} --zone ZONE",
            )


def reserve_without_zone(subject: Subject) -> Iterator[Finding]:
    for host in subject.tagged(vocabulary.RESERVED):
        if _zoneless(host):
            yield Finding(
                ERROR,
                f"reserve host {host.name} is in no storage zone",
                "A server is evacuated only within its storage zone, so this host "
                "takes none of a zone's servers.",
                f"nova-ha tag {host.name} --zone ZONE",
            )


def reserve_without_ha(subject: Subject) -> Iterator[Finding]:
    for host in subject.tagged(vocabulary.RESERVED):
        if vocabulary.HA not in host.facts.flags:
            yield Finding(
                ERROR,
                f"reserve host {host.name} is not in an aggregate with ha=true",
                "Servers of ha=true flavors go only to ha=true hosts, also when they "
                "are evacuated.",
                f"nova-ha tag {host.name} --ha",
            )


def reserve_out_of_service(subject: Subject) -> Iterator[Finding]:
    for host in subject.tagged(vocabulary.RESERVED):
        if host.facts.may_be(vocabulary.MAINTENANCE):
            continue  # somebody knows
        if host.disabled or not host.up:
            state = "disabled" if host.disabled else "down"
            reason = f" ({host.disabled_reason})" if host.disabled_reason else ""
            yield Finding(
                WARNING,
                f"reserve host {host.name} is {state}{reason}",
                "No server can be evacuated to the host.",
                f"openstack compute service set --enable {host.name} nova-compute"
                if host.disabled
                else f"start nova-compute on {host.name}",
            )


def disabled_with_servers(subject: Subject) -> Iterator[Finding]:
    for host in subject.protected:
        here = [s for s in subject.servers if s.host == host.name]
        options, facts = subject.options, host.facts
        found = [s.name for s in here if why_left(s, facts, options) is None]
        if found and suspicion.left_disabled(host, options):
            reason = f" ({host.disabled_reason})" if host.disabled_reason else ""
            yield Finding(
                WARNING if host.up else ERROR,
                f"host {host.name} is protected, but somebody has disabled its "
                f"service{reason}, and it has protected servers: {names(found)}",
                "When the host dies, the trigger leaves the host and its servers alone."
                if host.up
                else "The host is down, and the trigger leaves the host and its "
                "servers alone.",
                f"openstack compute service set --enable {host.name} nova-compute; or "
                "[detection] recover_disabled = true, if a service is disabled to keep "
                "new servers away and nothing else",
            )


def zone_without_reserve(subject: Subject) -> Iterator[Finding]:
    for zone, hosts in sorted(_zones(subject).items()):
        if not any(vocabulary.RESERVED in host.facts.flags for host in hosts):
            yield Finding(
                INFO,
                f"storage zone {zone} has no reserve host",
                "Whether a dead host's servers find room depends on the room that is "
                "left on the zone's other hosts. nova-ha capacity shows it.",
                "nova-ha tag HOST --zone " + zone + " --ha --reserved",
            )


def alone_in_its_zone(subject: Subject) -> Iterator[Finding]:
    for zone, hosts in sorted(_zones(subject).items()):
        if len(hosts) == 1:
            yield Finding(
                WARNING,
                f"host {hosts[0].name} is the only protected host of zone {zone}",
                "When the host dies, its servers have nowhere to go.",
                f"nova-ha tag HOST --zone {zone} --ha",
            )


def nothing_protected(subject: Subject) -> Iterator[Finding]:
    if not subject.protected:
        yield Finding(
            WARNING,
            "no host is protected",
            "The trigger acts only when a host of an aggregate with ha=true dies.",
            "nova-ha tag HOST --zone ZONE --ha",
        )


def zone_in_another_case(subject: Subject) -> Iterator[Finding]:
    spelt: dict[str, set[str]] = defaultdict(set)
    for host in subject.hosts:
        for zone in host.facts.zones:
            spelt[zone.lower()].add(zone)
    for found in spelt.values():
        if len(found) > 1:
            yield Finding(
                WARNING,
                f"storage zones {names(found)} differ only in case",
                "These are different zones. No server moves from one to the other.",
                "give the hosts of one storage one spelling: nova-ha tag",
            )


def _zoneless(host: Host) -> bool:
    return not host.facts.zones and not host.facts.bad_value(vocabulary.STORAGE_ZONE)


def _zones(subject: Subject) -> dict[str, list[Host]]:
    """The protected hosts of each storage zone."""
    found: dict[str, list[Host]] = defaultdict(list)
    for host in subject.protected:
        if len(host.facts.zones) == 1:
            found[min(host.facts.zones)].append(host)
    return found


CHECKS = (
    nothing_protected,
    unreadable_object,
    unreadable_tag,
    several_zones,
    zone_in_another_case,
    protected_without_zone,
    reserve_without_zone,
    reserve_without_ha,
    reserve_out_of_service,
    disabled_with_servers,
    zone_without_reserve,
    alone_in_its_zone,
)
