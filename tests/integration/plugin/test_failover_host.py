# SPDX-License-Identifier: Apache-2.0
"""The reserve is closed to everything but evacuation."""

import pytest

from tests.lib.cloud.stubs import IMAGES

RESERVE = {"a9", "b9", "c9"}


def test_boots_stay_off_the_reserve(op, cloud, either_way):
    servers = op.boot_several(10)
    assert len(servers) == 10
    assert not {cloud.host(uuid) for uuid in servers} & RESERVE


def test_a_boot_on_a_reserved_host_is_refused(op, either_way, log):
    message = op.boot_fails("a9")
    assert "No valid host" in message
    if not either_way:
        assert (
            "a host outside the reserve required: 1 host reserved for failover"
        ) in log()


def test_a_full_cloud_does_not_open_the_reserve(op, either_way):
    op.aggregate({"ha:reserved": "true"}, ["a1", "a2", "a3", "b1", "b2"])
    op.aggregate({"ha:maintenance": "true"}, ["n1", "n2", "c1", "c2"])
    assert "No valid host" in op.boot_fails()


@pytest.mark.parametrize("move", ["live_migrate", "cold_migrate"])
def test_a_move_to_a_reserved_host_is_refused(op, cloud, either_way, move):
    uuid = op.boot("a1")
    assert not getattr(op, move)(uuid, "a9")
    op.aggregate({"ha:maintenance": "true"}, ["a2", "a3"])
    assert not getattr(op, move)(uuid)
    assert cloud.host(uuid) == "a1"


def test_unshelving_stays_off_the_reserve(op, cloud, either_way):
    uuid = op.boot("a1")
    op.shelve(uuid)
    op.unshelve(uuid)
    assert cloud.host(uuid) not in RESERVE


def test_evacuations_prefer_the_reserve(op, cloud, either_way):
    uuid = op.boot("a1")
    with op.dead("a1"):
        assert op.evacuate(uuid)
        assert cloud.host(uuid) == "a9"


def test_the_reserve_in_use_stays_closed(op, cloud, either_way):
    uuid = op.boot("a1")
    with op.dead("a1"):
        assert op.evacuate(uuid)
    assert cloud.host(uuid) == "a9"
    assert "No valid host" in op.boot_fails("a9")
    # What is there already may be rebuilt and resized in place, and may leave.
    op.act(uuid, "os-start")
    cloud.wait_status(uuid, "ACTIVE")
    assert op.act(uuid, "rebuild", imageRef=IMAGES["second"]).ok
    cloud.wait_status(uuid, "ACTIVE")
    assert cloud.host(uuid) == "a9"
    op.aggregate({"ha:maintenance": "true"}, ["a1", "a2", "a3"])
    assert op.resize(uuid)
    assert cloud.host(uuid) == "a9"


def test_live_migration_may_be_let_in(op, cloud, scheduler):
    scheduler({"live_migrate_to_reserve": True})
    uuid = op.boot("a1")
    assert op.live_migrate(uuid, "a9")
    assert not op.cold_migrate(op.boot("a1"), "a9")


@pytest.mark.parametrize("prefilter", [True, False])
def test_the_reserve_may_be_kept_for_ha_servers(op, cloud, scheduler, prefilter):
    scheduler({"reserve_for_ha_only": True, "placement_prefilter": prefilter})
    plain, protected = op.boot("a1"), op.boot("a1", flavor="ha")
    with op.dead("a1"):
        assert op.evacuate(plain)
        assert cloud.host(plain) in ("a2", "a3")
        assert op.evacuate(protected)
        assert cloud.host(protected) == "a9"


@pytest.mark.parametrize("value", ["maybe", ""])
def test_an_unreadable_flag_closes_the_host(op, either_way, log, value):
    op.aggregate({"ha:reserved": value}, ["n1"])
    assert "No valid host" in op.boot_fails("n1")
    assert f"ha:reserved={value!r} is not a boolean" in log()


def test_a_host_leaves_the_reserve_while_the_scheduler_runs(op, cloud, either_way):
    op.leave("reserve", "a9")
    assert cloud.host(op.boot("a9")) == "a9"


def test_a_host_joins_the_reserve_while_the_scheduler_runs(op, either_way):
    op.boot("a1")
    op.aggregate({"ha:reserved": "true"}, ["a1"])
    assert "No valid host" in op.boot_fails("a1")
