# SPDX-License-Identifier: Apache-2.0
"""The tables as the first version made them, written out: these stay what they were.

Each later version has to upgrade a journal that holds them.
"""

import sqlalchemy as sa
from sqlalchemy.dialects import mysql

TEXT = sa.Text().with_variant(mysql.MEDIUMTEXT(), "mysql", "mariadb")
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
NAME, WORD, KEY = sa.String(255), sa.String(64), sa.String(320)
OPTIONS = {
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_bin",
    "mariadb_engine": "InnoDB",
    "mariadb_charset": "utf8mb4",
    "mariadb_collate": "utf8mb4_bin",
}

metadata = sa.MetaData()


def _column(name: str, kind, **kwargs) -> sa.Column:
    return sa.Column(name, kind, **{"nullable": False, **kwargs})


def _table(name: str, *columns: sa.Column, indexes: str = "", **more) -> None:
    table = sa.Table(name, metadata, *columns, **OPTIONS, **more)
    for column in indexes.split():
        sa.Index(f"ix_{name}_{column}", table.c[column])


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
    _column("state", WORD),
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
    _column("at", sa.Double()),
    _column("answer", NAME),
    _column("record", TEXT),
    indexes="answer",
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
)


def make(connection: sa.Connection) -> None:
    """Leave a journal as the first version did before it became active."""
    metadata.create_all(connection)
    version = sa.Table(
        "alembic_version",
        sa.MetaData(),
        sa.Column("version_num", sa.String(32), primary_key=True),
    )
    version.create(connection)
    connection.execute(sa.insert(version).values(version_num="001"))
    for name in ("guard", "lease"):
        row = {"name": name, "owner": "", "beat": 0, "record": "{}"}
        connection.execute(sa.insert(metadata.tables["single"]).values(row))
