# SPDX-License-Identifier: Apache-2.0
"""A server that has landed is in a state of its own, and that an answer was lost in a
restart is a field: both were to be read from other fields, and a sentence."""

import json

import sqlalchemy as sa
from alembic import op

revision = "006"
down_revision = "005"

_SERVERS = sa.table(
    "server_recoveries",
    *map(sa.column, ("recovery", "server", "state", "record")),
)
_MOVES = sa.table("moves", *map(sa.column, ("job", "server", "record")))

_RESTARTED = "the trigger was restarted before it learned the result"


def upgrade() -> None:
    connection = op.get_bind()
    for table in _SERVERS, _MOVES:
        whose, server, *_ = table.c
        for row in connection.execute(sa.select(table)).all():
            record = json.loads(row.record)
            unresolved = record.get("reason") == "UNRESOLVED"
            lost = unresolved and record.get("detail") == _RESTARTED
            new = {**record, "answer_lost": lost}
            columns = {}
            if record["state"] == "MOVING" and record.get("landed_at") is not None:
                new["state"], columns = "LANDED", {"state": "landed"}
            columns["record"] = json.dumps(new, sort_keys=True)
            same = (whose == row[0]) & (server == row[1])
            connection.execute(sa.update(table).where(same).values(columns))
