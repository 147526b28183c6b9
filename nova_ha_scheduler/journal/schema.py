# SPDX-License-Identifier: Apache-2.0
"""Making and upgrading the tables, by alembic, from inside the package."""

import alembic.command
import alembic.config
import alembic.migration
import alembic.script
import sqlalchemy as sa

from nova_ha_scheduler.journal import JournalError


def upgrade(connection: sa.Connection) -> None:
    """Bring the tables to this version's state; empty databases too.

    :raises JournalError: the tables were made by a newer version.
    """
    if _state(connection) != "newer":
        alembic.command.upgrade(_config(connection), "head")
    check(connection)


def check(connection: sa.Connection) -> None:
    """:raises JournalError: unless the tables are those of this version."""
    state = _state(connection)
    if state == "newer":
        raise JournalError("the journal was written by a newer version than this one")
    if state == "older":
        raise JournalError(
            "the journal's tables are missing or older than this version: start "
            "nova-ha-evacuator, which upgrades them"
        )


def _config(connection: sa.Connection) -> alembic.config.Config:
    config = alembic.config.Config()
    config.set_main_option("script_location", "nova_ha_scheduler.journal:migrations")
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def _state(connection: sa.Connection) -> str:
    scripts = alembic.script.ScriptDirectory.from_config(_config(connection))
    found = alembic.migration.MigrationContext.configure(connection)
    revision = found.get_current_revision()
    if revision == scripts.get_current_head():
        return "same"
    known = {script.revision for script in scripts.walk_revisions()}
    return "older" if revision is None or revision in known else "newer"
