# SPDX-License-Identifier: Apache-2.0
"""Run by alembic; the connection comes from schema.py."""

from alembic import context

from nova_ha_scheduler.journal import tables

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=tables.metadata,
    render_as_batch=True,  # sqlite cannot alter a column otherwise
)
with context.begin_transaction():
    context.run_migrations()
