# SPDX-License-Identifier: Apache-2.0
"""Whether the tables are those of this version; :mod:`.upgrade` sees to it."""

from importlib import resources

import sqlalchemy as sa

from nova_ha_scheduler.journal import JournalError, NoJournal
from nova_ha_scheduler.journal.migrations import versions

_VERSION = sa.table("alembic_version", sa.column("version_num"))


def check(connection: sa.Connection) -> None:
    """:raises NoJournal, JournalError: unless the tables are those of this version."""
    found, known = revision(connection), revisions()
    if found is None:
        raise NoJournal("there are no tables of a journal yet")
    if found in known[:-1]:
        raise JournalError(
            "the journal's tables are older than this version: start "
            "nova-ha-evacuator, which upgrades them"
        )
    if found not in known:
        raise JournalError(
            "the journal was written by a newer version than this one: install that "
            "one, or see docs/upgrade.md for the way back"
        )


def revision(connection: sa.Connection) -> str | None:
    """The number of the newest migration that the database has seen, as alembic has
    written it down; None: there are no tables yet, or not all."""
    if not sa.inspect(connection).has_table(_VERSION.name):
        return None
    found: str | None = connection.scalar(sa.select(_VERSION.c.version_num))
    return found


def revisions() -> list[str]:
    """The numbers of all migrations of this version, the newest one last.

    By the names of their files: alembic takes long to import.
    """
    names = [file.name for file in resources.files(versions).iterdir()]
    return sorted(name.partition("_")[0] for name in names if name[0].isdigit())
