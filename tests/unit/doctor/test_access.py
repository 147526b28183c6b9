# SPDX-License-Identifier: Apache-2.0
"""What a login lets: of the whole system, or held to access rules."""

from dataclasses import dataclass
from typing import Any

from nova_ha_scheduler.cluster.openstack import calls
from nova_ha_scheduler.doctor import access


@dataclass
class _Login:
    """Of keystone, as access.py asks for it."""

    application_credential_access_rules: list[dict[str, str]] | None = None
    system_scoped: bool = False

    def access(self) -> "_Login":
        return self

    def endpoint(self, service: str) -> tuple[str, str] | None:
        return None if service == "key_manager" else calls.CATALOG[service]


def _rules() -> list[dict[str, str]]:
    found = []
    for call in calls.CALLS:
        kind, prefix = calls.CATALOG[call.service]
        path = f"{prefix}{call.path}"
        found.append({"service": kind, "method": call.method, "path": path})
    return found


def _found(login: Any) -> list[str]:
    return [f.what for check in access.FIRST for f in check(login)]


def test_no_rules_are_no_bounds() -> None:
    assert _found(_Login()) == []


def test_the_published_rules_do() -> None:
    assert _found(_Login(_rules())) == []
    assert _found(_Login([r for r in _rules() if r["service"] != "key-manager"])) == []


def test_each_rule_is_missed() -> None:
    for number, call in enumerate(calls.CALLS):
        rules = _rules()
        del rules[number]
        found = _found(_Login(rules))
        # The rule for one server lets the list of all through, too.
        if call.service == "key_manager" or call is calls.SERVERS:
            assert found == []
            continue
        kind, prefix = calls.CATALOG[call.service]
        words = f"no access rule for {kind} {call.method} {prefix}{call.path}"
        assert len(found) == 1
        assert found[0].endswith(words)


def test_of_the_whole_system() -> None:
    (words,) = _found(_Login(system_scoped=True))
    assert words == "the login is scoped to the system, not to a project"
