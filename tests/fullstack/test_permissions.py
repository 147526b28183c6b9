# SPDX-License-Identifier: Apache-2.0
"""The least that the trigger's user needs: a real keystone holds it to that."""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.fullstack.conftest import check, recovered
from tests.lib.stack import servers
from tests.lib.stack.evacuator import Trigger
from tests.lib.stack.site import PASSWORD, login
from tests.lib.stack.stack import Stack

pytestmark = pytest.mark.stand_ins("Policies are those of the APIs.")

SERVERS = 4

OURS = "triggers"
"""A project of its own, as the servers are other tenants'."""

SAMPLE = Path(__file__).parents[2] / "etc/nova-ha-scheduler/nova-policy.yaml.sample"

Make = Callable[..., Trigger]


def findings(ours: Trigger, code: int = 0) -> list[dict[str, str]]:
    rows = ours.nova_ha("check", "-f", "json", "--fail-on", "error", code=code)
    return [row for row in json.loads(rows) if row["severity"] == "error"]


def _rules(ours: Trigger) -> list[dict[str, str]]:
    """As docs/install.md has it."""
    columns = ("-c", "service", "-c", "method", "-c", "path")
    found: list[dict[str, str]] = ours.json("permission", "list", *columns)
    return found


def _cut(stack: Stack, ours: Trigger, user: str, role: str) -> None:
    """A host dies, its servers come back, and the history says who asked for that."""
    assert findings(ours) == []
    ids = servers.boot(stack, "a1", SERVERS)
    ours.service().start()
    stack.machines["a1"].kill()
    check(stack, [recovered(stack, ours, "a1")], ids, frozenset())
    (login,) = ours.json("history", "events", "--kind", "cloud.login", "--long")
    assert login["how"].startswith(f"{user} (")
    assert role in login["how"].rpartition(", roles: ")[2].split(", ")


def test_access_rules(stack: Stack, trigger: Make) -> None:
    """With the published rules, and nothing more; without one, check names it."""
    user = stack.keystone.user("least", "admin")
    plain = trigger()
    rules = _rules(plain)
    asked = plain.json("permission", "list", "--from-cloud")
    assert {(row["service"], row["method"], row["path"]) for row in asked} <= {
        (rule["service"], rule["method"], rule["path"]) for rule in rules
    }
    assert {row["service"] for row in asked} >= {"compute", "placement"}
    given = stack.keystone.credential(user, "least", rules)
    _cut(stack, trigger(name="-least", conf={"cloud": given}), "least", "admin")
    fewer = [rule for rule in rules if rule["path"] != "/v2.1/servers/{server}/action"]
    given = stack.keystone.credential(user, "least", fewer, "fewer")
    (finding,) = findings(trigger(name="-fewer", conf={"cloud": given}), code=2)
    assert finding["check"] == "access-rules-missing"
    assert "compute POST /v2.1/servers/{server}/action" in finding["what"]


@pytest.fixture
def policy(stack: Stack) -> Iterator[Path]:
    """Nova's, which it reads when it changes."""
    path = stack.site.folder / "nova" / "policy.yaml"
    api = stack.compute.programs["nova-api"]
    yield path
    path.unlink(missing_ok=True)
    api.restart()


def as_user(stack: Stack, name: str, **more: str) -> Mapping[str, Any]:
    conf: dict[str, Any] = login(stack.keystone.url) | {"username": name}
    if "system_scope" in more:
        del conf["project_name"], conf["project_domain_id"]
    return {"cloud": {**conf, "password": PASSWORD, **more}}


def test_the_role_service(stack: Stack, trigger: Make, policy: Path) -> None:
    """It is enough with the sample of a policy for Nova, and not without. A token of
    the whole system gets nothing, whatever the roles are."""
    stack.keystone.user("servant", "service", OURS)
    stack.keystone.user("system", "admin")
    servant = as_user(stack, "servant", project_name=OURS)
    found = findings(trigger(name="-without", conf=servant), code=2)
    assert any("GET /os-services is refused" in row["what"] for row in found)
    policy.write_text(SAMPLE.read_text())
    stack.compute.programs["nova-api"].restart()
    ours = trigger(name="-with", conf=servant)
    _cut(stack, ours, "servant", "service")
    system = as_user(stack, "system", system_scope="all")
    (finding,) = findings(trigger(name="-system", conf=system), code=2)
    assert finding["check"] == "system-scope"
