# SPDX-License-Identifier: Apache-2.0
"""Each check is provoked, and is silent where all is well."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from nova.conf import CONF
from oslo_config import cfg

from nova_ha_scheduler.cluster.model import Host, Picture, Scope, Server
from nova_ha_scheduler.doctor import checks
from nova_ha_scheduler.doctor.finding import Severity
from nova_ha_scheduler.doctor.nova_conf import DEFAULT_OPTS, GROUPS, NovaConf
from nova_ha_scheduler.doctor.subject import Aggregate, Flavor, Listening, Subject
from nova_ha_scheduler.evacuation.options import Options
from nova_ha_scheduler.rules.model import HostFacts, Policy

README = Path(__file__).parents[3] / "README.md"
ROOM = {"VCPU": 16, "MEMORY_MB": 65536}
PET = {"ha": "true"}

Conf = Callable[[str], NovaConf]


def recommended() -> str:
    """The README's block for the schedulers' nova.conf."""
    block = re.search(r"    \[filter_scheduler\]\n(?:    .*\n)+", README.read_text())
    assert block
    return "".join(line[4:] + "\n" for line in block[0].splitlines())


@pytest.fixture
def conf(tmp_path: Path) -> Conf:
    def make(text: str) -> NovaConf:
        path = tmp_path / "nova.conf"
        path.write_text(text)
        return NovaConf([str(path)])

    return make


def host(name: str, *tags: str, **values: Any) -> Host:
    metadata = dict(tag.split("=", 1) for tag in tags)
    facts = HostFacts.of([metadata])
    return Host(name, facts, **{"capacity": ROOM, "updated_at": 990.0, **values})


A, HA, RESERVE = "storage_zone=nfs-a", "ha=true", "ha:reserved=true"


def cloud(*hosts: Host, servers: tuple[Server, ...] = ()) -> Picture:
    return Picture(
        1000.0,
        Scope(),
        {h.name: h for h in hosts},
        {s.uuid: s for s in servers},
    )


GOOD = (host("a1", A, HA), host("a2", A, HA), host("spare", A, HA, RESERVE))


def server(name: str, on: str, **values: Any) -> Server:
    return Server(name, name, on, **{"extra_specs": PET, **values})


@pytest.fixture
def good(conf: Conf) -> Subject:
    """A set-up without any finding, in which every check is made."""
    names = frozenset(h.name for h in GOOD)
    pets = Aggregate("pets", "1", {"ha": "true"}, names, mirrored=names)
    return Subject(
        Options(),
        cloud(*GOOD, servers=(server("db", "a1"),)),
        live=True,
        nova=conf(recommended()),
        flavors=(Flavor("pet", PET, {"VCPU": 4, "MEMORY_MB": 8192}), Flavor("plain")),
        aggregates=(pets,),
        methods=dict.fromkeys(names, "manual"),
        broken={},
    )


def found(subject: Subject) -> dict[str, tuple[Severity, str]]:
    examined = checks.examine(subject)
    return {name: (f.severity, f.what) for name, f in examined.findings}


def with_hosts(subject: Subject, *hosts: Host, servers: Any = ()) -> Subject:
    methods = {h.name: "manual" for h in hosts}
    picture = cloud(*hosts, servers=tuple(servers))
    return replace(subject, picture=picture, methods=methods, flavors=(), aggregates=())


def test_silence(good: Subject) -> None:
    """Also: the README's configuration gives no finding."""
    examined = checks.examine(good)
    assert examined.findings == ()
    assert examined.left_out == ()
    assert len(examined.passed) == len(set(examined.passed)) > 30


def test_what_is_not_there_is_left_out(good: Subject) -> None:
    nothing = Subject(Options())
    examined = checks.examine(nothing)
    assert examined.findings == examined.passed == ()
    assert {name for name, _ in examined.left_out} == set(checks.examine(good).passed)


OF_MESSAGING = ("control_exchange", "driver")
"""Registered by oslo.messaging, and only when it is used."""


def test_options_are_nova_s_own() -> None:
    """Types and defaults, so that the files are read as Nova reads them."""
    every = [(None, opt) for opt in DEFAULT_OPTS]
    every += [(group, opt) for group, opts in GROUPS.items() for opt in opts]
    for group, opt in every:
        if opt.name not in OF_MESSAGING:
            theirs = CONF._get_opt_info(opt.dest, group)["opt"]
            assert (type(theirs), theirs.default) == (type(opt), opt.default), opt.name


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


