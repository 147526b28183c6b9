# SPDX-License-Identifier: Apache-2.0
"""``nova-ha host list`` on a real Nova."""

import time
from collections import Counter
from typing import Any

import pytest

from nova_ha_scheduler.cluster.openstack import inventory
from nova_ha_scheduler.cluster.openstack.api import READ, Api
from nova_ha_scheduler.health.report import HostNote as Told
from nova_ha_scheduler.health.report import Report
from nova_ha_scheduler.journal.database import Database
from nova_ha_scheduler.journal.store import SqlJournal
from nova_ha_scheduler.records.events import Event, EventKind
from nova_ha_scheduler.records.state import Change
from nova_ha_scheduler.service.startup import load
from tests.integration.trigger.conftest import (
    HOSTS,
    OUTSIDE,
    ZONE,
    MakeTrigger,
    Trigger,
)  # isort: skip
from tests.lib import aged
from tests.lib.cloud import Cloud

pytestmark = pytest.mark.usefixtures("tidy")

BMC = {"method": "redfish", "username": "fencer", "password": "secret"}


def listed(trigger: Trigger, *more: str) -> dict[str, Any]:
    return {row["host"]: row for row in trigger.json("host", "list", *more)}


def test_what_is_well(cloud: Cloud, trigger: MakeTrigger) -> None:
    rows = listed(trigger())
    assert set(rows) == {*HOSTS, OUTSIDE}
    row = rows[HOSTS[0]]
    del row["protected"], row["servers"]
    assert row == {
        "host": HOSTS[0],
        "zone": ZONE,
        "flags": ["ha"],
        "service": "up",
        "status": "enabled",
        "reason": "",
        "fencing": "manual",
        "device": "none",
        "device_since": None,
        "problems": [],
    }
    row = rows[OUTSIDE]
    assert (row["zone"], row["flags"], row["fencing"]) == ("", [], "none")
    assert row["problems"] == ["in no zone"]


@pytest.mark.parametrize("paged", [False, True])
def test_servers_are_counted(
    cloud: Cloud,
    flavor: str,
    trigger: MakeTrigger,
    paged: bool,
    request: pytest.FixtureRequest,
) -> None:
    plain = cloud.flavor(f"plain-{paged}")
    made = [
        cloud.boot(f"{kind}-{host}", kind, host=host)["id"]
        for kind in (flavor, plain)
        for host in (OUTSIDE, HOSTS[1])
    ]
    api = Api(cloud.openstack())
    every = list(inventory.servers(api))
    assert api.sent == 1
    if paged:
        request.getfixturevalue("one_a_page")
        assert {s.uuid for s in inventory.servers(api)} == {s.uuid for s in every}
    rows = listed(trigger())
    on = Counter(server.host for server in every)
    marked = Counter(s.host for s in every if s.extra_specs.get("ha") == "true")
    assert {host: row["servers"] for host, row in rows.items()} == {
        host: on[host] for host in rows
    }
    assert rows[HOSTS[1]]["protected"] == marked[HOSTS[1]] >= 1
    assert (rows[OUTSIDE]["protected"], rows[OUTSIDE]["servers"]) == (0, 2)
    assert rows[OUTSIDE]["problems"] == [
        "in no zone",
        "not protected, though it has servers that should be: 1",
    ]
    (row,) = listed(trigger(), "--host", OUTSIDE).values()
    assert row == rows[OUTSIDE]
    for server in made:
        cloud.delete(server)


def test_what_is_wrong(cloud: Cloud, trigger: MakeTrigger) -> None:
    cloud.aggregate("second", {"storage_zone": "nfs-b"}, [HOSTS[0]])
    odd = {"storage_zone": "a,b", "ha:reserved": "yes", "ha:maintenance": "perhaps"}
    cloud.aggregate("odd", odd, [OUTSIDE])
    configured = trigger({HOSTS[4]: None})
    rows = listed(configured)
    assert rows[HOSTS[0]]["zone"] == f"{ZONE}, nfs-b"
    assert rows[HOSTS[0]]["problems"] == [f"in several zones ({ZONE}, nfs-b)"]
    assert rows[HOSTS[4]]["fencing"] == "none"
    (problem,) = rows[HOSTS[4]]["problems"]
    assert "nothing can fence it" in problem
    assert "fencing.yaml has no entry for it" in problem
    assert rows[OUTSIDE]["flags"] == ["ha:reserved"]
    assert rows[OUTSIDE]["problems"] == [
        "ha:maintenance='perhaps' is not a boolean (true or false)",
        "storage_zone='a,b' is not the name of one zone",
    ]
    for_people = configured.nova_ha("host", "list")
    assert "nothing can fence it" in " ".join(for_people.split())


