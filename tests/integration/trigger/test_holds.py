# SPDX-License-Identifier: Apache-2.0
"""People hold up recoveries on a real Nova, by the installed program."""

from tests.integration.trigger.conftest import (  # isort: skip  (prepares for Nova)
    HOSTS,
    OUTSIDE,
    ZONE,
    MakeTrigger,
    Trigger,
    boot_on,
)

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from nova_ha_scheduler.cli.who import signed
from nova_ha_scheduler.journal.database import Database
from nova_ha_scheduler.service.startup import load
from tests.integration.trigger.running import active, recovered, running
from tests.lib.cloud import Cloud

BY = ("--by", "Ann", "--reason", "its cables")
OFF = ("--confirm-fenced", "--by", "Bob", "--reason", "I pulled the plug")


@pytest.fixture
def journal(trigger: MakeTrigger) -> Trigger:
    """A trigger that does not run yet, with a journal; one server moves at a time."""
    made = trigger(evacuation={"max_in_flight": 1})
    database = Database(load("test", ["--config-file", str(made.conf)]))
    database.upgrade()
    database.dispose()
    return made


@pytest.fixture
def reserve(cloud: Cloud) -> Iterator[None]:
    """The last host is reserved, whatever is on it."""
    compute = cloud.openstack().compute
    made = compute.create_aggregate(name="reserve")
    compute.set_aggregate_metadata(made, {"ha:reserved": "true"})
    compute.add_host_to_aggregate(made, HOSTS[-1])
    yield
    compute.remove_host_from_aggregate(made, HOSTS[-1])
    compute.delete_aggregate(made)


def reason_of(trigger: Trigger, host: str) -> str:
    """Why the recovery of a host does not go on, as status says it."""
    found = {row["host"]: row["reason"] for row in trigger.json("status")["hosts"]}
    return str(found.get(host, ""))


@pytest.mark.parametrize(
    ("scope", "words"),
    [
        (("node99",), "node99: no nova-compute service has exactly this host name"),
        (("node",), "no nova-compute service has exactly this host name"),
        (("NODE1",), "(perhaps node1?)"),
        (("node1.example.org",), "(perhaps node1?)"),
        (("--zone", "nfs"), f"no host is in a storage zone nfs (perhaps {ZONE}?)"),
        (("--zone", "ceph-7"), "no host is in a storage zone ceph-7"),
    ],
)
def test_what_nova_does_not_know_is_not_paused(
    journal: Trigger, scope: tuple[str, ...], words: str
) -> None:
    said = journal.nova_ha("pause", *scope, *BY, code=2)
    assert words in said
    assert "Traceback" not in said
    assert journal.json("status")["pauses"] == []


def test_what_nova_knows_is_paused(journal: Trigger) -> None:
    for scope in (["node1"], [OUTSIDE], ["--zone", ZONE], []):
        journal.nova_ha("pause", *scope, *BY)
    shown = [pause["scope"] for pause in journal.json("status")["pauses"]]
    assert shown == ["host node1", f"host {OUTSIDE}", f"zone {ZONE}", "everything"]
    ended = journal.json("resume", "node1", OUTSIDE, "--by", "Bob")
    assert [pause["scope"] for pause in ended] == shown[:2]


def test_the_reserve_in_use(
    cloud: Cloud, flavor: str, journal: Trigger, request: pytest.FixtureRequest
) -> None:
    assert journal.json("status")["reserve_in_use"] == []
    boot_on(cloud, HOSTS[-1], flavor, "guest")
    request.getfixturevalue("reserve")
    status = journal.json("status")
    (row,) = status["reserve_in_use"]
    assert (row["host"], row["zone"], status["reserve_unknown"]) == (
        HOSTS[-1],
        ZONE,
        None,
    )
    assert row["servers"] >= 1


def test_a_paused_host_is_left_alone_until_it_is_resumed(
    cloud: Cloud, flavor: str, journal: Trigger, tmp_path: Path
) -> None:
    """Also by hand; the log of the trigger tells of it."""
    boot_on(cloud, "node1", flavor, "held")
    pause = journal.json("pause", "node1", *BY)["id"]
    cloud.crash("node1")
    cloud.force_down("node1")
    refused = journal.nova_ha("evacuate", "node1", "--wait", *OFF, code=4)
    assert f"node1: it is paused: host node1 by {signed('Ann')}: its cables" in refused
    log = tmp_path / "evacuator.log"
    with running(journal, log):
        cloud.wait("a hold", lambda: "would fence it" in reason_of(journal, "node1"))
        journal.nova_ha("confirm-fenced", "node1", *OFF[1:])
        would = "would evacuate its servers"
        cloud.wait("a hold", lambda: would in reason_of(journal, "node1"))
        (service,) = cloud.openstack().compute.services(host="node1")
        assert service.status == "enabled", "nothing of it was changed"
        refused = journal.nova_ha("retry", "node1", *BY, code=4)
        assert "it is paused" in refused
        journal.nova_ha("resume", pause, "--by", "Ann")
        row = recovered(cloud, journal, "node1")
    assert row["recovered"] >= 1
    assert (
        f"host.held node1: it is paused: host node1 by {signed('Ann')}: its cables"
        in (log.read_text())
    )


def test_abort_and_retry(
    cloud: Cloud, flavor: str, journal: Trigger, tmp_path: Path
) -> None:
    """It stands where it was aborted, and goes on from there."""
    boot_on(cloud, "node2", flavor, *(f"slow{n}" for n in range(5)))
    queued = journal.json("abort", "node2", *BY, "--expires", "1s")
    assert queued["answer"] == "queued: no trigger is active"
    time.sleep(1)  # a trigger that starts quickly would take it in time
    cloud.hardware.rebuild_seconds = 5
    with running(journal, tmp_path / "evacuator.log"):
        cloud.wait("the service", lambda: active(journal))
        refused = journal.nova_ha("abort", "node2", *BY, code=4)
        assert "node2: no recovery of it is open" in refused
        cloud.crash("node2")
        journal.nova_ha("confirm-fenced", "node2", *OFF[1:])
        cloud.force_down("node2")
        cloud.wait("evacuations", _moving(journal, "node2"))
        taken = journal.json("abort", "node2", *BY)
        assert taken["answer"].endswith("followed to the end")
        refused = journal.nova_ha("abort", "node2", *BY, code=4)
        assert f"node2: it was aborted by {signed('Ann')}: its cables" in refused
        cloud.hardware.rebuild_seconds = 0
        cloud.wait("its end", lambda: journal.outcome("node2") == "incomplete")
        (row,) = journal.json("history", "list", "--host", "node2")
        assert (row["recovered"] >= 1, row["left"] >= 1) == (True, True)
        taken = journal.json("retry", "node2", *BY)
        assert taken["answer"] == "it is taken up again"
        row = recovered(cloud, journal, "node2")
        assert (row["recovered"] >= 5, row["left"]) == (True, 0)
    events = journal.json("history", "events", "--kind", "command.refused")
    assert "nobody has taken the order in time" in [e["reason"] for e in events]


def _moving(trigger: Trigger, host: str) -> Callable[[], Any]:
    def moving() -> bool:
        found = {row["host"]: row for row in trigger.json("status")["hosts"]}
        row = found.get(host, {})
        return bool(row.get("asked") or row.get("moving"))

    return moving
