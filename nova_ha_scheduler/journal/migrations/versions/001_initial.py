# SPDX-License-Identifier: Apache-2.0
"""The first tables."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "001"
down_revision = None

# Written out, not imported from tables.py: a migration stays what it was.
TEXT = sa.Text().with_variant(mysql.MEDIUMTEXT(), "mysql", "mariadb")
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
NAME, WORD, KEY = sa.String(255), sa.String(64), sa.String(320)
OPTIONS: dict[str, Any] = {
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_bin",
    "mariadb_engine": "InnoDB",
    "mariadb_charset": "utf8mb4",
    "mariadb_collate": "utf8mb4_bin",
}


def _column(name: str, kind: Any, **kwargs: Any) -> sa.Column[Any]:
    return sa.Column(name, kind, **{"nullable": False, **kwargs})


def _table(name: str, *columns: sa.Column[Any], indexes: str, **more: Any) -> None:
    op.create_table(name, *columns, **OPTIONS, **more)
    for column in indexes.split():
        op.create_index(f"ix_{name}_{column}", name, [column])


def upgrade() -> None:
    _table(
        "host_recoveries",
        _column("id", KEY, primary_key=True),
        _column("host", NAME),
        _column("outcome", WORD),
        _column("started_at", sa.Double()),
        _column("admitted_at", sa.Double(), nullable=True),
        _column("ended_at", sa.Double(), nullable=True),
        _column("record", TEXT),
        indexes="host started_at admitted_at ended_at",
    )
    _table(
        "server_recoveries",
        _column("recovery", KEY, primary_key=True),
        _column("server", WORD, primary_key=True),
        _column("name", NAME),
        _column("outcome", WORD),
        _column("record", TEXT),
        indexes="server name",
    )
    _table(
        "intents",
        _column("number", NUMBER, primary_key=True),
        _column("id", NAME),
        _column("record", TEXT),
        indexes="id",
    )
    _table(
        "commands",
        _column("id", NAME, primary_key=True),
        _column("host", NAME),
        _column("at", sa.Double()),
        _column("open", sa.Boolean()),
        _column("record", TEXT),
        indexes="open",
    )
    _table(
        "events",
        _column("number", NUMBER, primary_key=True),
        _column("at", sa.Double()),
        _column("kind", WORD),
        _column("host", NAME),
        _column("recovery", KEY),
        _column("server", WORD),
        _column("server_name", NAME),
        _column("source", NAME),
        _column("destination", NAME),
        _column("how", TEXT),
        _column("reason", TEXT),
        _column("request_id", NAME),
        _column("servers", TEXT),
        indexes="at host recovery server",
        sqlite_autoincrement=True,
    )
    _table(
        "single",
        _column("name", WORD, primary_key=True),
        _column("owner", NAME),
        _column("beat", sa.BigInteger()),
        _column("record", TEXT),
        indexes="",
        comment="Rows that stand alone: the lease, the guard's memory.",
    )
    for name in ("guard", "lease"):
        op.execute(
            sa.text("INSERT INTO single VALUES (:name, '', 0, '{}')").bindparams(
                name=name
            )
        )
