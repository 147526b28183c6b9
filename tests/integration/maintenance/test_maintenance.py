# SPDX-License-Identifier: Apache-2.0
"""Maintenance on a real Nova: drained, given back, ended by itself, refused."""

from tests.integration.maintenance.conftest import (  # isort: skip  (prepares for Nova)
    HOSTS,
    Trigger,
    act,
    boot,
    is_flagged,
    is_free,
    service,
)

import time

import pytest

from nova_ha_scheduler.cli.who import signed
from nova_ha_scheduler.journal.history import HistoryQuery
from tests.lib.cloud import Cloud

ORDER = ("--by", "ann", "--reason", "new memory")


def test_a_host_with_twenty_servers(
    cloud: Cloud, flavor: str, trigger: Trigger
) -> None:
    """Running, stopped, one locked, and one that cannot move, which is named."""
    running = [f"web{n}" for n in range(15)]
    stopped = ["db1", "db2", "db3"]
    ids = boot(cloud, flavor, "node1", *running, *stopped, "locked", "asleep")
    disks = {uuid: cloud.disk(uuid).read_bytes() for uuid in ids.values()}
    for name in stopped:
        act(cloud, ids[name], "os-stop", "SHUTOFF")
    act(cloud, ids["locked"], "lock")
    act(cloud, ids["asleep"], "suspend", "SUSPENDED")
    with trigger.running():
        found = trigger.maintenance("start", "node1", *ORDER, "--drain", "--wait")
        assert found.code == 3, found.err
        assert "node1: left: asleep (Nova moves no server in state " in found.err
        outcomes = {row["name"]: row["outcome"] for row in found.json}
        assert outcomes == dict.fromkeys(ids, "moved") | {"asleep": "left"}
        (left,) = [row for row in found.json if row["outcome"] == "left"]
        assert left["reason"] == "Nova moves no server in state suspended"
        seen = service(cloud, "node1")
        assert seen["status"] == "disabled"
        why = f"nova-ha: maintenance by {signed('ann')}: new memory"
        assert seen["disabled_reason"] == why
        assert is_flagged(cloud, "node1")
        for name, uuid in ids.items():
            server = cloud.server(uuid)
            if name == "asleep":
                assert server["OS-EXT-SRV-ATTR:host"] == "node1"
                continue
            assert server["OS-EXT-SRV-ATTR:host"] in HOSTS[1:], name
            status = "SHUTOFF" if name in stopped else "ACTIVE"
            assert (server["status"], name) == (status, name)
            assert cloud.disk(uuid).read_bytes() == disks[uuid]
        assert cloud.server(ids["locked"])["locked"]
        (row,) = trigger.maintenance("list").json
        assert (row["state"], row["progress"]) == ("open", "19 moved, 1 left: no move")
        again = trigger.maintenance("start", "node1", *ORDER)
        assert again.code == 4
        assert "it is under maintenance already: since 20" in again.err
        assert f"Z by {signed('ann')}: new memory" in again.err
        ended = trigger.maintenance("end", "node1", "--wait")
        assert ended.code == 0, ended.err
        assert ended.json["state"] == "ended"
    assert is_free(cloud, "node1")
    assert boot(cloud, flavor, "node1", "new")
    shown = trigger.maintenance("show", "node1").json
    kinds = [event["kind"] for event in shown["events"]]
    assert kinds[0] == "maintenance.starting"
    assert kinds[-1] == "maintenance.ended"
    assert kinds.count("move.confirming") == len(stopped)


def test_servers_that_may_come_back(
    cloud: Cloud, flavor: str, trigger: Trigger
) -> None:
    """Resized away from the host, and neither confirmed nor reverted: it is not empty
    before both are. What else is on it leaves it."""
    larger = cloud.flavor("larger", {"ha": "true"}, ram=128)
    ids = boot(cloud, flavor, "node3", "kept", "sent-back", "deleted")
    for uuid in ids.values():
        body = {"resize": {"flavorRef": larger}}
        assert cloud.nova("POST", f"/servers/{uuid}/action", body).ok
        assert cloud.wait_status(uuid, "VERIFY_RESIZE")
        assert cloud.host(uuid) not in ("node3", "")
    cloud.delete(ids.pop("deleted"))
    places = {name: cloud.host(uuid) for name, uuid in ids.items()}
    with trigger.running():
        found = trigger.maintenance("start", "node3", *ORDER, "--drain", "--wait")
        assert found.code == 3, found.err
        assert "it is empty" not in found.err
        rows = {row["name"]: row for row in found.json}
        assert "deleted" not in rows
        for name in ids:
            row = rows[name]
            why = f"it is on {places[name]} in VERIFY_RESIZE, and would come back"
            assert row["outcome"] == "waiting"
            assert row["reason"].startswith(why)
            assert "openstack server resize confirm" in row["reason"]
            assert f"{name} ({why}" in found.err
        (listed,) = trigger.maintenance("list", "--host", "node3").json
        assert listed["progress"].startswith("2 waiting")
        act(cloud, ids["kept"], "confirmResize", "ACTIVE")
        act(cloud, ids["sent-back"], "revertResize", "ACTIVE")
        history = trigger.history()
        query = HistoryQuery(host="node3", outcome="maintenance.drained", limit=None)

        def drained() -> list[str]:
            return [event.reason for _, event in reversed(history.events(query))]

        def is_empty() -> bool:
            return drained()[-1].startswith("empty: ")

        cloud.wait("it is empty", is_empty)
        assert " moved, left: kept (it is on " in drained()[0]
        assert not any(reason.startswith("empty") for reason in drained()[:-1])
        assert cloud.host(ids["sent-back"]) not in ("node3", "")
        shown = trigger.maintenance("show", "node3").json
        outcomes = {row["name"]: row["outcome"] for row in shown["servers"]}
        assert outcomes["kept"] == "left"
        assert outcomes["sent-back"] == "moved"
        assert trigger.maintenance("end", "node3", "--wait").code == 0
    assert is_free(cloud, "node3")
    for uuid in ids.values():
        cloud.delete(uuid)


