# SPDX-License-Identifier: Apache-2.0
"""The requests of the code are those of the list, and all of them."""

import pytest
from keystonemiddleware import auth_token
from nova import policies as nova_policies
from placement import policies as placement_policies

from nova_ha_scheduler.cluster.openstack import calls
from nova_ha_scheduler.doctor import access
from tests.lib.calls_sent import sent


def test_the_code_sends_what_is_listed_and_no_more() -> None:
    found = [(where, calls.listed(*request)) for where, *request in sent()]
    assert [where for where, call in found if call is None] == []
    assert {call for _, call in found} == {*calls.CALLS}


def test_each_policy_rule_is_one() -> None:
    """Of Nova and Placement, which are here; names change between releases."""
    known = {
        rule.name
        for module in (nova_policies, placement_policies)
        for rule in module.list_rules()
    }
    wanted = {
        rule
        for call in calls.CALLS
        if call.service in ("compute", "placement")
        for rule in call.rules
    }
    assert wanted - known == set()


def test_no_rule_of_nova_is_for_the_whole_system() -> None:
    """So that a token of that scope gets nothing; check says so, too."""
    ours = (call for call in calls.CALLS if call.service == "compute")
    wanted = {rule for call in ours for rule in call.rules}
    found = [rule for rule in nova_policies.list_rules() if rule.name in wanted]
    assert len(found) > 20
    assert {tuple(rule.scope_types) for rule in found} == {("project",)}


def test_what_check_asks_for_is_listed() -> None:
    for probe in access.PROBES:
        named = {*probe.rule.split(", or "), *probe.shown.values()}
        assert named <= {*probe.call.rules}
        assert probe.call.method == "GET"


def test_services_read_the_rules_as_they_are_meant() -> None:
    """keystonemiddleware is what holds a token to them."""
    for call in calls.CALLS:
        _, prefix = calls.CATALOG[call.service]
        asked = prefix + call.path.replace("{", "").replace("}", "")
        assert auth_token._path_matches(asked, prefix + call.path)
        assert not auth_token._path_matches(f"{asked}/more", prefix + call.path)


@pytest.mark.parametrize(
    ("path", "call"),
    [
        ("/servers/5/action", None),
        ("/servers/5", calls.SERVER),
        ("/servers/detail", calls.SERVERS),
        ("/servers/5/6", None),
        ("/servers", None),
        ("/serversx5", None),
    ],
)
def test_a_request_is_one_call(path: str, call: calls.ApiCall | None) -> None:
    assert calls.listed("compute", "GET", path) is call


@pytest.mark.parametrize(
    ("rule", "lets"),
    [
        ("/v2.1/servers/{server_id}/action", True),
        ("/v2.1/servers/*/action", True),
        ("/v2.1/**", True),
        ("/**", True),
        ("/v2.1/*", False),
        ("/v2.1/servers/*", False),
        ("/v2x1/servers/*/action", False),
    ],
)
def test_an_access_rule(rule: str, lets: bool) -> None:
    said = {"service": "compute", "method": "POST", "path": rule}
    path = "/v2.1/servers/server/action"
    assert access._lets(said, "compute", "POST", path) is lets
    assert not access._lets(said, "compute", "GET", path)
    assert not access._lets(said, "placement", "POST", path)
