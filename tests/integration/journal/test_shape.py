# SPDX-License-Identifier: Apache-2.0
"""An older version refuses what it cannot read, before it begins; a newer one reads
what older ones have written."""

import re

import pytest

from nova_ha_scheduler.journal import schema, tables
from tests.integration.journal import shape

NEWEST = schema.revisions()[-1]

REWRITTEN = {
    "013": {"Reason.INTERRUPTED", "ServerPhase.INTERRUPTED"},
    "025": {"HostRecovery.late"},
}
"""Members and fields that are gone, by the migration that rewrites what has them;
test_migrations.py tests that."""


def test_a_new_shape_has_a_new_migration():
    kept = set(shape.kept(NEWEST))
    today = set(shape.today())
    changes = [f"+ {line}" for line in sorted(today - kept)]
    changes += [f"- {line}" for line in sorted(kept - today)]
    assert not changes, (
        f"The journal's records have changed since migration {NEWEST}, and a version "
        "that has no other migrations would break on them in the middle. Add "
        f"migrations/versions/{int(NEWEST) + 1:03}_*.py, which may do nothing, and run "
        "python -m tests.integration.journal.shape. Where only a name of Python's has "
        "changed, correct it in tests/integration/journal/shapes.\n"
        + "\n".join(changes)
    )


@pytest.mark.parametrize("number", sorted(p.stem for p in shape.FOLDER.iterdir()))
def test_what_an_older_version_has_written_can_be_read(number):
    """004 is what commit e2f52bf wrote. A migration that rewrites records is beyond
    this, and has a test of its own."""

    def names(lines):
        return {re.sub(r"\??:.*", "", line) for line in lines}

    gone = [names for by, names in REWRITTEN.items() if by > number]
    old, today = names(shape.kept(number)).difference(*gone), shape.today()
    assert old <= names(today), "what is gone would be an error where it is read"
    records = {name.partition(".")[0] for name in old}
    new = [line for line in today if not names([line]) <= old]
    for line in new:
        name, _, what = line.partition(":")
        optional = not what or name.endswith("?")
        assert optional or line.partition(".")[0] not in records, line


def test_every_table_of_records_is_in_it():
    """Decisions have ``data``, and may be unreadable; see shape."""
    kept = {t.name for t in tables.metadata.sorted_tables if "record" in t.columns}
    assert kept | {"events", "decisions"} == set(tables.metadata.tables)
    assert set(shape.KEPT) == kept | {"events"}
