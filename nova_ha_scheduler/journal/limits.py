# SPDX-License-Identifier: Apache-2.0
"""How long a database server may be silent: by default for ever, which nobody wants.

A server that is stopped, or whose host is cut off, accepts and says nothing. What the
URL of [database] connection says of its own goes first.
"""

import contextlib
import functools
import importlib
import select
import time
from typing import Any

import sqlalchemy as sa

CONNECT_SECONDS = 10
SILENT_SECONDS = 30
"""For one statement; more than IDLE_SECONDS, for which another trigger that stands
still may keep its locks."""

IDLE_SECONDS = 15
"""For which a transaction may stand open and nothing is said in it. A trigger that is
stopped in the middle of a write would keep the lease's lock from all others for ever:
its kernel still acknowledges what the server asks."""

_MYSQL_SESSION = (
    # MySQL can only end the connection; MariaDB does so, too, but ends the transaction
    # sooner.
    "SET SESSION wait_timeout = {0} * 4"
    " /*M!100300 , SESSION idle_transaction_timeout = {0} */"
)
_SESSIONS = {
    "mysql": _MYSQL_SESSION,
    "mariadb": _MYSQL_SESSION,
    "postgresql": "SET SESSION idle_in_transaction_session_timeout = '{0}s'",
}

_MYSQL = {
    "connect_timeout": CONNECT_SECONDS,
    "read_timeout": SILENT_SECONDS,
    "write_timeout": SILENT_SECONDS,
}
_PYMYSQL = {**_MYSQL, "read_timeout": CONNECT_SECONDS}
"""For the greeting, which has no time-out of its own; see sessions()."""

_POSTGRESQL = {
    "connect_timeout": CONNECT_SECONDS,
    "tcp_user_timeout": SILENT_SECONDS * 1000,  # milliseconds
    "keepalives_idle": CONNECT_SECONDS,
    "keepalives_interval": 5,
    "keepalives_count": 3,
}
_BY_DRIVER = {
    "pymysql": _PYMYSQL,
    "mysqldb": _MYSQL,
    "psycopg2": _POSTGRESQL,
    "psycopg": _POSTGRESQL,
}


def limited(url: sa.URL) -> sa.URL:
    """The URL of a database with time-outs."""
    said = _BY_DRIVER.get(url.get_driver_name(), {})
    missing = {key: str(value) for key, value in said.items() if key not in url.query}
    return url.update_query_dict(missing)


def sessions(url: sa.URL, connection: Any) -> None:
    """Tell the server for how long a new connection may leave a transaction open, and
    give the statements of one that PyMySQL has opened their own seconds."""
    ours = url.query.get("read_timeout") == str(CONNECT_SECONDS)
    if url.get_driver_name() == "pymysql" and ours:
        connection._read_timeout = SILENT_SECONDS
    with contextlib.closing(connection.cursor()) as cursor:
        cursor.execute(_SESSIONS[url.get_backend_name()].format(IDLE_SECONDS))
    connection.commit()


def limit_waits(url: sa.URL) -> None:
    """Have psycopg2 wait for a server as long as the URL says, and no longer: libpq
    has no time-out for a server that lives and does not answer."""
    if url.get_driver_name() == "psycopg2":
        extensions = importlib.import_module("psycopg2.extensions")
        said = (str(url.query[key]) for key in ("connect_timeout", "tcp_user_timeout"))
        connecting, silent = (int(number) for number in said)
        wait = functools.partial(_wait, connecting, silent / 1000)
        extensions.set_wait_callback(wait)


def _wait(connecting: float, silent: float, connection: Any) -> None:
    """As psycopg2.extras.wait_select does, which waits for ever."""
    psycopg2 = importlib.import_module("psycopg2")
    new = connection.status == psycopg2.extensions.STATUS_SETUP
    seconds = connecting if new else silent
    events = {
        psycopg2.extensions.POLL_READ: select.POLLIN,
        psycopg2.extensions.POLL_WRITE: select.POLLOUT,
    }
    end = time.monotonic() + seconds
    while (state := connection.poll()) != psycopg2.extensions.POLL_OK:
        poll = select.poll()
        poll.register(connection.fileno(), events[state])
        left = end - time.monotonic()
        if left <= 0 or not poll.poll(left * 1000):
            raise psycopg2.OperationalError(f"no answer within {seconds:g} s")
