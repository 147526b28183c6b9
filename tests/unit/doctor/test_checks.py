# SPDX-License-Identifier: Apache-2.0
"""Each check of a picture is provoked, and is silent where all is well."""

from dataclasses import replace
from typing import Any

import pytest

from nova_ha_scheduler.cluster.picture import Host, Server, Unread
from nova_ha_scheduler.doctor import checks
from nova_ha_scheduler.doctor.finding import Severity
from nova_ha_scheduler.doctor.subject import Flavor, SeenAggregate, Subject
from nova_ha_scheduler.evacuation.options import Options
from nova_ha_scheduler.rules.terms import HostFacts
from tests.unit.doctor.subjects import (
    GOOD,
    HA,
    PET,
    RESERVE,
    A,
    cloud,
    found,
    host,
    server,
    with_hosts,
)


def test_silence(good: Subject) -> None:
    """Also: the README's configuration gives no finding."""
    examined = checks.examine(good)
    assert examined.findings == ()
    assert examined.left_out == ()
    assert len(examined.passed) == len(set(examined.passed)) > 30


def test_what_is_not_there_is_left_out(good: Subject) -> None:
    nothing = Subject(Options())
    examined = checks.examine(nothing)
    assert examined.findings == ()
    assert examined.passed == ("plan-not-let-go",)
    left_out = {check.name for check in examined.left_out}
    assert left_out == {*checks.examine(good).passed} - {*examined.passed}


def test_what_cannot_be_read_is_found(good: Subject) -> None:
    """Of a live cloud; a picture of files has none."""
    unread = (Unread("server", "db1", "vcpus is missing"),)
    assert good.picture is not None
    bad = replace(good, picture=replace(good.picture, unread=unread))
    words = "server db1 (vcpus is missing) cannot be read"
    assert found(bad) == {"unreadable-object": (Severity.ERROR, words)}


BAD_HOSTS = [
    ("nothing-protected", Severity.WARNING, [host("a1", A)], "no host is protected"),
    (
        "unreadable-tag",
        Severity.ERROR,
        [*GOOD, host("a3", A, "ha=perhaps")],
        "host a3: ha='perhaps' is not a boolean",
    ),
    (
        "several-zones",
        Severity.ERROR,
        [
            *GOOD,
            replace(
                host("a3"),
                facts=HostFacts.of(
                    [{"storage_zone": "nfs-a"}, {"storage_zone": "nfs-b"}]
                ),
            ),
        ],
        "a3 is in several zones (nfs-a, nfs-b)",
    ),
    (
        "zone-in-another-case",
        Severity.WARNING,
        [*GOOD, host("a3", "storage_zone=NFS-A")],
        "NFS-A, nfs-a differ only in case",
    ),
    (
        "protected-without-zone",
        Severity.WARNING,
        [*GOOD, host("a3", HA)],
        "a3 is protected, but in no storage zone",
    ),
    (
        "reserve-without-zone",
        Severity.ERROR,
        [*GOOD, host("a3", HA, RESERVE)],
        "reserve host a3 is in no storage zone",
    ),
    (
        "reserve-without-ha",
        Severity.ERROR,
        [*GOOD, host("a3", A, RESERVE)],
        "reserve host a3 is not in an aggregate with ha=true",
    ),
    (
        "reserve-out-of-service",
        Severity.WARNING,
        [*GOOD, host("a3", A, HA, RESERVE, disabled=True, disabled_reason="disks")],
        "reserve host a3 is disabled (disks)",
    ),
    (
        "reserve-out-of-service",
        Severity.WARNING,
        [*GOOD, host("a3", A, HA, RESERVE, up=False)],
        "reserve host a3 is down",
    ),
    (
        "zone-without-reserve",
        Severity.INFO,
        [*GOOD, host("b1", "storage_zone=nfs-b", HA)],
        "storage zone nfs-b has no reserve host",
    ),
    (
        "alone-in-its-zone",
        Severity.WARNING,
        [*GOOD, host("b1", "storage_zone=nfs-b", HA)],
        "b1 is the only protected host of zone nfs-b",
    ),
    (
        "clocks-differ",
        Severity.ERROR,
        [*GOOD, host("a3", A, HA, updated_at=1100.0)],
        "the clock of a3 is 100 s ahead of this host's",
    ),
]


