# SPDX-License-Identifier: Apache-2.0
"""Making and upgrading the tables, by alembic, from inside the package."""

import alembic.command
import alembic.config
import alembic.migration
import alembic.script
import sqlalchemy as sa

from nova_ha_scheduler.journal import JournalError, tables


def upgrade(connection: sa.Connection) -> None:
    """Bring the tables to this version's state; empty databases too.

    A new database gets today's tables as they are, and the number of the newest
    migration; migrations are for those that were made before.

    :raises JournalError: the tables were made by a newer version.
    """
    config, revision, known = _revisions(connection)
    if revision is None:
        tables.metadata.create_all(connection)
        there = set(connection.scalars(sa.select(tables.single.c.name)))
        for name in {"lease", "guard"} - there:
            row = {"name": name, "owner": "", "beat": 0, "record": "{}"}
            connection.execute(sa.insert(tables.single).values(row))
        alembic.command.stamp(config, "head")
    elif revision in known:
        alembic.command.upgrade(config, "head")
    check(connection)


def check(connection: sa.Connection) -> None:
    """:raises JournalError: unless the tables are those of this version."""
    _, revision, known = _revisions(connection)
    if revision in (None, *known[1:]):
        raise JournalError(
            "the journal's tables are missing or older than this version: start "
            "nova-ha-evacuator, which upgrades them"
        )
    if revision not in known:
        raise JournalError("the journal was written by a newer version than this one")


def _revisions(
    connection: sa.Connection,
) -> tuple[alembic.config.Config, str | None, list[str]]:
    """Alembic's settings, the database's revision, and all, the newest one first."""
    config = alembic.config.Config()
    config.set_main_option("script_location", "nova_ha_scheduler.journal:migrations")
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    scripts = alembic.script.ScriptDirectory.from_config(config).walk_revisions()
    context = alembic.migration.MigrationContext.configure(connection)
    return config, context.get_current_revision(), [s.revision for s in scripts]
