# SPDX-License-Identifier: Apache-2.0
"""Where a record stands within its state is a field of its own. Until now it was to be
read from the reason, and ``closed_at`` meant since when a host was watched, too."""

import json
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "007"
down_revision = "006"

_PHASES = {
    "host_recoveries": {
        "PAUSED": "PAUSED",
        "ABORTED": "ABORTED",
        "BROKEN": "BROKEN",
        "SERVICE_UNREADABLE": "BROKEN",
        "WITNESSES": "ALIVE_TO_WITNESSES",
        "SEEN_ALIVE": "ALIVE_TO_WITNESSES",
        "NO_METHOD": "NO_METHOD",
        "PROOF_STALE": "DOUBTED",
        "ALIVE": "ALIVE",
        "UNKNOWN_HOST": "UNKNOWN",
        "MAINTENANCE": "MAINTENANCE",
        "REFUSED_BY_NOVA": "NOT_DONE",
        "NOVA_FAILED": "NOT_DONE",
    },
    "server_recoveries": {
        "CANNOT_BE_READ": "UNREADABLE",
        "TASK_STATE": "BUSY",
        "INTERRUPTED": "INTERRUPTED",
        "GONE": "MISSING",
        "SLOW": "SLOW",
        "DESTINATION_DOWN": "DESTINATION_DOWN",
        "STRANDED": "STRANDED",
    },
    "moves": {
        "TASK_STATE": "BUSY",
        "NO_ROOM": "NO_ROOM",
        "DOWN": "SOURCE_DOWN",
        "PAUSED": "PAUSED",
        "UNCONFIRMED": "UNCONFIRMED",
        "REVERTING": "COMING_BACK",
        "RESIZED": "COMING_BACK",
    },
    "windows": {"MAY_RETURN_UNKNOWN": "UNREADABLE"},
}
"""By the reason of a record that is not at its end."""

_ENDED = {
    "server_recoveries": {
        "NOT_PROTECTED": "AS_INTENDED",
        "POLICY_NONE": "AS_INTENDED",
        "GONE": "AS_INTENDED",
    },
    "moves": {"GONE": "GONE"},
}
"""The same for one that is."""

_FINAL = ("RECOVERED", "MOVED", "FAILED", "LEFT")
_BEFORE_CLOSING = ("SUSPECTED", "CONFIRMED", "FENCING", "FENCED")


def phase(table: str, record: dict[str, Any]) -> str | None:
    """The phase of a record that has none."""
    final = table in _ENDED and record["state"] in _FINAL
    reason, phases = record.get("reason"), (_ENDED if final else _PHASES)[table]
    if reason is None:
        return None
    return phases.get(reason, None if table == "windows" else "HELD")


def times(record: dict[str, Any]) -> dict[str, Any]:
    """``closed_at`` and ``watched_at`` of a host's record that has the first alone."""
    at, state = record.get("closed_at"), record["state"]
    never = state == "CLOSED" and "evacuating" not in record.get("stages", {})
    if state in _BEFORE_CLOSING or never:
        return {"closed_at": None, "watched_at": at}
    return {"closed_at": at, "watched_at": None}


def upgrade() -> None:
    connection = op.get_bind()
    for name in _PHASES:
        keys = {"server_recoveries": "recovery", "moves": "job"}
        names = [keys.get(name, "id"), *(["server"] if name in keys else [])]
        table = sa.table(name, *map(sa.column, (*names, "record")))
        for row in connection.execute(sa.select(table)).all():
            record = json.loads(row.record)
            record["phase"] = phase(name, record)
            if name == "host_recoveries":
                record |= times(record)
            same = sa.and_(*(table.c[key] == getattr(row, key) for key in names))
            new = json.dumps(record, sort_keys=True)
            connection.execute(sa.update(table).where(same).values(record=new))
