# SPDX-License-Identifier: Apache-2.0
"""The tables. Times are seconds since the epoch, UTC.

A record of the trigger stands as JSON in ``record``; the columns beside it are what
is searched for. Events, which people read with SQL, stand in columns alone.
"""

import sqlalchemy as sa
from sqlalchemy.dialects import mysql

# MySQL's own collations take "C1" for "c1", and its TEXT ends at 64 KiB.
BINARY = {
    f"{dialect}_{key}": value
    for dialect in ("mysql", "mariadb")
    for key, value in (
        ("engine", "InnoDB"),
        ("charset", "utf8mb4"),
        ("collate", "utf8mb4_bin"),
    )
}
TEXT = sa.Text().with_variant(mysql.MEDIUMTEXT(), "mysql", "mariadb")
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
NAME = sa.String(255)
WORD = sa.String(64)
KEY = sa.String(320)
"""A host's name and a time."""

metadata = sa.MetaData(
    naming_convention={"ix": "ix_%(table_name)s_%(column_0_name)s"},
)

hosts = sa.Table(
    "host_recoveries",
    metadata,
    sa.Column("id", KEY, primary_key=True),
    sa.Column("host", NAME, nullable=False, index=True),
    sa.Column("outcome", WORD, nullable=False),
    sa.Column("started_at", sa.Double(), nullable=False, index=True),
    sa.Column("admitted_at", sa.Double(), index=True),
    sa.Column("ended_at", sa.Double(), index=True),
    sa.Column("record", TEXT, nullable=False),
    **BINARY,
)

servers = sa.Table(
    "server_recoveries",
    metadata,
    sa.Column("recovery", KEY, primary_key=True),
    sa.Column("server", WORD, primary_key=True, index=True),
    sa.Column("name", NAME, nullable=False, index=True),
    sa.Column("outcome", WORD, nullable=False),
    sa.Column("record", TEXT, nullable=False),
    **BINARY,
)

intents = sa.Table(
    "intents",
    metadata,
    sa.Column("number", NUMBER, primary_key=True),
    sa.Column("id", NAME, nullable=False, index=True),
    sa.Column("record", TEXT, nullable=False),
    **BINARY,
)

commands = sa.Table(
    "commands",
    metadata,
    sa.Column("id", NAME, primary_key=True),
    sa.Column("host", NAME, nullable=False),
    sa.Column("at", sa.Double(), nullable=False),
    sa.Column("open", sa.Boolean(), nullable=False, index=True),
    sa.Column("record", TEXT, nullable=False),
    **BINARY,
)

events = sa.Table(
    "events",
    metadata,
    sa.Column("number", NUMBER, primary_key=True),
    sa.Column("at", sa.Double(), nullable=False, index=True),
    sa.Column("kind", WORD, nullable=False),
    sa.Column("host", NAME, nullable=False, index=True),
    sa.Column("recovery", KEY, nullable=False, index=True),
    sa.Column("server", WORD, nullable=False, index=True),
    sa.Column("server_name", NAME, nullable=False),
    sa.Column("source", NAME, nullable=False),
    sa.Column("destination", NAME, nullable=False),
    sa.Column("how", TEXT, nullable=False),
    sa.Column("reason", TEXT, nullable=False),
    sa.Column("request_id", NAME, nullable=False),
    sa.Column("servers", TEXT, nullable=False),
    sqlite_autoincrement=True,  # as elsewhere: no number is used twice
    **BINARY,
)

single = sa.Table(
    "single",
    metadata,
    sa.Column("name", WORD, primary_key=True),
    sa.Column("owner", NAME, nullable=False),
    sa.Column("beat", sa.BigInteger(), nullable=False),
    sa.Column("record", TEXT, nullable=False),
    comment="Rows that stand alone: the lease, the guard's memory.",
    **BINARY,
)