@pytest.mark.parametrize(("name", "severity", "hosts", "words"), BAD_HOSTS)
def test_hosts(
    good: Subject, name: str, severity: Severity, hosts: list[Host], words: str
) -> None:
    finding = found(with_hosts(good, *hosts))[name]
    assert finding[0] is severity
    assert words in finding[1]


def test_a_disabled_host_with_servers(good: Subject) -> None:
    """Unless it is to be recovered, or is under maintenance."""
    pets = (server("db", "a3"), server("toy", "a3", extra_specs={}))

    def of(options: Options, *tags: str, **values: Any) -> dict[str, Any]:
        off = {"disabled": True, "disabled_reason": "watcher_disabled", **values}
        hosts = *GOOD, host("a3", A, HA, *tags, **off)
        subject = with_hosts(replace(good, options=options), *hosts, servers=pets)
        return {k: v for k, v in found(subject).items() if k.startswith("disabled")}

    severity, words = of(Options())["disabled-with-servers"]
    assert severity is Severity.WARNING
    assert words == (
        "host a3 is protected, but somebody has disabled its service "
        "(watcher_disabled), and it has protected servers: db"
    )
    assert of(Options(), up=False)["disabled-with-servers"][0] is Severity.ERROR
    assert of(Options(recover_disabled=True)) == {}
    assert of(Options(), "ha:maintenance=true") == {}
    assert of(Options(), disabled_reason="AUTO: libvirt is gone") == {}


def test_a_reserve_under_maintenance_is_known_to_somebody(good: Subject) -> None:
    away = host("a3", A, HA, RESERVE, "ha:maintenance=true", disabled=True)
    assert found(with_hosts(good, *GOOD, away)) == {}


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (server("db", "a1", extra_specs={"ha": "of course"}), "ha='of course'"),
        (server("db", "a1", metadata={"ha:recovery": "later"}), "ha:recovery='later'"),
        (server("db", "a1", extra_specs={**PET, "ha:priority": "1001"}), "1001"),
        (server("db", "a1", extra_specs={**PET, "ha:failback": "x"}), "ha:failback"),
    ],
)
def test_servers_unreadable(good: Subject, bad: Server, words: str) -> None:
    findings = found(with_hosts(good, *GOOD, servers=[bad]))
    assert list(findings) == ["server-unreadable"]
    assert words in findings["server-unreadable"][1]
    assert findings["server-unreadable"][1].endswith(": db")


def test_servers_that_nobody_recovers(good: Subject) -> None:
    servers = [
        server("web", "plain1"),
        server("tpm", "a1", refused_by_nova="it has a vTPM (2.0)"),
        server("toy", "plain1", extra_specs={}),
        server("cattle", "a1", extra_specs={}),
        server("none", "a1", extra_specs={**PET, "ha:recovery": "none"}),
    ]
    findings = found(with_hosts(good, *GOOD, host("plain1"), servers=servers))
    assert set(findings) == {"marked-but-not-protected", "never-evacuated"}
    assert findings["marked-but-not-protected"][1].endswith("flavors: web")
    assert findings["never-evacuated"][1].endswith("protected: tpm")


def test_hosts_are_tagged_and_no_server_is(good: Subject) -> None:
    """A flavor that says so since is no help to who has booted before."""
    cattle = [
        server("old", "a1", extra_specs={}),
        server("older", "a2", extra_specs={}),
    ]
    severity, words = found(with_hosts(good, *GOOD, servers=cattle))["none-recovered"]
    assert severity is Severity.WARNING
    assert words == "no server of a protected host would be recovered: old, older"
    every = replace(good, options=Options(protect_all_servers=True))
    assert found(with_hosts(every, *GOOD, servers=cattle)) == {}
    assert found(with_hosts(good, *GOOD, servers=[*cattle, server("db", "a1")])) == {}


