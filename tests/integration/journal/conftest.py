# SPDX-License-Identifier: Apache-2.0
"""A journal on sqlite, on a real MariaDB and on a real PostgreSQL."""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from oslo_config import cfg

from nova_ha_scheduler.journal import conf as journal_conf
from nova_ha_scheduler.journal import tables
from nova_ha_scheduler.journal.database import Database
from nova_ha_scheduler.journal.store import SqlJournal
from tests.lib import mariadb as server
from tests.lib import peers, ports


@pytest.fixture(scope="session")
def short_folder() -> Iterator[Callable[[], Path]]:
    """Folders whose paths are short enough for a socket, and that others may enter."""
    made = []

    def make() -> Path:
        made.append(Path(tempfile.mkdtemp(prefix="ha-")))
        made[-1].chmod(0o755)
        return made[-1]

    yield make
    for folder in made:
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def mariadb(short_folder: Callable[[], Path]) -> Iterator[str]:
    """A MariaDB server: the URL of its databases, without their name."""
    for program in ("mariadbd", "mariadb-install-db"):
        peers.program(program, "mariadb-server")
    folder, port = short_folder(), ports.free_port()
    server.install(folder)
    # Only writers are killed here, never the servers: theirs is another's promise.
    command = server.command(folder, port)
    log = folder / "log"
    with peers.running(command, log, lambda: ports.listens(port), signal.SIGKILL):
        yield f"mysql+pymysql://root@127.0.0.1:{port}"


@pytest.fixture(scope="session")
def postgresql(short_folder: Callable[[], Path]) -> Iterator[str]:
    """A PostgreSQL server: the URL of its databases, without their name."""
    binaries = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    extra = str(binaries[-1]) if binaries else ""
    server = peers.program("postgres", "postgresql", extra)
    initdb = peers.program("initdb", "postgresql", extra)
    folder, port = short_folder(), ports.free_port()
    user = None
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        user = "postgres"
        shutil.chown(folder, user)
    data = f"{folder}/data"
    subprocess.run(
        [initdb, "-D", data, "-U", "journal", "--auth=trust", "--no-sync"]
        + ["--encoding=UTF8", "--locale=C"],
        check=True,
        capture_output=True,
        user=user,
        cwd=folder,
    )
    command = [server, "-D", data, "-p", str(port), "-k", str(folder)]
    command += ["-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"]
    url = f"postgresql+psycopg2://journal@127.0.0.1:{port}"

    def ready() -> bool:
        with contextlib.suppress(sa.exc.OperationalError):
            sa.create_engine(f"{url}/postgres").connect().close()
            return True
        return False

    log = folder / "log"
    with peers.running(command, log, ready, signal.SIGQUIT, user=user):
        yield url


@pytest.fixture(params=["sqlite", "mariadb", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database that holds no rows, perhaps with tables."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/journal.sqlite"
    base: str = request.getfixturevalue(request.param)
    found = f"{base}/{'test' if request.param == 'mariadb' else 'postgres'}"
    engine = sa.create_engine(found)
    with engine.begin() as connection:
        if sa.inspect(connection).has_table("alembic_version"):
            for table in tables.metadata.sorted_tables:
                if table is not tables.single:
                    connection.execute(sa.delete(table))
            reset = sa.update(tables.single).values(owner="", beat=0, record="{}")
            connection.execute(reset)
            report = tables.single.c.name == "report"  # nobody has made one yet
            connection.execute(sa.delete(tables.single).where(report))
    engine.dispose()
    return found


@pytest.fixture
def fresh(url: str) -> Iterator[None]:
    """No tables before the test, nor after it."""
    engine = sa.create_engine(url)

    def drop() -> None:
        found = sa.MetaData()
        with engine.begin() as connection:
            found.reflect(connection)
            found.drop_all(connection)

    drop()
    yield
    drop()
    engine.dispose()


def make_conf(url: str) -> cfg.ConfigOpts:
    conf = cfg.ConfigOpts()
    journal_conf.register_opts(conf)
    conf([])
    conf.set_override("connection", url, group="database")
    conf.set_override("max_retries", 0, group="database")
    return conf


@pytest.fixture
def open_database(url: str) -> Iterator[Callable[[], Database]]:
    """Open the database once more, as another process would."""
    opened = []

    def make() -> Database:
        opened.append(Database(make_conf(url)))
        return opened[-1]

    yield make
    for database in opened:
        database.dispose()


@pytest.fixture
def database(open_database: Callable[[], Database]) -> Database:
    found = open_database()
    found.upgrade()
    return found


@pytest.fixture
def journal(database: Database) -> SqlJournal:
    """The journal of the active trigger."""
    found = SqlJournal(database, 30)
    assert found.acquire()
    return found
