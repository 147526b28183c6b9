# SPDX-License-Identifier: Apache-2.0
"""Each check of nova.conf is provoked, and is silent where all is well."""

from dataclasses import replace
from typing import Any

import pytest
from nova.conf import CONF
from oslo_config import cfg

from nova_ha_scheduler.doctor import checks
from nova_ha_scheduler.doctor.finding import Severity
from nova_ha_scheduler.doctor.nova_conf import DEFAULT_OPTS, GROUPS, NovaConf
from nova_ha_scheduler.doctor.subject import Flavor, Listening, Subject
from nova_ha_scheduler.evacuation.options import Options
from nova_ha_scheduler.rules.terms import Policy
from tests.unit.doctor.subjects import Conf, found, recommended

OF_MESSAGING = ("control_exchange", "driver", "rpc_response_timeout")
"""Registered by oslo.messaging, and only when it is used."""


def test_options_are_nova_s_own() -> None:
    """Types and defaults, so that the files are read as Nova reads them."""
    every = [(None, opt) for opt in DEFAULT_OPTS]
    every += [(group, opt) for group, opts in GROUPS.items() for opt in opts]
    for group, opt in every:
        if opt.name not in OF_MESSAGING:
            theirs = CONF._get_opt_info(opt.dest, group)["opt"]
            assert (type(theirs), theirs.default) == (type(opt), opt.default), opt.name


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
        "no-service-tokens",
        "[service_user]\nsend_service_user_token = false",
        "send_service_user_token is off",
    ),
    (
        "heartbeats-too-rare",
        "[DEFAULT]\nreport_interval = 19\nservice_down_time = 120",
        "down_time is 60 s, and Nova's report_interval 19 s",
    ),
    (
        "calls-outlast-silence",
        "[DEFAULT]\nrpc_response_timeout = 50",
        "rpc_response_timeout is 50 s, and [detection] down_time 60 s",
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
    plenty = conf(f"{text}max_io_ops_per_host = 11\n")
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


def test_the_choice_is_left_to_nova(good: Subject, conf: Conf) -> None:
    """Where both options say so, and the scheduler knows the zones."""
    asked = replace(good, options=Options(planned_destinations=False))
    assert found(asked).keys() == {"plan-not-let-go"}
    let = Options(planned_destinations=False, unnamed_requests=True)
    assert found(replace(good, options=let)) == {}
    stock = conf(recommended().replace("StorageZoneFilter,", ""))
    findings = found(replace(good, options=let, nova=stock))
    severity, words = findings["choice-without-zones"]
    assert severity is Severity.ERROR
    assert "enabled_filters has no StorageZoneFilter" in words
    named = replace(good, options=Options(), nova=stock)
    assert "choice-without-zones" not in found(named)


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
    flavors = (
        Flavor("pet", {"ha": "True"}),
        Flavor("toy", {"ha": "false"}),
        Flavor("odd", {"HA": "true"}),  # as we mean it, and that filter does not
    )
    bad = checks.examine(replace(subject, flavors=flavors)).findings
    assert [(check, f.what.split(",")[0]) for check, f in bad] == [
        ("extra-specs-filter-compares-text", "flavor pet says ha='True'"),
        ("extra-specs-filter-compares-text", "flavor toy says ha='false'"),
        ("extra-specs-filter-compares-text", "flavor odd says HA='true'"),
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
