# SPDX-License-Identifier: Apache-2.0
"""What nova-ha plan and explain say of a real cloud, and a plan that is carried out."""

from tests.integration.trigger.conftest import HOSTS, OUTSIDE, boot_on  # isort: skip

import json
from pathlib import Path
from typing import Any

import pytest

from nova_ha_scheduler.cli.who import signed
from nova_ha_scheduler.cluster import snapshot
from tests.integration.trigger.conftest import MakeTrigger, Trigger
from tests.lib.cloud import Cloud

BY = ("--by", "J. Doe", "--reason", "pulled both cords")


def _rows(configured: Trigger, *arguments: str) -> dict[str, dict[str, Any]]:
    found = configured.json("plan", "--all", *arguments)
    return {row["name"]: row for row in found}


def test_plan(cloud: Cloud, flavor: str, trigger: MakeTrigger, tmp_path: Path) -> None:
    """From the cloud as it is, from a snapshot of it, and as a dry run: the same."""
    plain = cloud.flavor("plain")
    boot_on(cloud, "node1", flavor, "one", "two")
    boot_on(cloud, "node1", plain, "scratch")
    configured = trigger()
    live = _rows(configured, "node1")
    assert {"one", "two", "scratch"} <= set(live)
    assert {row["outcome"] for row in live.values()} == {"evacuate", "leave"}
    assert live["one"]["candidates"] == len(HOSTS) - 1
    assert live["scratch"]["reason"] == ["its flavor does not say ha=true"]
    dry = configured.json("evacuate", "node1", "--dry-run")
    assert {row["name"]: row["to"] for row in dry} == {
        name: row["to"] for name, row in live.items()
    }
    file = tmp_path / "cloud.json"
    configured.nova_ha("snapshot", str(file))
    assert _rows(configured, "node1", "--from-file", str(file)) == live
    together = _rows(configured, "node1", "node2", "--from-file", str(file))
    assert not {"node1", "node2"} & {row["to"] for row in together.values()}
    shown = configured.nova_ha("plan", "Node1", code=2)
    assert "exactly this host name (perhaps node1?)" in shown
    assert not configured.journal.exists()


WIDE = ("--max-width", "300")
"""So that no sentence is wrapped."""


def test_what_does_not_fit(cloud: Cloud, trigger: MakeTrigger) -> None:
    """Nobody has a trait that has come to the server's flavor."""
    place = "/traits/CUSTOM_RARE"
    assert cloud.placement("PUT", place).ok
    (node,) = (
        n.id
        for n in cloud.openstack().compute.hypervisors(details=True)
        if n.service_details["host"] == "node2"
    )
    path = f"/resource_providers/{node}/traits"
    traits = cloud.placement("GET", path).json()
    traits["traits"].append("CUSTOM_RARE")
    assert cloud.placement("PUT", path, traits).ok
    specs = {"ha": "true", "trait:CUSTOM_RARE": "required"}
    boot_on(cloud, "node2", cloud.flavor("rare", specs), "rare")
    configured = trigger()
    shown = configured.nova_ha("plan", "node2", *WIDE, code=3)
    assert "without trait CUSTOM_RARE" in shown
    shown = configured.nova_ha("explain", "rare", *WIDE, code=3)
    assert "without CUSTOM_RARE" in shown
    assert "0 hosts can take it" in shown


def test_explain(cloud: Cloud, flavor: str, trigger: MakeTrigger) -> None:
    first, second = boot_on(cloud, "node3", flavor, "same", "other")
    cloud.nova("PUT", f"/servers/{second}", {"server": {"name": "same"}})
    configured = trigger()
    shown = configured.nova_ha("explain", "same", code=1)
    assert first in shown
    assert second in shown
    rows = {row["host"]: row for row in configured.json("explain", first)}
    assert rows["node3"]["why"] == "it is there"
    assert rows["node4"]["verdict"] == "yes"
    assert rows["alone"]["check"] == "storage zone"
    checks = configured.json("explain", first, "--host", "node4")
    assert {row["verdict"] for row in checks} == {"yes"}
    assert {"MEMORY_MB", "VCPU", "DISK_GB"} <= {row["check"] for row in checks}
    shown = configured.nova_ha("explain", "sam", code=2)
    assert "exactly this name" in shown


