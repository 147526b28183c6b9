# SPDX-License-Identifier: Apache-2.0
"""``nova-ha check`` on a real Nova and Placement."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from nova_ha_scheduler.clock import SystemClock
from nova_ha_scheduler.cluster.errors import CloudUnreachable
from nova_ha_scheduler.cluster.openstack import calls, whole
from nova_ha_scheduler.cluster.openstack.api import Api
from nova_ha_scheduler.doctor import access
from nova_ha_scheduler.journal.database import Database
from nova_ha_scheduler.service.startup import load
from tests.integration.trigger.conftest import (
    HOSTS,
    OUTSIDE,
    POLICY,
    MakeTrigger,
    Trigger,
)  # isort: skip
from tests.lib.cloud import Cloud

pytestmark = pytest.mark.usefixtures("tidy")

RECOMMENDED = """\
[DEFAULT]
report_interval = 10
rpc_response_timeout = 40
[filter_scheduler]
available_filters = nova.scheduler.filters.all_filters
available_filters = nova_ha_scheduler.filters.all_filters
enabled_filters = HostMaintenanceFilter,StorageZoneFilter,FailoverHostFilter,\
HAFlavorFilter,ComputeFilter
weight_classes = nova.scheduler.weights.all_weighers,\
nova_ha_scheduler.weighers.all_weighers
[service_user]
send_service_user_token = true
"""


@pytest.fixture
def configured(trigger: MakeTrigger) -> Trigger:
    """With a journal."""
    return with_journal(trigger())


def with_journal(configured: Trigger) -> Trigger:
    database = Database(load("test", ["--config-file", str(configured.conf)]))
    database.upgrade()
    database.dispose()
    return configured


def findings(configured: Trigger, *more: str, code: int = 0) -> dict[str, Any]:
    said = configured.nova_ha("check", "-f", "json", *more, code=code)
    rows = json.loads(said[said.index("[") : said.rindex("]") + 1])
    return {row["check"]: row for row in rows}


@pytest.fixture
def reserve(cloud: Cloud) -> None:
    """What a zone ought to have; away with the test's other aggregates."""
    cloud.aggregate("reserve", {"ha:reserved": "true"}, [HOSTS[6]])


@pytest.mark.usefixtures("reserve")
def test_a_good_set_up(cloud: Cloud, configured: Trigger) -> None:
    conf = configured.conf.with_name("nova.conf")
    conf.write_text(RECOMMENDED)
    assert findings(configured, "--nova-conf", str(conf)) == {}
    rows = findings(configured, "--nova-conf", str(conf), "--all")
    assert {row["severity"] for row in rows.values()} == {"ok"}
    names = {"cloud", "journal", "hidden", "not-mirrored", "guests-resume"}
    assert names <= rows.keys()


def test_this_cloud_as_it_is_configured(cloud: Cloud, configured: Trigger) -> None:
    """Nova's own file, without the plugin, and with what a returned host must not."""
    path = str(cloud.state_dir / "nova.conf")
    found = findings(configured, "--nova-conf", path, code=2)
    assert "enabled_filters has no" in found["filter-not-enabled"]["what"]
    assert found["guests-resume"]["severity"] == "error"
    assert "report_interval 20 s" in found["heartbeats-too-rare"]["what"]
    for_people = configured.nova_ha("check", "--nova-conf", path, code=2)
    assert "To mend: " in for_people
    assert "Traceback" not in for_people


def test_exit_codes(cloud: Cloud, configured: Trigger) -> None:
    found = findings(configured)
    assert {row["severity"] for row in found.values()} == {"info"}
    cloud.aggregate("second", {"ha": "true"}, [OUTSIDE])
    found = findings(configured, code=2)
    assert f"host {OUTSIDE}" in found["without-method"]["what"]
    assert found["protected-without-zone"]["severity"] == "warning"


def test_warnings_alone(cloud: Cloud, trigger: MakeTrigger) -> None:
    cloud.aggregate("second", {"ha": "true"}, [OUTSIDE])
    configured = with_journal(trigger({OUTSIDE: {"method": "manual"}}))
    assert "protected-without-zone" in findings(configured, code=1)
    assert "protected-without-zone" in findings(configured, "--fail-on", "error")


