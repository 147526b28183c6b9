# SPDX-License-Identifier: Apache-2.0
"""A database server that accepts and is silent, or stops in the middle."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator

import pytest
import sqlalchemy as sa
from oslo_config import cfg

from nova_ha_scheduler.journal import JournalError, limits
from nova_ha_scheduler.journal.database import Database
from tests.lib.hostile_peer import peer, silent

AT_MOST = 12.0
"""Seconds, on a machine that has other work: what does not end takes for ever."""

MYSQL = "connect_timeout=2&read_timeout=2&write_timeout=2"
POSTGRESQL = "connect_timeout=2&tcp_user_timeout=2000"


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    """The wait of psycopg2 is the whole process's."""
    yield
    limits.limit_waits(limits.limited(sa.make_url("postgresql+psycopg2://h/d")))


def database(tmp_path, url: str) -> Database:
    file = tmp_path / "nova-ha.conf"
    file.write_text(f"[database]\nconnection = {url}\n")
    conf = cfg.ConfigOpts()
    conf([], default_config_files=[str(file)], default_config_dirs=[])
    return Database(conf)


@pytest.mark.parametrize(
    ("kind", "options"),
    [("mysql+pymysql", MYSQL), ("postgresql+psycopg2", POSTGRESQL)],
)
def test_one_that_accepts_and_is_silent(tmp_path, kind, options):
    with peer(silent) as found:
        url = f"{kind}://u:hunter2@127.0.0.1:{found.port}/d?{options}"
        began = time.monotonic()
        with pytest.raises(
            JournalError, match="the journal's database failed"
        ) as error:
            database(tmp_path, url).check()
        assert time.monotonic() - began < AT_MOST
    assert "hunter2" not in str(error.value)


def _stopped(port: int) -> Callable[[int], None]:
    """Sends a signal to all processes of the server that listens on a port."""
    listed = subprocess.run(
        ["ss", "-Hltnp", f"sport = :{port}"], capture_output=True, text=True, check=True
    ).stdout
    leader = int(listed.partition("pid=")[2].partition(",")[0])
    said = f"/proc/{leader}/task/{leader}/children"

    def send(number: int) -> None:
        with open(said) as file:
            children = [int(pid) for pid in file.read().split()]
        for pid in (leader, *children):
            os.kill(pid, number)

    return send


@pytest.mark.parametrize(
    ("server", "options"), [("mariadb", MYSQL), ("postgresql", POSTGRESQL)]
)
def test_one_that_stops_in_the_middle(request, tmp_path, server, options):
    """As a database on a disk that hangs: its kernel still acknowledges what it gets,
    so that only whoever waits can see that nothing comes."""
    url = request.getfixturevalue(server)
    maintenance = {"mariadb": "mysql", "postgresql": "postgres"}[server]
    found = database(tmp_path, f"{url}/{maintenance}?{options}")
    send = _stopped(sa.make_url(url).port or 0)
    one = sa.text("SELECT 1")

    def ask(before: Callable[[], None]) -> object:
        with found.read() as connection:
            before()
            return connection.execute(one).scalar()

    assert ask(lambda: None) == 1
    began = time.monotonic()
    try:
        with pytest.raises(JournalError, match=r"timed out|no answer"):
            ask(lambda: send(signal.SIGSTOP))
    finally:
        send(signal.SIGCONT)
    assert time.monotonic() - began < AT_MOST
    assert ask(lambda: None) == 1


def test_a_greeting_has_fewer_seconds_than_a_statement(mariadb, tmp_path):
    found = database(tmp_path, f"{mariadb}/mysql")
    with found.read() as connection:
        connection.execute(sa.text("SELECT 1"))
        raw = connection.connection.dbapi_connection
        assert raw._sock.gettimeout() == limits.SILENT_SECONDS
    url = limits.limited(sa.make_url(f"{mariadb}/mysql"))
    assert url.query["read_timeout"] == str(limits.CONNECT_SECONDS)


def test_every_server_has_time_outs_unless_the_url_has_its_own():
    for kind in ("mysql+pymysql", "mysql+mysqldb", "postgresql", "postgresql+psycopg"):
        url = sa.make_url(f"{kind}://h/d?connect_timeout=7&charset=x")
        said = limits.limited(url).query
        assert said["connect_timeout"] == "7"
        assert {"read_timeout", "tcp_user_timeout"} & said.keys()
    assert not limits.limited(sa.make_url("sqlite:///x")).query
