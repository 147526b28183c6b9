# SPDX-License-Identifier: Apache-2.0
"""Make sqlite files bear the many threads of one process.

Three things go wrong without this. oslo.db opens transactions with a deferred BEGIN;
one that reads and then writes fails at once with "database is locked" when another
thread has committed in between, and a busy timeout does not apply to that. So
writers take turns. oslo.db pools no connections to sqlite files, so each transaction
reads the whole schema anew; here they are pooled. And whenever the last connection
closes, sqlite checks in and deletes its write-ahead log; one idle connection prevents
that.
"""

import collections
import contextlib
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from oslo_db.sqlalchemy import enginefacade, engines
from sqlalchemy import pool

_locks: dict[str, Any] = collections.defaultdict(threading.RLock)
_locks_guard = threading.Lock()


class Databases:
    """The sqlite files below one directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._idle: dict[str, sqlite3.Connection] = {}

    def url(self, name: str) -> str:
        """Return the SQLAlchemy URL of a database; make its file on first use."""
        path = self._directory / f"{name}.sqlite"
        if name not in self._idle:
            connection = sqlite3.connect(path, check_same_thread=False)
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("SELECT count(*) FROM sqlite_master").fetchall()
            self._idle[name] = connection
        return f"sqlite:///{path}?timeout=60"

    def copy(self, source: str, target: str) -> None:
        """Make a database the copy of another."""
        for name in (source, target):
            self.url(name)
        self._idle[source].backup(self._idle[target])

    def close(self) -> None:
        for connection in self._idle.values():
            connection.close()
        self._idle.clear()


def pool_connections() -> None:
    """Keep connections to sqlite files open between transactions.

    oslo.db closes each at once, and sqlite reads the whole schema anew with the next.
    """

    def pooled(url: Any, engine_args: dict[str, Any], kw: dict[str, Any]) -> None:
        engine_args.update(poolclass=pool.QueuePool, pool_size=20, max_overflow=-1)
        engine_args["connect_args"]["check_same_thread"] = False

    engines._init_connection_args.dispatch_for("sqlite")(pooled)


def take_turns() -> None:
    """Let one writer at a time into each database of this process.

    ``nova.tests.fixtures.DatabaseWriteLock`` does the same for one database. Readers
    go on untouched: with a write-ahead log they never wait.
    """
    manager = enginefacade._TransactionContextManager
    original = manager._transaction_scope
    if getattr(original, "takes_turns", False):
        return

    @contextlib.contextmanager
    def scope(self: Any, context: Any) -> Iterator[Any]:
        if self._mode is not enginefacade._WRITER:
            with original(self, context) as resource:
                yield resource
            return
        url = str(self.writer.get_engine().url)
        with _locks_guard:
            lock = _locks[url]
        with lock, original(self, context) as resource:
            yield resource

    scope.takes_turns = True  # type: ignore[attr-defined]
    manager._transaction_scope = scope
