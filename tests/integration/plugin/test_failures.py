# SPDX-License-Identifier: Apache-2.0
"""What fails is said, and allows nothing unsafe."""

import contextlib

import pytest
import sqlalchemy
from nova import context as nova_context
from nova import objects
from nova.db.api import api as api_db
from oslo_config import cfg

from tests.integration.plugin.conductor import in_cell, live_migrating, select

UNKNOWN = "Cannot tell which operation is asked for server"


@contextlib.contextmanager
def unreadable_aggregates():
    """The API database works, but for one table."""

    def rename(old, new):
        with api_db.get_engine().begin() as connection:
            connection.execute(sqlalchemy.text(f"ALTER TABLE {old} RENAME TO {new}"))

    rename("aggregate_metadata", "lost")
    try:
        yield
    finally:
        rename("lost", "aggregate_metadata")


def test_a_failing_prefilter_costs_no_boot(op, cloud, log):
    uuid = op.boot("a1")
    with unreadable_aggregates():
        host = select(cloud, uuid)
    assert host
    assert host not in ("a9", "b9", "c9")  # the filters decide alone
    assert (
        f"Placement is not asked by the rules of nova-ha-scheduler for server {uuid}. "
        "The filters alone decide."
    ) in log()
    assert "cannot read the host aggregates: " in log()


def test_a_failing_look_up_of_the_zone_moves_nothing(op, cloud, log):
    """All is as in a live migration, but for the source's aggregates."""
    uuid = op.boot("a1")
    with live_migrating(uuid):
        with unreadable_aggregates():
            assert select(cloud, uuid, in_cell(uuid), ["a1"]) is None
        assert select(cloud, uuid, in_cell(uuid), ["a1"]) in ("a2", "a3")
    assert f"{UNKNOWN} {uuid}: cannot read the host" in log()


def test_an_ambiguous_move_goes_nowhere(op, cloud, log):
    """The scheduler is asked for a move, but the server is not moving."""
    uuid = op.boot("a1")
    assert select(cloud, uuid, in_cell(uuid), ["a1"]) is None
    assert f"{UNKNOWN} {uuid}: it is on a1, its " in log()
    assert (
        f"StorageZoneFilter: no host for move of an unknown kind of server {uuid}: "
        "the operation cannot be known: it is on a1"
    ) in log()


def test_hosts_to_ignore_without_a_cell_are_no_boot(op, cloud, log):
    uuid = op.boot("a1")
    assert select(cloud, uuid, None, ["a1"]) is None
    assert "its request has no cell, but ignores ['a1']" in log()


def test_a_move_across_cells_is_looked_up_in_its_own(op, cloud, log):
    """Nova leaves the cell out for a named host, if the user may cross cells."""
    uuid = op.boot("a1")
    destination = objects.Destination(cell=None, host="c1", node="c1")
    assert select(cloud, uuid, destination, ["a1"]) is None
    assert f"{UNKNOWN} {uuid}: it is on a1, its " in log()


@pytest.fixture
def dead_cell_database(cloud):
    """Make the scheduler's way to the first cell's database end in nothing."""
    context = nova_context.get_admin_context()
    cells = objects.CellMappingList.get_all(context)
    (cell,) = [cell for cell in cells if cell.name == "cell1"]
    working = cell.database_connection

    def point(url):
        cell.database_connection = url
        cell.save()
        nova_context.CELL_CACHE.clear()
        nova_context.CELLS = []
        cloud.scheduler.reset()

    yield lambda: point("sqlite:////nonexistent/nova.sqlite")
    point(working)


@pytest.mark.parametrize("prefilter", [True, False])
def test_a_dead_cell_database(op, cloud, scheduler, log, dead_cell_database, prefilter):
    """The other cell's hosts are there for the taking, and not taken."""
    scheduler({"placement_prefilter": prefilter})
    uuid = op.boot("a1")
    dead_cell_database()
    destination = in_cell(uuid, allow_cross_cell_move=True)
    assert select(cloud, uuid, destination, ["a1"]) is None
    assert f"{UNKNOWN} {uuid}: the database of cell " in log()
    assert (
        f"StorageZoneFilter: no host for move of an unknown kind of server {uuid}: "
        "the operation cannot be known: the database of cell"
    ) in log()


def test_a_bad_option_stops_the_scheduler(cloud, schedulers):
    """At its start, with the option's name; not at the first request."""
    try:
        with pytest.raises(cfg.ConfigFileValueError, match="zoneless_source"):
            cloud.restart_scheduler({"ha_scheduler": {"zoneless_source": "anywhere"}})
    finally:
        cloud.restart_scheduler()