def test_fencing(good: Subject) -> None:
    methods = {"a1": "manual", "spare": "redfish", "a2.example.org": "redfish"}
    findings = found(replace(good, methods=methods, broken={"spare": "no route"}))
    assert findings["without-method"][1] == (
        "no fencing method for protected host a2 (perhaps a2.example.org?)"
    )
    assert (
        "a2.example.org, which has no nova-compute"
        in (findings["method-without-host"][1])
    )
    assert findings["broken-device"] == (
        Severity.ERROR,
        "fence device of spare: no route",
    )


BAD_CONF = [
    ("filter-not-enabled", "StorageZoneFilter,", "", "no StorageZoneFilter"),
    (
        "filter-not-enabled",
        "FailoverHostFilter",
        "FailoverHostsFilter",
        "no FailoverHostFilter (it has FailoverHostsFilter)",
    ),
    (
        "filters-not-available",
        "available_filters = nova_ha_scheduler.filters.all_filters\n",
        "",
        "available_filters has no nova_ha_scheduler",
    ),
    (
        "filters-not-available",
        "available_filters = nova.scheduler.filters.all_filters\n",
        "",
        "available_filters has no nova.scheduler.filters.all_filters",
    ),
    (
        "filters-late",
        "HostMaintenanceFilter,",
        "ComputeFilter,HostMaintenanceFilter,",
        "do not stand first",
    ),
    ("compute-filter-missing", "ComputeFilter,", "", "no ComputeFilter"),
    (
        "weigher-not-loaded",
        ",nova_ha_scheduler.weighers.all_weighers",
        "",
        "no nova_ha_scheduler.weighers.all_weighers",
    ),
    (
        "weighers-lost",
        "nova.scheduler.weights.all_weighers,",
        "",
        "no nova.scheduler.weights.all_weighers",
    ),
    (
        "counting-filter",
        "ComputeFilter,",
        "ComputeFilter,IoOpsFilter,",
        "max_io_ops_per_host = 8",
    ),
    (
        "counting-filter",
        "ComputeFilter,",
        "ComputeFilter,NumInstancesFilter,",
        "max_instances_per_host = 50",
    ),
]


@pytest.mark.parametrize(("name", "old", "new", "words"), BAD_CONF)
def test_the_recommended_configuration_spoilt(
    good: Subject, conf: Conf, name: str, old: str, new: str, words: str
) -> None:
    text = recommended()
    assert old in text
    findings = found(replace(good, nova=conf(text.replace(old, new))))
    assert words in findings[name][1]


MORE_CONF = [
    (
        "placement-limit",
        "[ha_scheduler]\nplacement_prefilter=false\n"
        "[scheduler]\nmax_placement_results=2",
        "there are 3 hosts",
    ),
    (
        "placement-hides-hosts",
        "[scheduler]\nlimit_tenants_to_placement_aggregate = true",
        "limit_tenants_to_placement_aggregate is on",
    ),
    (
        "placement-hides-hosts",
        "[scheduler]\nenable_isolated_aggregate_filtering = true",
        "enable_isolated_aggregate_filtering is on",
    ),
    (
        "unknown-option",
        "[ha_scheduler]\nisolate_ha_host = true",
        "did you mean isolate_ha_hosts?",
    ),
    (
        "policies-differ",
        "[ha_scheduler]\nzoneless_source = refuse",
        "zoneless_source is refuse in nova.conf, and zoneless in nova-ha.conf",
    ),
    (
        "guests-resume",
        "[DEFAULT]\nresume_guests_state_on_host_boot = true",
        "resume_guests_state_on_host_boot is on",
    ),
    (
        "heartbeats-too-rare",
        "[DEFAULT]\nreport_interval = 20\nservice_down_time = 120",
        "down_time is 60 s, and Nova's report_interval 20 s",
    ),
    (
        "down-before-it-beats",
        "[DEFAULT]\nservice_down_time = 15",
        "service_down_time is 15 s, and report_interval 10 s",
    ),
    (
        "heartbeats-elsewhere",
        "[DEFAULT]\nservicegroup_driver = mc",
        "servicegroup_driver is mc",
    ),
]


