# SPDX-License-Identifier: Apache-2.0
"""A host under maintenance takes nothing."""

import pytest

from tests.lib.cloud.stubs import IMAGES


@pytest.fixture
def maintained(op, either_way):
    """b2 goes under maintenance, with a server on it."""
    uuid = op.boot("b2")
    op.aggregate({"ha:maintenance": "true"}, ["b2"])
    return uuid


def test_it_takes_no_boot(op, maintained, either_way, log):
    assert "No valid host" in op.boot_fails("b2")
    if not either_way:
        assert "HostMaintenanceFilter: no host for boot of server " in log()
        assert (
            "a host not under maintenance required: 1 host under maintenance" in log()
        )


@pytest.mark.parametrize("move", ["live_migrate", "cold_migrate"])
def test_it_takes_no_move(op, maintained, move):
    assert not getattr(op, move)(op.boot("b1"))


def test_it_takes_no_evacuation(op, cloud, maintained):
    uuid = op.boot("b1")
    with op.dead("b1"):
        assert not op.evacuate(uuid, "b2")
        # Nova has set it to ERROR, which an evacuation may leave.
        assert op.evacuate(uuid)
        assert cloud.host(uuid) == "b9"


def test_it_takes_no_unshelve(op, cloud, maintained):
    uuid = op.boot("b1")
    op.shelve(uuid)
    op.unshelve(uuid)
    assert cloud.host(uuid) != "b2"


def test_its_servers_may_be_rebuilt_in_place_and_leave(op, cloud, maintained):
    assert op.act(maintained, "rebuild", imageRef=IMAGES["second"]).ok
    cloud.wait_status(maintained, "ACTIVE")
    assert cloud.host(maintained) == "b2"
    assert op.live_migrate(maintained)
    assert cloud.host(maintained) == "b1"


def test_an_unreadable_window_is_a_window(op, either_way, log):
    op.aggregate({"ha:maintenance": "until monday"}, ["n2"])
    assert "No valid host" in op.boot_fails("n2")
    assert "ha:maintenance='until monday' is not a boolean" in log()