def test_what_placement_does_not_mirror(cloud: Cloud, configured: Trigger) -> None:
    aggregate = cloud.aggregate("mirrored", {"ha": "true"}, [HOSTS[0]])
    assert "not-mirrored" not in findings(configured)
    nodes = cloud.nova("GET", f"/os-hypervisors?hypervisor_hostname_pattern={HOSTS[0]}")
    (node,) = nodes.json()["hypervisors"]
    path = f"/resource_providers/{node['id']}/aggregates"
    shown = cloud.placement("GET", path).json()
    less = [uuid for uuid in shown["aggregates"] if uuid != aggregate.uuid]
    body = {**shown, "aggregates": less}
    assert cloud.placement("PUT", path, body).ok
    found = findings(configured, code=2)["not-mirrored"]
    assert found["what"].startswith("aggregate mirrored: Placement does not know that")
    assert found["mend"] == "nova-manage placement sync_aggregates"
    shown = cloud.placement("GET", path).json()
    body = {**shown, "aggregates": [*shown["aggregates"], aggregate.uuid]}
    assert cloud.placement("PUT", path, body).ok
    assert "not-mirrored" not in findings(configured)


@pytest.fixture
def flavor_of(cloud: Cloud) -> Iterator[Callable[..., None]]:
    made = []

    def make(*arguments: Any, **sizes: int) -> None:
        made.append(cloud.flavor(*arguments, **sizes))

    yield make
    for flavor in made:
        cloud.openstack().compute.delete_flavor(flavor)


def test_flavors(
    cloud: Cloud, configured: Trigger, flavor_of: Callable[..., None], reserve: None
) -> None:
    flavor_of("fits", {"ha": "true"})
    assert findings(configured) == {}
    flavor_of("giant", {"ha": "true"}, vcpus=100_000)
    flavor_of("x-typo")
    (typo,) = [f for f in cloud.openstack().compute.flavors() if f.name == "x-typo"]
    specs = {"extra_specs": {"ha:recovery": "evacuat"}}
    path = f"/flavors/{typo.id}/os-extra_specs"
    # From 2.86 on, Nova refuses it.
    assert cloud.nova("POST", path, specs, microversion="2.85").ok
    found = findings(configured, code=2)
    assert set(found) == {
        "flavor-without-host",
        "flavor-without-reserve",
        "flavor-unreadable",
    }
    assert "100000 VCPU" in found["flavor-without-host"]["what"]
    assert "flavor x-typo: ha:recovery='evacuat'" in found["flavor-unreadable"]["what"]


@pytest.fixture
def forbid(cloud: Cloud) -> Iterator[Callable[[str], None]]:
    path = cloud.state_dir / POLICY

    def rule(name: str) -> None:
        path.write_text(json.dumps({name: "!"}))

    yield rule
    # The file's rules stay in force when it is gone.
    path.write_text("{}")


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("os-services:list", "GET /os-services is refused"),
        ("os-aggregates:index", "GET /os-aggregates is refused"),
        ("servers:detail:get_all_tenants", "GET /servers/detail is refused"),
        ("os-extended-server-attributes", "hides OS-EXT-SRV-ATTR:host"),
        ("servers:show:flavor-extra-specs", "hides flavor.extra_specs"),
        ("os-migrations:index", "GET /os-migrations is refused"),
        ("os-migrations:index:all_projects", "GET /os-migrations is refused"),
        ("os-hypervisors:list-detail", "GET /os-hypervisors/detail is refused"),
        ("os-server-groups:index:all_projects", "GET /os-server-groups is refused"),
        ("os-flavor-extra-specs:index", "GET /flavors/detail hides extra_specs"),
        ("os-services:update", "PUT /os-services is refused"),
        ("os-aggregates:add_host", "add_host of an aggregate is refused"),
        ("os-aggregates:remove_host", "remove_host of an aggregate is refused"),
        ("os-aggregates:set_metadata", "set_metadata of an aggregate is refused"),
        ("servers:allow_all_filters", "GET /servers/detail passes over host="),
    ],
)
def test_policy(
    cloud: Cloud,
    flavor: str,
    forbid: Callable[[str], None],
    rule: str,
    words: str,
) -> None:
    server = cloud.boot("seen", flavor, host=HOSTS[0])["id"]
    api = Api(cloud.openstack())

    def found() -> list[Any]:
        return [finding for check in access.CHECKS for finding in check(api)]

    assert found() == []
    forbid(f"os_compute_api:{rule}")
    refused = found()
    forbid("none")
    (finding,) = [finding for finding in refused if words in finding.what]
    assert f"os_compute_api:{rule}" in finding.mend
    assert found() == []
    cloud.delete(server)