def test_apply(cloud: Cloud, flavor: str, trigger: MakeTrigger, tmp_path: Path) -> None:
    """Only what still holds is ordered; and it becomes what was planned."""
    names = [f"kept{n}" for n in range(5)]
    ids = boot_on(cloud, "node4", flavor, *names)
    configured, file = trigger(), tmp_path / "node4.plan"
    configured.nova_ha("plan", "node4", "--out", str(file))
    planned = {
        step["server"]: step["destination"]
        for step in json.loads(file.read_text())["steps"]
        if step["outcome"] == "evacuate"
    }
    assert set(ids) <= set(planned)
    order = ("plan", "--apply", str(file), "--confirm-fenced", *BY)
    configured.nova_ha("plan", "--apply", str(file), *BY, code=2)
    configured.nova_ha(*order, "node4", code=2)
    (late,) = boot_on(cloud, "node4", flavor, "late")
    shown = configured.nova_ha(*order, "--wait", code=1)
    assert "late is new" in shown
    assert "nothing was ordered" in shown
    assert not configured.journal.exists()
    cloud.delete(late)
    cloud.crash("node4")
    cloud.force_down("node4")
    configured.nova_ha(*order, "--wait")
    assert {server: cloud.host(server) for server in planned} == planned
    statuses = {cloud.server(server)["status"] for server in ids}
    assert statuses == {"ACTIVE"}
    shown = configured.nova_ha(*order, code=1)
    assert "is not on its host any more" in shown
    kept = tmp_path / "after.json"
    configured.nova_ha("snapshot", str(kept))
    done = {
        (record.server, record.destination)
        for record in snapshot.load(kept.read_text()).migrations
        if (record.source, record.status) == ("node4", "done")
    }
    assert done == set(planned.items())


def test_where_a_person_wants_them(
    cloud: Cloud, flavor: str, trigger: MakeTrigger
) -> None:
    """By the rules and by what fits; for all of them, or for some."""
    first, second = boot_on(cloud, "node5", flavor, "mine1", "mine2")
    configured = trigger()
    order = ("evacuate", "node5", "--confirm-fenced", *BY)
    one = ("--server", "mine1")
    for wrong, words in (
        (one, "--server needs --to"),
        (("--to", "node70"), "no nova-compute service has exactly this host name"),
        (("--to", "node7", "--server", "mine"), "on node5 (perhaps mine1 or mine2?)"),
    ):
        assert words in configured.nova_ha(*order, *wrong, code=2)
    for more in (("--wait",), ("--dry-run",)):
        said = configured.nova_ha(*order, "--to", OUTSIDE, *more, *WIDE, code=4)
        assert f"mine1 does not go to {OUTSIDE}: " in said
        assert "nothing is ordered" in said
    assert not configured.journal.exists()
    dry = configured.json(*order, "--to", "node7", *one, "--dry-run")
    where = {row["name"]: row["to"] for row in dry}
    assert where["mine1"] == "node7"
    assert where["mine2"] not in ("", None, "node5")
    cloud.crash("node5")
    cloud.force_down("node5")
    done = configured.json(*order, "--to", "node7", "--server", second, "--wait")
    assert {row["outcome"] for row in done} == {"recovered"}
    assert cloud.host(second) == "node7"
    assert cloud.host(first) == next(r["to"] for r in done if r["server"] == first)
    events = configured.json("history", "events", "--host", "node5")
    assert f"evacuate to node7 by {signed('J. Doe')}: pulled both cords" in {
        event["how"] for event in events
    }


@pytest.mark.parametrize("broken", ["", "{", '{"schema": "nova-ha-snapshot"}'])
def test_what_is_no_plan(trigger: MakeTrigger, tmp_path: Path, broken: str) -> None:
    file = tmp_path / "broken.plan"
    file.write_text(broken)
    order = ("plan", "--apply", str(file), "--confirm-fenced", *BY)
    assert str(file) in trigger().nova_ha(*order, code=1)


def test_the_scheduler_chooses(cloud: Cloud, flavor: str, trigger: MakeTrigger) -> None:
    ids = boot_on(cloud, "node6", flavor, "any1", "any2")
    choice = {"planned_destinations": False, "unnamed_requests": True}
    configured = trigger(evacuation=choice)
    cloud.crash("node6")
    cloud.force_down("node6")
    done = configured.json("evacuate", "node6", "--confirm-fenced", "--wait", *BY)
    assert {s["outcome"] for s in done} == {"recovered"}
    assert {s["to"] for s in done if s["server"] in ids} == {
        cloud.host(server) for server in ids
    }
    events = configured.json("history", "events")
    said = [e["how"] for e in events if e["kind"] == "server.asked"]
    assert all(words.endswith("has room; the scheduler chooses") for words in said)