def test_servers_that_hold_one_another(good: Subject) -> None:
    """Affinity, and the others are where it is; and a key that nobody gets."""
    together = {"group": "g1", "group_apart": False}
    servers = [
        server("one", "a1", group_hosts=frozenset({"a1"}), **together),
        server("two", "a1", group_hosts=frozenset({"a1", "a2"}), **together),
    ]
    closed = {servers[1].uuid: ["volume v1 is encrypted, and ..."]}
    known = with_hosts(good, *GOOD, servers=servers)
    findings = found(replace(known, locked=closed))
    assert set(findings) == {"never-evacuated", "key-out-of-reach"}
    assert findings["never-evacuated"][1].endswith("protected: one")
    assert findings["key-out-of-reach"][1].startswith("server two: volume v1")


def test_flavors(good: Subject) -> None:
    flavors = (
        Flavor("typo", {"ha": "ture"}),
        Flavor("giant", PET, {"VCPU": 17}),
        Flavor("sgx", PET, {"VCPU": 1}, frozenset({"HW_CPU_X86_SGX"})),
        Flavor("toy", {}, {"VCPU": 99}),
    )
    examined = checks.examine(replace(good, flavors=flavors))
    assert [(name, f.what.split()[1]) for name, f in examined.findings] == [
        ("flavor-unreadable", "typo:"),
        ("flavor-without-host", "giant"),
        ("flavor-without-host", "sgx"),
        ("flavor-without-reserve", "giant"),
        ("flavor-without-reserve", "sgx"),
    ]


def test_a_small_reserve(good: Subject) -> None:
    small = replace(GOOD[2], capacity={"VCPU": 2, "MEMORY_MB": 65536})
    picture = cloud(*GOOD[:2], small)
    findings = found(replace(good, picture=picture))
    assert findings["flavor-without-reserve"][1].endswith("of zone nfs-a")


def test_where_capacity_is_unknown_nothing_is_claimed(good: Subject) -> None:
    hosts = [replace(h, capacity=None) for h in GOOD]
    giant = (Flavor("giant", PET, {"VCPU": 1700}),)
    assert found(replace(good, picture=cloud(*hosts), flavors=giant)) == {}


def test_mirror(good: Subject) -> None:
    (pets,) = good.aggregates or ()
    less = replace(pets, mirrored=frozenset({"a1", "a2"}))
    more = replace(pets, hosts=frozenset({"a1", "a2"}))
    gone = replace(pets, hosts=pets.hosts | {"a9"})
    for bad, name, words in (
        (less, "not-mirrored", "Placement does not know that spare is in it"),
        (more, "not-mirrored", "Placement has spare in it, and Nova has not"),
        (gone, "strange-member", "has a9, which has no nova-compute"),
    ):
        findings = found(replace(good, aggregates=(bad,)))
        assert list(findings) == [name]
        assert words in findings[name][1]


def test_misspelt_tag(good: Subject) -> None:
    aggregate = SeenAggregate("spare hosts", "2", {"ha:reservd": "true", "rack": "7"})
    subject = replace(good, aggregates=(*(good.aggregates or ()), aggregate))
    (item,) = checks.examine(subject).findings
    name, finding = item
    assert (name, finding.severity) == ("misspelt-tag", Severity.WARNING)
    assert finding.what == (
        "aggregate spare hosts has 'ha:reservd', which nova-ha-scheduler does not "
        "know; ha:reserved may be meant"
    )
    assert finding.mend == (
        "openstack aggregate set --property ha:reserved=true 'spare hosts', and "
        "openstack aggregate unset --property ha:reservd 'spare hosts'"
    )


def test_fencing(good: Subject) -> None:
    methods = {"a1": "manual", "spare": "redfish", "a2.example.org": "redfish"}
    broken = {"spare": "no route", "a1": "no route"}
    findings = found(replace(good, methods=methods, broken=broken))
    assert findings["without-method"][1] == (
        "no fencing method for protected host a2 (perhaps a2.example.org?)"
    )
    assert (
        "a2.example.org, which has no nova-compute"
        in (findings["method-without-host"][1])
    )
    assert findings["broken-device"] == (
        Severity.ERROR,
        "fence device of a1, spare: no route",
    )