def test_without_a_service(cloud: Cloud, flavor: str, trigger: Trigger) -> None:
    """The command does it itself; a service that was disabled stays so."""
    (uuid,) = boot(cloud, flavor, "node2", "lonely").values()
    by_person = {"status": "disabled", "disabled_reason": "bad fan"}
    path = f"/os-services/{service(cloud, 'node2')['id']}"
    assert cloud.nova("PUT", path, by_person).ok
    order = ("start", "node2", *ORDER, "--drain")
    found = trigger.maintenance(*order)
    assert found.code == 0, found.err
    assert "node2: no trigger runs: its servers stay until one does" in found.err
    moves = cloud.nova("GET", f"/os-migrations?instance_uuid={uuid}").json()
    assert moves["migrations"] == []
    found = trigger.maintenance(*order, "--wait")
    assert found.code == 0, found.err
    assert "node2: it is under maintenance already" in found.err
    assert "node2: it is empty" in found.err
    assert cloud.host(uuid) not in ("node2", "")
    ended = trigger.maintenance("end", "node2")
    assert ended.code == 0, ended.err
    seen = service(cloud, "node2")
    assert (seen["status"], seen["disabled_reason"]) == ("disabled", "bad fan")
    assert not is_flagged(cloud, "node2")
    assert cloud.nova("PUT", path, {"status": "enabled"}).ok


def test_its_time_is_over_while_no_trigger_runs(cloud: Cloud, trigger: Trigger) -> None:
    started = trigger.maintenance("start", "node3", *ORDER, "--until", "4s")
    assert started.code == 0, started.err
    assert is_flagged(cloud, "node3")
    time.sleep(4)
    assert is_flagged(cloud, "node3")
    with trigger.running():
        cloud.wait("the end", lambda: is_free(cloud, "node3"))
    shown = trigger.maintenance("show", "node3").json
    (event,) = [e for e in shown["events"] if e["kind"] == "maintenance.ending"]
    assert event["reason"] == "its time is over"


def test_a_host_that_dies_under_maintenance(
    cloud: Cloud, flavor: str, trigger: Trigger
) -> None:
    """It is left alone, which is told, and stays flagged until it is up again."""
    (uuid,) = boot(cloud, flavor, "node4", "patient").values()
    history = trigger.history
    with trigger.running():
        assert trigger.maintenance("start", "node4", *ORDER).code == 0
        cloud.crash("node4")
        cloud.force_down("node4")
        query = HistoryQuery(host="node4", outcome="host.seen")
        cloud.wait("what is seen", lambda: history().events(query))

        def held() -> bool:  # until its last heartbeat is old, it was only forced down
            ended = trigger.maintenance("end", "node4")
            assert ended.code == 3, ended.err
            return "it is down, and stays under maintenance until it is up" in ended.err

        cloud.wait("what holds it", held)
        assert cloud.host(uuid) == "node4"
        assert is_flagged(cloud, "node4")
        cloud.revive("node4")
        cloud.force_down("node4", False)
        cloud.wait("the end", lambda: is_free(cloud, "node4"))
    assert history().recoveries(HistoryQuery(host="node4")) == []


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("start", "node9", *ORDER), 4, "node9: no nova-compute service has exactly"),
        (("start", "NODE1", *ORDER), 4, "exactly this host name (perhaps node1?)"),
        (("start", "node1.example.org", *ORDER), 4, "(perhaps node1?)"),
        (("start", "node1"), 2, "--reason"),
        (("start", "node1", "--reason", " "), 2, "it is empty"),
        (("start", "node1", *ORDER, "--wait"), 2, "--wait is for --drain"),
        (("start", "node1", *ORDER, "--until", "2020-01-01"), 2, "is past"),
        (("start", "node1", *ORDER, "--until", "noon"), 2, "noon is no time like"),
        (("end", "node1"), 4, "no maintenance of it is open"),
        (("end", "node9"), 4, "node9: no nova-compute service has exactly"),
        (("show", "node9"), 2, "no maintenance of node9 was started here"),
    ],
)
def test_bad_input(
    trigger: Trigger, arguments: tuple[str, ...], code: int, words: str
) -> None:
    if arguments[0] == "show":
        assert trigger.maintenance("end", "node1").code == 4  # makes the journal
    found = trigger.maintenance(*arguments)
    assert (found.code, words in found.err) == (code, True), found.err
    assert "Traceback" not in found.err


def test_a_flag_of_somebody_else(cloud: Cloud, trigger: Trigger) -> None:
    """It has to be given back by who set it."""
    aggregate = cloud.aggregate("by hand", {"ha:maintenance": "true"}, ["node3"])
    found = trigger.maintenance("end", "node3")
    assert found.code == 4
    assert "a person has flagged it in an aggregate" in found.err
    assert trigger.maintenance("start", "node3", *ORDER).code == 0
    assert trigger.maintenance("end", "node3").code == 0
    assert is_flagged(cloud, "node3")
    compute = cloud.openstack().compute
    compute.remove_host_from_aggregate(aggregate, "node3")
    compute.delete_aggregate(aggregate)
    assert is_free(cloud, "node3")
