# SPDX-License-Identifier: Apache-2.0
"""Run by alembic; the connection comes from upgrade.py."""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
with context.begin_transaction():
    context.run_migrations()
