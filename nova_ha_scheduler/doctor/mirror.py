# SPDX-License-Identifier: Apache-2.0
"""Checks on Placement's mirror of the host aggregates, on fencing and on clocks."""

import shlex
from collections import defaultdict
from collections.abc import Iterator

from nova_ha_scheduler.cluster.host_names import same_machine
from nova_ha_scheduler.doctor.finding import Finding, Severity, names
from nova_ha_scheduler.doctor.subject import Subject
from nova_ha_scheduler.rules import vocabulary

ERROR, WARNING = Severity.ERROR, Severity.WARNING


def not_mirrored(subject: Subject) -> Iterator[Finding]:
    for aggregate in subject.aggregates or ():
        if aggregate.mirrored is None:
            continue
        known = subject.seen.hosts.keys()
        missing = (aggregate.hosts & known) - aggregate.mirrored
        if missing:
            yield Finding(
                ERROR,
                f"aggregate {aggregate.name}: Placement does not know that "
                f"{names(missing)} is in it",
                "The scheduler asks Placement for the hosts of aggregates. Placement "
                "hides these hosts from moves and evacuations, or offers hosts that "
                "are closed.",
                "nova-manage placement sync_aggregates",
            )
        if extra := aggregate.mirrored - aggregate.hosts:
            yield Finding(
                ERROR,
                f"aggregate {aggregate.name}: Placement has {names(extra)} in it, and "
                "Nova has not",
                "The scheduler asks Placement for the hosts of aggregates. Placement "
                "offers hosts that the filters then refuse, or hides hosts that are "
                "open.",
                "openstack resource provider aggregate set NODE --generation N "
                f"--aggregate UUID..., without {aggregate.uuid}; sync_aggregates only "
                "adds",
            )


def misspelt_tag(subject: Subject) -> Iterator[Finding]:
    for aggregate in subject.aggregates or ():
        for key in sorted(aggregate.metadata):
            if meant := vocabulary.misspelt(key):
                value = shlex.quote(f"{meant}={aggregate.metadata[key]}")
                name = shlex.quote(aggregate.name)
                yield Finding(
                    WARNING,
                    f"aggregate {aggregate.name} has {key!r}, which nova-ha-scheduler "
                    f"does not know; {meant} may be meant",
                    "A misspelt key has no effect: a reserve host takes boots, and a "
                    "host under maintenance is fenced.",
                    f"openstack aggregate set --property {value} {name}, and "
                    f"openstack aggregate unset --property {shlex.quote(key)} {name}",
                )


def strange_member(subject: Subject) -> Iterator[Finding]:
    for aggregate in subject.aggregates or ():
        for host in sorted(aggregate.hosts - subject.seen.hosts.keys()):
            yield Finding(
                WARNING,
                f"aggregate {aggregate.name} has {host}, which has no nova-compute",
                "The host is gone, or Nova spells its name in another way. The entry "
                "has no effect.",
                f"openstack aggregate remove host {aggregate.name} {host}",
            )


def without_method(subject: Subject) -> Iterator[Finding]:
    methods = subject.methods or {}
    for host in subject.protected:
        if host.name not in {**methods, **(subject.unusable or {})}:
            yield Finding(
                ERROR,
                f"no fencing method for protected host {host.name}"
                + same_machine(host.name, methods.keys() - subject.seen.hosts.keys()),
                "If the host died now, nothing would prove its death. Its servers "
                "would wait for nova-ha confirm-fenced.",
                "add an entry to the fencing file; method: manual is for a host that "
                "waits for nova-ha confirm-fenced",
            )


def unusable_method(subject: Subject) -> Iterator[Finding]:
    for name, why in sorted((subject.unusable or {}).items()):
        yield Finding(
            ERROR,
            f"the fencing file's entry of {name} cannot be used: {why}",
            "If the host died now, it could not be fenced. Its servers would wait "
            "for nova-ha confirm-fenced.",
            "mend the entry",
        )


def method_without_host(subject: Subject) -> Iterator[Finding]:
    methods = subject.methods or {}
    for name in sorted(methods.keys() - subject.seen.hosts.keys()):
        yield Finding(
            WARNING,
            f"the fencing file has {name}, which has no nova-compute"
            + same_machine(name, subject.seen.hosts.keys() - methods.keys()),
            "The entry fences nothing.",
            "write the exact name, as openstack compute service list shows it, or "
            "remove the entry",
        )


def broken_device(subject: Subject) -> Iterator[Finding]:
    """Hosts of one device, whose account rests, have one sentence."""
    hosts = defaultdict(list)
    for host, sentence in sorted((subject.broken or {}).items()):
        hosts[sentence].append(host)
    for sentence, alike in hosts.items():
        yield Finding(
            ERROR,
            f"fence device of {names(alike)}: {sentence}",
            "If the host died now, it could not be fenced. Its servers would wait "
            "for nova-ha confirm-fenced.",
            "mend the device, or its entry in the fencing file",
        )


def clocks_differ(subject: Subject) -> Iterator[Finding]:
    """A heartbeat of the future; one of the past may be a late one."""
    if not subject.live or not subject.hosts:
        return
    newest = max(subject.hosts, key=lambda host: host.updated_at)
    ahead = newest.updated_at - subject.seen.taken_at
    if ahead > subject.options.clock_skew:
        yield Finding(
            ERROR,
            f"the clock of {newest.name} is {ahead:.0f} s ahead of this host's",
            "The trigger judges the age of a heartbeat, and whether a word holds, by "
            "this host's clock.",
            "use the same time source on all hosts; chronyc tracking shows it",
        )


CHECKS = (strange_member, clocks_differ)
OF_AGGREGATES = (misspelt_tag, not_mirrored)
OF_FENCING = (without_method, unusable_method, method_without_host)
OF_DEVICES = (broken_device,)