def test_where_the_services_are(cloud: Cloud) -> None:
    """As the catalog has them: what stands in access rules."""
    api = Api(cloud.openstack())
    found = {service: api.endpoint(service) for service in calls.CATALOG}
    assert found["compute"] == ("compute", "/v2.1")
    assert found["placement"] == ("placement", "")
    assert found["key_manager"] is None


def test_it_sends_nothing_that_is_not_listed(
    cloud: Cloud, flavor: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is looked at; of the rest, tests/unit/cluster reads the code."""
    send, sent = Api._send, []

    def record(api: Api, *request: Any, **more: Any) -> Any:
        sent.append(request[:3])
        return send(api, *request, **more)

    monkeypatch.setattr(Api, "_send", record)
    server = cloud.boot("seen", flavor, host=HOSTS[0])["id"]
    api = Api(cloud.openstack())
    assert [f for check in (*access.FIRST, *access.CHECKS) for f in check(api)] == []
    whole.take(api, SystemClock())
    monkeypatch.undo()
    assert len({request[2] for request in sent}) > 10
    assert [request for request in sent if calls.listed(*request) is None] == []
    cloud.delete(server)


def test_the_command_goes_on_without_a_picture(
    configured: Trigger, forbid: Callable[[str], None]
) -> None:
    forbid("os_compute_api:os-services:list")
    rows = findings(configured, "--all", code=2)
    assert rows["hidden"]["severity"] == "error"
    assert rows["several-zones"]["severity"] == "left out"
    assert rows["journal"]["severity"] == "ok"


def test_versions(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    api = Api(cloud.openstack())
    assert list(access.too_old(api)) == []
    monkeypatch.setitem(access._NEEDED, "compute", ("2.999", "Nova of tomorrow"))
    (finding,) = access.too_old(api)
    assert "2.999 is needed" in finding.what
    assert finding.mend == "Nova of tomorrow"


def test_no_endpoint(cloud: Cloud) -> None:
    with pytest.raises(CloudUnreachable, match="accelerator"):
        Api(cloud.openstack()).newest("accelerator")


@pytest.mark.parametrize(
    ("change", "name", "words"),
    [
        (
            {"methods": {"node5": {"method": "x"}}},
            "unusable-method",
            "method x does not",
        ),
        ({"methods": {"node5": None}}, "without-method", "protected host node5"),
        ({"methods": {"n9": {"method": "manual"}}}, "method-without-host", "n9"),
        ({"detection": {"poll_intervall": 5}}, "configuration", "mean poll_interval"),
        ({"guard": {"max_hosts": "many"}}, "configuration", "max_hosts"),
        ({"witnesses": {"enabled": "pong"}}, "witnesses", "there is no"),
        (
            {"database": {"connection": "sqlite:////nowhere/j"}},
            "journal",
            "no directory /nowhere for the journal",
        ),
        ({"cloud": {"auth_url": "http://127.0.0.1:1/"}}, "cloud", "127.0.0.1:1"),
    ],
)
def test_what_keeps_the_trigger_from_starting(
    trigger: MakeTrigger, change: dict[str, Any], name: str, words: str
) -> None:
    configured = trigger(**change)
    if not {"database", "detection", "guard"} & change.keys():
        with_journal(configured)
    code = 1 if name == "method-without-host" else 2
    assert words in findings(configured, code=code)[name]["what"]
