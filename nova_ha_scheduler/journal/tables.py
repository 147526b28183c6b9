# SPDX-License-Identifier: Apache-2.0
"""The tables. Times are seconds since the epoch, UTC.

A record of the trigger stands as JSON in ``record``; the columns beside it are what
is searched for. Events, which people read with SQL, stand in columns alone.
"""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql

TEXT = sa.Text().with_variant(mysql.MEDIUMTEXT(), "mysql", "mariadb")
"""MySQL's TEXT ends at 64 KiB."""

BYTES = sa.LargeBinary().with_variant(mysql.LONGBLOB(), "mysql", "mariadb")
"""MySQL's BLOB ends at 64 KiB."""

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
NAME = sa.String(255)
WORD = sa.String(64)
KEY = sa.String(320)
"""A host's name and a time."""

# MySQL's own collations take "C1" for "c1".
OPTIONS = {"engine": "InnoDB", "charset": "utf8mb4", "collate": "utf8mb4_bin"}
BINARY = {f"{db}_{key}": OPTIONS[key] for db in ("mysql", "mariadb") for key in OPTIONS}

metadata = sa.MetaData()


def _table(name: str, *columns: sa.Column[Any], **more: Any) -> sa.Table:
    return sa.Table(name, metadata, *columns, **BINARY, **more)


hosts = _table(
    "host_recoveries",
    sa.Column("id", KEY, primary_key=True),
    sa.Column("host", NAME, nullable=False, index=True),
    sa.Column("outcome", WORD, nullable=False),
    sa.Column("started_at", sa.Double(), nullable=False, index=True),
    sa.Column("admitted_at", sa.Double(), index=True),
    sa.Column("ended_at", sa.Double(), index=True),
    sa.Column("record", TEXT, nullable=False),
)

servers = _table(
    "server_recoveries",
    sa.Column("recovery", KEY, primary_key=True),
    sa.Column("server", WORD, primary_key=True, index=True),
    sa.Column("name", NAME, nullable=False, index=True),
    sa.Column("state", WORD, nullable=False),
    sa.Column("record", TEXT, nullable=False),
)

windows = _table(
    "windows",
    sa.Column("id", KEY, primary_key=True),
    sa.Column("host", NAME, nullable=False, index=True),
    sa.Column("started_at", sa.Double(), nullable=False, index=True),
    sa.Column("ended_at", sa.Double(), index=True),
    sa.Column("record", TEXT, nullable=False),
)

moves = _table(
    "moves",
    sa.Column("job", KEY, primary_key=True),
    sa.Column("server", WORD, primary_key=True, index=True),
    sa.Column("name", NAME, nullable=False),
    sa.Column("state", WORD, nullable=False),
    sa.Column("ended_at", sa.Double(), index=True),
    sa.Column("record", TEXT, nullable=False),
)

intents = _table(
    "intents",
    sa.Column("number", NUMBER, primary_key=True),
    sa.Column("id", NAME, nullable=False, index=True),
    sa.Column("record", TEXT, nullable=False),
)

commands = _table(
    "commands",
    sa.Column("id", NAME, primary_key=True),
    sa.Column("at", sa.Double(), nullable=False),
    sa.Column("answer", NAME, nullable=False, index=True),
    sa.Column("record", TEXT, nullable=False),
)

pauses = _table(
    "pauses",
    sa.Column("id", NAME, primary_key=True),
    sa.Column("at", sa.Double(), nullable=False),
    sa.Column("ended_at", sa.Double()),
    sa.Column("record", TEXT, nullable=False),
)

events = _table(
    "events",
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
)

decisions = _table(
    "decisions",
    sa.Column("number", NUMBER, primary_key=True),
    sa.Column("at", sa.Double(), nullable=False, index=True),
    sa.Column("size", sa.Integer(), nullable=False),
    sa.Column("data", BYTES, nullable=False),
    sqlite_autoincrement=True,
)
"""A decision has the time of its events; what it was made on is compressed."""

single = _table(
    "single",
    sa.Column("name", WORD, primary_key=True),
    sa.Column("owner", NAME, nullable=False),
    sa.Column("beat", sa.BigInteger(), nullable=False),
    sa.Column("record", TEXT, nullable=False),
)
"""Rows that stand alone: the lease, the guard's memory, the active trigger's report,
what each receiver was sent. A report's beat is when it was written, in milliseconds by
the database's clock."""

of_kind = {
    "hosts": hosts,
    "servers": servers,
    "commands": commands,
    "pauses": pauses,
    "windows": windows,
    "moves": moves,
}
"""By the name of the kind; see records/state.py."""

_OPEN_WINDOW = windows.c.ended_at.is_(None)
_UNFINISHED = sa.select(moves.c.job).where(moves.c.ended_at.is_(None))
_OF_OPEN_JOBS = moves.c.job.in_(_UNFINISHED) | moves.c.job.in_(
    sa.select(windows.c.id).where(_OPEN_WINDOW)
)

open_pauses = (
    sa.select(pauses.c.record)
    .where(pauses.c.ended_at.is_(None))
    .order_by(pauses.c.at, pauses.c.id)
)


def wanted(admitted_since: float) -> Mapping[str, "sa.Select[Any]"]:
    """What is loaded of each kind, by its name."""
    is_open = hosts.c.ended_at.is_(None)
    return {
        "hosts": sa.select(hosts.c.record)
        .where(is_open | (hosts.c.admitted_at >= admitted_since))
        .order_by(hosts.c.started_at, hosts.c.id),
        "servers": sa.select(servers.c.record)
        .join(hosts, hosts.c.id == servers.c.recovery)
        .where(is_open)
        .order_by(servers.c.recovery, servers.c.server),
        "commands": sa.select(commands.c.record).where(commands.c.answer == ""),
        "pauses": open_pauses,
        "windows": sa.select(windows.c.record).where(_OPEN_WINDOW),
        "moves": sa.select(moves.c.record).where(_OF_OPEN_JOBS),
    }
