# SPDX-License-Identifier: Apache-2.0
"""What the scheduler sees for each operation, on the Nova that is installed.

Each row here is a fact that nova_ha_scheduler.operation builds on. If one fails on a
new Nova, that module has to learn it before anything is safe.
"""

import pytest

from tests.integration.plugin.recorder import Row, rows
from tests.lib.cloud.stubs import IMAGES


def seen(uuid, count=1):
    """The rows recorded for a server, the hosts left out."""
    recorded = rows[uuid]
    assert len(recorded) == count, recorded
    return recorded[-1]


def same(row, **expected):
    fields = Row(
        **{
            "operation": "boot",
            "source": None,
            "has_cell": False,
            "ignore_hosts": (),
            "force_hosts": (),
            "hint": (),
            **expected,
        },
        hosts_seen=row.hosts_seen,
    )
    assert row == fields


def test_boot(op):
    same(seen(op.boot()))


def test_boot_of_several(op):
    servers = op.boot_several(3)
    assert len(servers) == 3
    # One scheduling call, and the filters run once for it.
    (recorded,) = [rows[uuid] for uuid in servers if uuid in rows]
    assert len(recorded) == 1
    same(recorded[0])


def test_boot_on_a_host(op):
    row = seen(op.boot("a2"))
    same(row)
    assert row.hosts_seen == {"a2"}


def test_boot_forced_on_a_host_passes_by_all_filters(op, cloud):
    uuid = op.ask_boot(availability_zone="nova:a2")
    cloud.wait_status(uuid, "ACTIVE")
    assert cloud.host(uuid) == "a2"
    assert uuid not in rows


def test_live_migrate(op):
    uuid = op.boot("a1")
    assert op.live_migrate(uuid)
    row = seen(uuid, 2)
    same(
        row,
        operation="live migrate",
        source="a1",
        has_cell=True,
        ignore_hosts=("a1",),
        host="a1",
        task_state="migrating",
        migration=("live-migration", "accepted"),
    )
    assert "a1" not in row.hosts_seen


def test_cold_migrate(op):
    uuid = op.boot("a1")
    assert op.cold_migrate(uuid)
    row = seen(uuid, 2)
    same(
        row,
        operation="cold migrate",
        source="a1",
        has_cell=True,
        ignore_hosts=("a1",),
        host="a1",
        task_state="resize_prep",
        migration=("migration", "pre-migrating"),
    )


@pytest.mark.parametrize("same_host", [True, False])
def test_resize(op, cloud, same_host):
    from nova.conf import CONF

    CONF.set_override("allow_resize_to_same_host", same_host)
    op._cleanup.callback(CONF.clear_override, "allow_resize_to_same_host")
    uuid = op.boot("a1")
    assert op.resize(uuid)
    row = seen(uuid, 2)
    same(
        row,
        operation="resize",
        source="a1",
        has_cell=True,
        ignore_hosts=() if same_host else ("a1",),
        host="a1",
        task_state="resize_prep",
        migration=("resize", "pre-migrating"),
    )
    assert ("a1" in row.hosts_seen) == same_host


def test_rebuild_with_a_new_image(op, cloud):
    uuid = op.boot("a1")
    assert op.act(uuid, "rebuild", imageRef=IMAGES["second"]).ok
    cloud.wait_status(uuid, "ACTIVE")
    row = seen(uuid, 2)
    same(
        row,
        operation="rebuild in place",
        source="a1",
        has_cell=True,
        force_hosts=("a1",),
        hint=("rebuild",),
        host="a1",
        task_state="rebuilding",
    )
    assert row.hosts_seen == {"a1"}


def test_unshelve(op):
    uuid = op.boot("a1")
    op.shelve(uuid)
    op.unshelve(uuid)
    same(
        seen(uuid, 2),
        operation="unshelve",
        has_cell=True,
        host=None,
        task_state="unshelving",
    )


@pytest.mark.parametrize("host", [None, "a2"])
def test_evacuate(op, cloud, host):
    uuid = op.boot("a1")
    with op.dead("a1"):
        assert op.evacuate(uuid, host)
        row = seen(uuid, 2)
    same(
        row,
        operation="evacuate",
        source="a1",
        has_cell=True,
        ignore_hosts=("a1",),
        host="a1",
        task_state="rebuilding",
        migration=("evacuation", "accepted"),
    )
    assert "a1" not in row.hosts_seen


def test_a_second_move_is_told_by_its_newest_migration(op):
    uuid = op.boot("a1")
    assert op.cold_migrate(uuid)
    source = op.cloud.host(uuid)
    assert op.live_migrate(uuid)
    row = seen(uuid, 3)
    assert (row.operation, row.source) == ("live migrate", source)


def test_a_rebuild_after_an_evacuation_is_a_rebuild(op, cloud):
    uuid = op.boot("a1")
    with op.dead("a1"):
        assert op.evacuate(uuid, "a2")
    assert op.act(uuid, "rebuild", imageRef=IMAGES["second"]).ok
    cloud.wait(
        "the rebuild",
        lambda: cloud.server(uuid)["OS-EXT-STS:task_state"] is None,
    )
    row = seen(uuid, 3)
    assert (row.operation, row.source) == ("rebuild in place", "a2")


def test_a_tenant_cannot_pass_off_an_evacuation_as_a_rebuild(op, cloud):
    """Hints stay with the server; should Nova let this one in, it changes nothing."""
    uuid = op.boot("a1", hints={"_nova_check_type": "rebuild"})
    assert seen(uuid).operation == "boot"
    with op.dead("a1"):
        assert op.evacuate(uuid)
    assert seen(uuid, 2).operation == "evacuate"
    assert cloud.host(uuid) in ("a2", "a3", "a9")
