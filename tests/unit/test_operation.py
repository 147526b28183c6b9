# SPDX-License-Identifier: Apache-2.0
"""Telling the moves apart: every row, and what is no row of the table.

That Nova really shows these rows is for tests/integration/plugin/test_operations.py.
"""

import pytest

from nova_ha_scheduler.lookup import NewestMigration, StoredServer
from nova_ha_scheduler.operation import Ambiguous, classify
from nova_ha_scheduler.rules.terms import Operation

LIVE = NewestMigration("live-migration", "accepted", "h1")
COLD = NewestMigration("migration", "pre-migrating", "h1")
RESIZE = NewestMigration("resize", "pre-migrating", "h1")
EVACUATION = NewestMigration("evacuation", "accepted", "h1")


def told(host, task_state, migration, ignored=(), forced=()):
    server = StoredServer(host, task_state, migration, has_local=False)
    return classify(server, list(ignored), list(forced))


@pytest.mark.parametrize(
    ("operation", "seen"),
    [
        (Operation.UNSHELVE, (None, "unshelving", None)),
        (Operation.UNSHELVE, (None, "unshelving", COLD)),
        (Operation.LIVE_MIGRATE, ("h1", "migrating", LIVE, ["h1"])),
        (Operation.LIVE_MIGRATE, ("h1", "migrating", LIVE, ["h1", "tried"])),
        (Operation.COLD_MIGRATE, ("h1", "resize_prep", COLD, ["h1"])),
        (Operation.RESIZE, ("h1", "resize_prep", RESIZE, ["h1"])),
        (Operation.RESIZE, ("h1", "resize_prep", RESIZE)),
        (Operation.EVACUATE, ("h1", "rebuilding", EVACUATION, ["h1"])),
        (Operation.REBUILD, ("h1", "rebuilding", None, [], ["h1"])),
        (Operation.REBUILD, ("h1", "rebuilding", EVACUATION, [], ["h1"])),
    ],
)
def test_rows(operation, seen):
    assert told(*seen) is operation


@pytest.mark.parametrize(
    "seen",
    [
        (None, None, None),
        (None, "rebuilding", EVACUATION),
        ("h1", None, None),
        ("h1", "unshelving", None),
        ("h1", "migrating", None, ["h1"]),
        ("h1", "migrating", COLD, ["h1"]),
        ("h1", "resize_prep", LIVE, ["h1"]),
        ("h1", "rebuilding", None, ["h1"]),
        ("h1", "rebuilding", LIVE, ["h1"]),
        ("h1", "rebuilding", EVACUATION),
        ("h1", "rebuilding", NewestMigration("evacuation", "done", "h1"), ["h1"]),
        # The record is of an earlier evacuation, from another host.
        ("h2", "rebuilding", EVACUATION, ["h2"]),
        ("h1", "rebuilding", None, [], ["h2"]),
        # Names match whole, and by case.
        ("h1", "rebuilding", EVACUATION, ["h10", "H1"]),
        ("h1", "rebuilding", None, [], ["h1", "h2"]),
    ],
)
def test_no_row(seen):
    with pytest.raises(Ambiguous, match="task_state"):
        told(*seen)
