# SPDX-License-Identifier: Apache-2.0
"""When an effect of a maintenance was done has a field of its own: until now that stood
among the times of its states. What may lie in a queue is called ``old_requests``."""

import json
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "025"
down_revision = "024"

_STATES = ("starting", "open", "ending", "ended")


def window(record: dict[str, Any]) -> dict[str, Any]:
    """A maintenance, as it is kept from now on."""
    stages = {word: at for word, at in record["stages"].items() if word in _STATES}
    done = {word: at for word, at in record["stages"].items() if word not in _STATES}
    return {
        **record,
        "stages": stages,
        "done_at": {**record.get("done_at", {}), **done},
    }


def host(record: dict[str, Any]) -> dict[str, Any]:
    """The same of a dead host."""
    return {"old_requests" if k == "late" else k: v for k, v in record.items()}


def upgrade() -> None:
    connection = op.get_bind()
    for name, change in (("windows", window), ("host_recoveries", host)):
        table = sa.table(name, sa.column("id"), sa.column("record"))
        for row in connection.execute(sa.select(table)).all():
            new = json.dumps(change(json.loads(row.record)), sort_keys=True)
            same = table.c.id == row.id
            connection.execute(sa.update(table).where(same).values(record=new))
