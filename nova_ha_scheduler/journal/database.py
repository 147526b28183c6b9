# SPDX-License-Identifier: Apache-2.0
"""Connections and transactions, through oslo.db's enginefacade."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import sqlalchemy as sa
from oslo_config import cfg
from oslo_db import api as db_api
from oslo_db import exception as db_exception
from oslo_db.sqlalchemy import enginefacade

from nova_ha_scheduler.journal import JournalError, limits, place, schema
from nova_ha_scheduler.journal import conf as journal_conf

T = TypeVar("T")

SQLITE_BUSY_MS = 30_000
"""How long a writer of sqlite waits for another one, in milliseconds."""

_INNER = ("orig", "inner_exception")
"""What was raised by the database's own driver."""

_retried = db_api.wrap_db_retry(max_retries=5, retry_on_deadlock=True)


class Database:
    """The journal's database, as [database] in nova-ha.conf says.

    :raises WrongDatabase: the options cannot be meant.
    :raises JournalError: from every method, for whatever the database does.
    """

    def __init__(self, conf: cfg.ConfigOpts) -> None:
        journal_conf.register_opts(conf)
        options = dict(conf.database.items())
        url = place.parse(options["connection"])
        if url.get_backend_name() in ("mysql", "mariadb"):
            # oslo.db's default, utf8, has no room for all characters of a name.
            charset = url.query.get("charset", "utf8mb4")
            url = url.update_query_dict({"charset": charset})
        url = limits.limited(url)
        limits.limit_waits(url)
        self._url = url
        options["connection"] = url.render_as_string(hide_password=False)
        self._facade = enginefacade.transaction_context()
        self._facade.configure(**options)
        self._facade.append_on_engine_create(self._prepare)
        self._idle: sqlite3.Connection | None = None

    def write(self, do: Callable[[sa.Connection], T]) -> T:
        """Run a function in a transaction; after a deadlock, which rolled back, again.

        Its first statement must be one that writes: in sqlite, one that has read
        cannot become a writer if another wrote meanwhile.
        """
        with _sentences():
            found: T = _retried(self._write)(do)
        return found

    def _write(self, do: Callable[[sa.Connection], Any]) -> Any:
        with self._facade.writer.get_engine().begin() as connection:
            return do(connection)

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A transaction that only reads."""
        with _sentences(), self._facade.reader.get_engine().begin() as connection:
            yield connection

    def upgrade(self) -> None:
        """Make or upgrade the tables; for the service, at its start."""
        place.make(self._url)
        with self.read() as connection:
            if schema.revision(connection) == schema.revisions()[-1]:
                return
        # alembic takes long to import, and is needed once for each version.
        from nova_ha_scheduler.journal.upgrade import upgrade

        self.write(upgrade)

    def check(self) -> None:
        """Make sure that the journal is there, and its tables those of this version."""
        place.require(self._url)
        with self.read() as connection:
            schema.check(connection)

    def dispose(self) -> None:
        """Close all connections."""
        self._facade.dispose_pool()
        if self._idle is not None:
            self._idle.close()

    def _prepare(self, engine: sa.Engine) -> None:
        if engine.dialect.name != "sqlite":
            sa.event.listen(
                engine,
                "connect",
                lambda connection, _: limits.sessions(engine.url, connection),
            )
            return

        def durable(connection: sqlite3.Connection, record: object) -> None:
            # The WAL lets the command line read while the trigger writes; FULL syncs
            # it at each commit, so that what was written outlives a power failure.
            connection.execute(f"PRAGMA busy_timeout = {SQLITE_BUSY_MS}")
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")

        sa.event.listen(engine, "connect", durable)
        # oslo.db connects anew for each transaction, and the last one to close moves
        # the whole WAL: with one that stays open, a commit takes less than half.
        self._idle = sqlite3.connect(engine.url.database or "", check_same_thread=False)
        durable(self._idle, None)
        self._idle.execute("SELECT count(*) FROM sqlite_master").fetchall()


@contextmanager
def _sentences() -> Iterator[None]:
    try:
        yield
    except (db_exception.DBError, sa.exc.SQLAlchemyError, sqlite3.Error) as error:
        cause: object = error  # not the statement, which the wrappers quote
        while inner := next(filter(None, (getattr(cause, n, None) for n in _INNER)), 0):
            cause = inner
        raise JournalError(f"the journal's database failed: {cause}") from error


def put(connection: sa.Connection, table: sa.Table, rows: Sequence[Any]) -> None:
    """Insert rows, mappings of all columns, in place of those with the same key.

    Where the database numbers the rows, each is a new one.
    """
    if not rows:
        return
    key = [c == sa.bindparam(c.name) for c in table.primary_key if c.name in rows[0]]
    if key:
        connection.execute(sa.delete(table).where(*key), rows)
    connection.execute(sa.insert(table), rows)
