# SPDX-License-Identifier: Apache-2.0
"""A task state that a dead host has left is in nobody's way any more, and is not taken
away first; what a host may find in its queue has more kinds than one; and a server's
record knows which destinations Nova's scheduler has refused."""

import json

import sqlalchemy as sa
from alembic import op

revision = "013"
down_revision = "012"


def upgrade() -> None:
    """A server whose task state was to be taken away is judged anew."""
    connection = op.get_bind()
    names = ("recovery", "server", "record")
    table = sa.table("server_recoveries", *map(sa.column, names))
    for row in connection.execute(sa.select(table)).all():
        record = json.loads(row.record)
        if "INTERRUPTED" not in (record.get("phase"), record.get("reason")):
            continue
        record |= {"phase": "BUSY", "reason": "TASK_STATE"}
        mine = (table.c.recovery == row.recovery) & (table.c.server == row.server)
        new = json.dumps(record, sort_keys=True)
        connection.execute(sa.update(table).where(mine).values(record=new))