@pytest.mark.parametrize(("name", "text", "words"), MORE_CONF)
def test_options(good: Subject, conf: Conf, name: str, text: str, words: str) -> None:
    findings = found(replace(good, nova=conf(f"{recommended()}{text}\n")))
    assert list(findings) == [name]
    assert words in findings[name][1]


def test_enough_for_all_evacuations(good: Subject, conf: Conf) -> None:
    text = recommended().replace("ComputeFilter,", "ComputeFilter,IoOpsFilter,")
    plenty = conf(f"{text}max_io_ops_per_host = 33\n")
    assert found(replace(good, nova=plenty)) == {}


def test_a_small_cloud_needs_no_prefilter(good: Subject, conf: Conf) -> None:
    off = conf(f"{recommended()}[ha_scheduler]\nplacement_prefilter = false\n")
    assert found(replace(good, nova=off)) == {}
    unknown = replace(good, nova=off, picture=None)
    assert found(unknown)["placement-limit"][0] is Severity.WARNING


def test_the_same_policy_on_both_sides(good: Subject, conf: Conf) -> None:
    isolate = conf(f"{recommended()}[ha_scheduler]\nisolate_ha_hosts = true\n")
    options = Options(policy=Policy(isolate_ha_hosts=True))
    assert found(replace(good, nova=isolate, options=options)) == {}
    assert "policies-differ" in found(replace(good, options=options))


def test_a_filter_that_is_used_weighs_more(good: Subject, conf: Conf) -> None:
    stock = conf("[filter_scheduler]\n")
    of_nova = replace(good, nova=stock)
    severities = {f.what.split()[-1]: f.severity for _, f in of(of_nova)}
    assert severities["StorageZoneFilter"] is Severity.ERROR
    assert severities["HostMaintenanceFilter"] is Severity.WARNING


def of(subject: Subject) -> list[Any]:
    return [
        item
        for item in checks.examine(subject).findings
        if item[0] == "filter-not-enabled"
    ]


def test_extra_specs_are_compared_as_text(good: Subject, conf: Conf) -> None:
    name = "AggregateInstanceExtraSpecsFilter"
    text = recommended().replace("ComputeFilter,", f"ComputeFilter,{name},")
    subject = replace(good, nova=conf(text))
    assert found(subject) == {}
    flavors = (Flavor("pet", {"ha": "True"}), Flavor("toy", {"ha": "false"}))
    bad = checks.examine(replace(subject, flavors=flavors)).findings
    assert [(check, f.what.split(",")[0]) for check, f in bad] == [
        ("extra-specs-filter-compares-text", "flavor pet says ha='True'"),
        ("extra-specs-filter-compares-text", "flavor toy says ha='false'"),
    ]


SENT = (
    "[oslo_messaging_notifications]\ndriver = messagingv2\n"
    "[notifications]\nnotification_format = both\n"
)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("driver = messagingv2\n", "", "driver is not set"),
        ("driver = messagingv2\n", "driver = noop\n", "driver is not set"),
        ("notification_format = both\n", "", "notification_format is unversioned"),
        (
            "both\n",
            "both\nversioned_notifications_topics = other\n",
            "versioned_notifications_topics has no versioned_notifications",
        ),
        ("both\n", "both\n[DEFAULT]\ncontrol_exchange = cloud\n", "is cloud, and not"),
    ],
)
def test_notifications(
    good: Subject, conf: Conf, old: str, new: str, words: str
) -> None:
    wanted = Listening("versioned_notifications", "nova")
    listening = replace(good, listening=wanted)
    assert found(replace(listening, nova=conf(recommended() + SENT))) == {}
    silent = conf(recommended() + SENT.replace(old, new))
    findings = found(replace(listening, nova=silent))
    assert list(findings) == ["notifications-not-sent"]
    assert words in findings["notifications-not-sent"][1]
    assert found(replace(good, nova=silent)) == {}  # nobody listens


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[DEFAULT]\nreport_interval = often\n", "report_interval"),
        ("[ha_scheduler]\nzoneless_source = maybe\n", "zoneless_source"),
        ("report_interval = 10\n", "nova.conf"),
    ],
)
def test_a_bad_file_names_the_option(conf: Conf, text: str, words: str) -> None:
    with pytest.raises(cfg.Error, match=words):
        conf(text)


def test_a_file_that_is_not_there() -> None:
    with pytest.raises(cfg.Error, match=r"/nowhere/nova\.conf"):
        NovaConf(["/nowhere/nova.conf"])