def test_keys_in_other_spellings(cloud: Cloud, trigger: MakeTrigger) -> None:
    odd = {"HA:Reserved": "yes", "Storage_Zone ": "nfs-b", "ha:maintenence": "true"}
    cloud.aggregate("odd", odd, [OUTSIDE])
    twice = {"ha:maintenance": "no", "ha:maintenance ": "true"}
    cloud.aggregate("twice", twice, [HOSTS[0]])
    rows = listed(trigger())
    row = rows[OUTSIDE]
    assert (row["flags"], row["zone"]) == (["ha:reserved"], "nfs-b")
    assert row["problems"] == [
        "'ha:maintenence' counts for nothing; ha:maintenance may be meant"
    ]
    assert (
        "ha:maintenance='no' and 'ha:maintenance '='true' contradict each other"
        in rows[HOSTS[0]]["problems"]
    )


def test_services(cloud: Cloud, trigger: MakeTrigger) -> None:
    compute = cloud.openstack().compute
    (service,) = compute.services(binary="nova-compute", host=OUTSIDE)
    compute.disable_service(service, disabled_reason="new disks")
    cloud.force_down(OUTSIDE)
    row = listed(trigger())[OUTSIDE]
    cloud.force_down(OUTSIDE, False)
    compute.enable_service(service)
    found = row["service"], row["status"], row["reason"]
    assert found == ("forced down", "disabled", "new disks")


def test_devices_as_the_trigger_reports(trigger: MakeTrigger) -> None:
    """Not as the history tells: what it says may be of an earlier life."""
    methods = {
        host: {**BMC, "address": f"https://192.0.2.{n}"}
        for n, host in enumerate(HOSTS[:3], start=1)
    }
    configured = trigger(methods)
    assert listed(configured)[HOSTS[0]]["device"] == "unknown"
    at = time.time()
    database = Database(load("test", ["--config-file", str(configured.conf)]))
    database.upgrade()
    journal = SqlJournal(database)
    assert journal.acquire()
    long_ago = Event(EventKind.DEVICE_BROKEN, at - 9, HOSTS[1], reason="no route")
    journal.commit(Change(events=(long_ago,)))
    broken = (Told(HOSTS[0], at - 2, "wrong password"),)
    report = Report(journal.owner, at, 60.0, 15.0, at, protected=7, broken=broken)
    journal.put_report(report, alive=True)
    rows = listed(configured)
    (status,) = configured.json("status")["broken_devices"]
    aged.report(database, 61)
    assert listed(configured)[HOSTS[0]]["device"] == "unknown"
    assert configured.json("status")["broken_devices"] == []
    database.dispose()
    assert rows[HOSTS[0]]["device"] == "broken"
    assert rows[HOSTS[0]]["device_since"].startswith("20")
    assert rows[HOSTS[0]]["problems"] == ["fence device: wrong password"]
    assert rows[HOSTS[1]]["device"] == "not seen broken"
    assert [rows[host]["problems"] for host in HOSTS[1:3]] == [[], []]
    assert rows[HOSTS[2]]["fencing"] == "redfish"
    assert (status["host"], status["reason"]) == (HOSTS[0], "wrong password")


def test_a_bad_fencing_file_hides_nothing_else(trigger: MakeTrigger) -> None:
    configured = trigger()
    configured.conf.with_name("fencing.yaml").chmod(0o644)
    rows = listed(configured)
    for host in HOSTS:
        assert rows[host]["zone"] == ZONE
        assert (rows[host]["fencing"], rows[host]["device"]) == ("unknown", "unknown")
        (problem,) = rows[host]["problems"]
        assert problem.startswith("whether it can be fenced cannot be told: ")
        assert "chmod 0600" in problem
    assert rows[OUTSIDE]["problems"] == ["in no zone"]


def test_a_bad_entry_is_one_hosts(trigger: MakeTrigger) -> None:
    rows = listed(trigger({HOSTS[2]: {"method": "redfsh"}}))
    found = {host: rows[host]["problems"] for host in HOSTS if rows[host]["problems"]}
    assert found.keys() == {HOSTS[2]}
    assert f"host {HOSTS[2]}: method redfsh does not exist" in found[HOSTS[2]][0]
    assert rows[HOSTS[1]]["fencing"] == "manual"


@pytest.mark.parametrize(
    ("code", "change", "words"),
    [
        (2, {"cloud": {"auth_type": "passwort"}}, "passwort"),
        (1, {"cloud": {"auth_url": "http://127.0.0.1:1/"}}, "127.0.0.1:1"),
        (2, {"fencing": {"config_fil": "x"}}, "did you mean config_file?"),
    ],
)
def test_refused(
    trigger: MakeTrigger, code: int, change: dict[str, Any], words: str
) -> None:
    said = trigger(**change).nova_ha("host", "list", code=code)
    assert words in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("host", "words"),
    [("nod", "nod: no nova-compute service has exactly"), ("Node1", "perhaps node1?")],
)
def test_a_host_that_nova_does_not_know(
    trigger: MakeTrigger, host: str, words: str
) -> None:
    assert words in trigger().nova_ha("host", "list", "--host", host, code=2)


def test_costs(cloud: Cloud) -> None:
    """One list, whatever the number of hosts."""
    path = "/servers/detail?all_tenants=1"
    found = cloud.nova("GET", path, microversion=READ).json()["servers"]
    api = Api(cloud.openstack())
    assert {s.uuid for s in inventory.servers(api)} == {s["id"] for s in found}
    assert api.sent == 1
