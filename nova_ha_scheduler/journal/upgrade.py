# SPDX-License-Identifier: Apache-2.0
"""Making and upgrading the tables, by alembic, from inside the package."""

import alembic.command
import alembic.config
import sqlalchemy as sa

from nova_ha_scheduler.journal import schema, tables


def upgrade(connection: sa.Connection) -> None:
    """Bring the tables to this version's state; empty databases too.

    A new database gets today's tables as they are, and the number of the newest
    migration; migrations are for those that were made before.

    :raises JournalError: the tables were made by a newer version.
    """
    config = alembic.config.Config()
    config.set_main_option("script_location", "nova_ha_scheduler.journal:migrations")
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    revision = schema.revision(connection)
    if revision is None:
        tables.metadata.create_all(connection)
        there = set(connection.scalars(sa.select(tables.single.c.name)))
        for name in {"lease", "guard"} - there:
            row = {"name": name, "owner": "", "beat": 0, "record": "{}"}
            connection.execute(sa.insert(tables.single).values(row))
        alembic.command.stamp(config, "head")
    elif revision in schema.revisions():
        alembic.command.upgrade(config, "head")
    schema.check(connection)
