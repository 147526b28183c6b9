# SPDX-License-Identifier: Apache-2.0
"""The plugin beside the rest of the scheduler: groups, forced hosts, threads, load."""

import concurrent.futures

import pytest
import sqlalchemy

from nova_ha_scheduler.operation import describe
from nova_ha_scheduler.rules.terms import Operation
from tests.integration.plugin.conductor import in_cell, live_migrating, request


def group(cloud, op, policy):
    body = {"server_group": {"name": "group", "policy": policy}}
    answer = cloud.nova("POST", "/os-server-groups", body)
    assert answer.ok, answer.text
    uuid = answer.json()["server_group"]["id"]
    op._cleanup.callback(cloud.nova, "DELETE", f"/os-server-groups/{uuid}")
    return {"group": uuid}


def test_anti_affinity_holds_within_the_zone(op, cloud, either_way):
    hints = group(cloud, op, "anti-affinity")
    first, second = op.boot("a1", hints=hints), op.boot("a2", hints=hints)
    assert op.live_migrate(first)
    assert cloud.host(first) == "a3"
    with op.dead("a2"):
        assert op.evacuate(second)
        assert cloud.host(second) in ("a1", "a9")


def test_affinity_and_zone_together_leave_no_host(op, cloud, either_way):
    hints = group(cloud, op, "affinity")
    first, second = op.boot("a1", hints=hints), op.boot("a1", hints=hints)
    assert not op.live_migrate(first)
    assert cloud.host(first) == cloud.host(second) == "a1"


def test_several_servers_of_a_group_at_once(op, cloud, either_way):
    servers = op.boot_several(4, hints=group(cloud, op, "anti-affinity"))
    hosts = {cloud.host(uuid) for uuid in servers}
    assert len(hosts) == 4
    assert not hosts & {"a9", "b9", "c9"}


def test_a_forced_boot_meets_no_filter_but_placement(op, cloud, either_way):
    """As the README says: what Nova lets past every filter, the pre-filter catches."""
    uuid = op.ask_boot(availability_zone="nova:a9")
    cloud.wait("the boot", lambda: cloud.server(uuid)["status"] != "BUILD")
    assert cloud.server(uuid)["status"] == ("ERROR" if either_way else "ACTIVE")


@pytest.mark.parametrize("microversion", ["2.67", "2.68"])
def test_a_forced_evacuation(op, cloud, microversion):
    """As the README says: up to 2.67 it meets nothing, and the disk is lost."""
    uuid = op.boot("a1")
    disk = cloud.disk(uuid).read_bytes()
    with op.dead("a1"):
        answer = op.act(uuid, "evacuate", microversion, host="b1", force=True)
        assert answer.status_code == (200 if microversion == "2.67" else 400)
        if answer.ok:
            cloud.wait(
                "the evacuation",
                lambda: cloud.server(uuid)["OS-EXT-STS:task_state"] is None,
            )
            assert cloud.host(uuid) == "b1"
            assert cloud.disk(uuid).read_bytes() != disk


@pytest.fixture
def statements():
    """Collect the queries to all databases; call it to read and empty.

    But for those of the services' heartbeats, which beat meanwhile.
    """
    seen = []

    def note(connection, cursor, statement, *rest):
        if statement.startswith("SELECT") and "FROM services" not in statement:
            seen.append(statement)

    event = (sqlalchemy.engine.Engine, "before_cursor_execute", note)
    sqlalchemy.event.listen(*event)

    def read():
        taken = list(seen)
        seen.clear()
        return taken

    yield read
    sqlalchemy.event.remove(*event)


def test_look_ups(op, statements):
    uuid = op.boot("a1")
    boot = request(uuid)
    statements()
    scheduling = describe(boot, 10)
    assert statements() == []
    assert len(scheduling.aggregates.tagged) == 5
    # The pre-filter's, whatever the number of hosts; and once.
    assert len(statements()) == 1
    assert describe(boot, 10).aggregates is scheduling.aggregates
    assert statements() == []

    with live_migrating(uuid):
        move = request(uuid, in_cell(uuid), ["a1"])
        statements()
        scheduling = describe(move, 10)
        # The server, its newest migration, the tagged aggregates; and once.
        assert len(statements()) == 3
        assert scheduling.request.operation is Operation.LIVE_MIGRATE
        assert scheduling.request.source_facts.zones == {"nfs-a"}
        assert len(scheduling.aggregates.tagged) == 5
        assert describe(move, 10) is scheduling
        assert statements() == []


def test_filters_are_called_from_several_threads(op, cloud, either_way):
    """Moves out of different zones, at once: no request sees another's zone."""
    servers = {op.boot(host): host[0] for host in ("a1", "b1", "c1") * 2}
    with concurrent.futures.ThreadPoolExecutor(len(servers)) as pool:
        moved = list(pool.map(op.live_migrate, servers))
    assert all(moved)
    assert {uuid: cloud.host(uuid)[0] for uuid in servers} == servers
