# SPDX-License-Identifier: Apache-2.0
"""Checks on servers and flavors: what they ask for, and whether it can be had."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace

from nova_ha_scheduler.cluster.picture import Host
from nova_ha_scheduler.doctor.finding import Finding, Severity, names
from nova_ha_scheduler.doctor.subject import Flavor, Subject
from nova_ha_scheduler.planner.triage import why_left
from nova_ha_scheduler.reasons import Reason
from nova_ha_scheduler.rules import vocabulary
from nova_ha_scheduler.rules.vocabulary import BadValue

ERROR, WARNING = Severity.ERROR, Severity.WARNING

NO_METADATA: Mapping[str, str] = {}


def flavor_unreadable(subject: Subject) -> Iterator[Finding]:
    for flavor in subject.flavors or ():
        for sentence in _unreadable(flavor.extra_specs, NO_METADATA):
            yield Finding(
                ERROR,
                f"flavor {flavor.name}: {sentence}",
                "HAFlavorFilter refuses the flavor's servers, or the trigger leaves "
                "them when their host dies.",
                f"openstack flavor set --property KEY=VALUE {flavor.name}",
            )


def server_unreadable(subject: Subject) -> Iterator[Finding]:
    """Its own copy of the flavor, as it was when it booted, and its metadata."""
    found: dict[str, list[str]] = defaultdict(list)
    for server in subject.servers:
        for sentence in _unreadable(server.extra_specs, server.metadata):
            found[sentence].append(server.name)
    for sentence, servers in sorted(found.items()):
        yield Finding(
            WARNING,
            f"{sentence}: {_count(servers)}: {names(servers)}",
            "The trigger leaves such a server when its host dies. (It recovers last "
            "one whose ha:priority cannot be read, and one whose ha:failback cannot "
            "be read does not go home.) A server keeps the extra specs that its "
            "flavor had when it booted, until it is resized.",
            "openstack server set --property KEY=VALUE SERVER for metadata; else "
            "mend the flavor and resize the server",
        )


def flavor_without_host(subject: Subject) -> Iterator[Finding]:
    for flavor in subject.flavors or ():
        if not _is_ha(flavor):
            continue
        boot = [h for h in subject.protected if not h.facts.may_be(vocabulary.RESERVED)]
        if boot and not any(_takes(host, flavor) for host in boot):
            wants = ", ".join(f"{n} {k}" for k, n in sorted(flavor.needs.items()))
            traits = f", traits {names(flavor.traits)}" if flavor.traits else ""
            yield Finding(
                ERROR,
                f"flavor {flavor.name} (ha=true) fits on no protected host, not even "
                f"an empty one: {wants}{traits}",
                "No server of the flavor can boot.",
                "nova-ha tag HOST --ha for a host that is large enough, or a smaller "
                "flavor",
            )


def flavor_without_reserve(subject: Subject) -> Iterator[Finding]:
    reserves: dict[str, list[Host]] = defaultdict(list)
    for host in subject.tagged(vocabulary.RESERVED):
        for zone in host.facts.zones:
            reserves[zone].append(host)
    for flavor in filter(_is_ha, subject.flavors or ()):
        small = [
            zone
            for zone, hosts in reserves.items()
            if not any(_takes(host, flavor) for host in hosts)
        ]
        if small:
            yield Finding(
                WARNING,
                f"flavor {flavor.name} (ha=true) fits on no reserve host of zone "
                f"{names(small)}",
                "When the host of such a server dies, the server depends on the room "
                "that is left on the zone's other hosts.",
                "add a reserve host as large as the largest protected flavor",
            )


def marked_but_not_protected(subject: Subject) -> Iterator[Finding]:
    options = replace(subject.options, protect_all_servers=False)
    found: dict[str, list[str]] = defaultdict(list)
    for server in subject.servers:
        host = subject.seen.hosts.get(server.host)
        if host is None or vocabulary.HA in host.facts.flags:
            continue
        why = why_left(server, host.facts, options)
        if why is None or not why[0].intended:
            found[host.name].append(server.name)
    for name, servers in sorted(found.items()):
        yield Finding(
            WARNING,
            f"host {name} is not protected, but has {_count(servers)} of ha=true "
            f"flavors: {names(servers)}",
            "When the host dies, nobody evacuates them.",
            f"nova-ha tag {name} --ha, or live-migrate them to a protected host",
        )


def never_evacuated(subject: Subject) -> Iterator[Finding]:
    """Marked, on a protected host, and yet a recovery would leave it."""
    found: dict[str, list[str]] = defaultdict(list)
    for server in subject.servers:
        host = subject.seen.hosts.get(server.host)
        if host is None or vocabulary.HA not in host.facts.flags:
            continue
        why = why_left(server, host.facts, subject.options)
        if why is not None and not why[0].intended and why[0] is not Reason.UNREADABLE:
            found[why[0].sentence(why[1])].append(server.name)
    for sentence, servers in sorted(found.items()):
        yield Finding(
            WARNING,
            f"{_count(servers)} would be left, though protected: {names(servers)}",
            f"{sentence}.",
            "see each of them with nova-ha plan HOST; give a server that may be lost "
            "ha:recovery=none",
        )


def none_recovered(subject: Subject) -> Iterator[Finding]:
    """Hosts are tagged, and no server is: health says that all is well."""
    on_protected, facts = [], {h.name: h.facts for h in subject.protected}
    for server in subject.servers:
        if server.host not in facts:
            continue
        why = why_left(server, facts[server.host], subject.options)
        if why is None or not why[0].intended:
            return
        on_protected.append(server.name)
    if on_protected:
        yield Finding(
            WARNING,
            f"no server of a protected host would be recovered: {names(on_protected)}",
            "Their flavors did not say ha=true when they booted, or their policy is "
            "none. A server keeps the extra specs that its flavor had when it "
            "booted, until it is resized.",
            "[evacuation] protect_all_servers = true for all of them; else openstack "
            "flavor set --property ha=true FLAVOR, and resize the servers or boot "
            "them again",
        )


def key_out_of_reach(subject: Subject) -> Iterator[Finding]:
    """nova-compute asks for the key as whoever has asked for the evacuation."""
    for uuid, sentences in (subject.locked or {}).items():
        server = subject.seen.servers[uuid]
        yield Finding(
            WARNING,
            f"server {server.name}: {'; '.join(sentences)}",
            "The server's evacuation fails on every host, and the server ends in "
            "ERROR.",
            "have the owner of the secret run that command for the trigger's user",
        )


def _count(servers: list[str]) -> str:
    return f"{len(servers)} server{'s' if len(servers) > 1 else ''}"


def _unreadable(specs: Mapping[str, str], metadata: Mapping[str, str]) -> list[str]:
    """Sentences on what of our words cannot be read, each once."""
    found = []
    readers = (
        lambda: vocabulary.boolean(specs, vocabulary.HA),
        lambda: vocabulary.recovery_policy(specs, metadata, True),
        lambda: vocabulary.priority(specs, metadata, True),
        lambda: vocabulary.failback(specs, metadata, True, False),
    )
    for read in readers:
        try:
            read()
        except BadValue as error:
            found.append(str(error))
    return found


def _is_ha(flavor: Flavor) -> bool:
    try:
        return vocabulary.boolean(flavor.extra_specs, vocabulary.HA)
    except BadValue:
        return False


def _takes(host: Host, flavor: Flavor) -> bool:
    """Whether the host could take one if it were empty; yes where that is unknown."""
    if host.capacity is None:
        return True
    enough = all(host.capacity.get(k, 0) >= n for k, n in flavor.needs.items())
    return (
        enough
        and flavor.traits <= host.traits
        and not (flavor.forbidden_traits & host.traits)
    )


CHECKS = (
    server_unreadable,
    marked_but_not_protected,
    never_evacuated,
    none_recovered,
)
OF_VOLUMES = (key_out_of_reach,)
OF_FLAVORS = (flavor_unreadable, flavor_without_host, flavor_without_reserve)
