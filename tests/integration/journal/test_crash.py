# SPDX-License-Identifier: Apache-2.0
"""A killed writer, power failures, a database that cannot be had."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import sqlalchemy as sa

from nova_ha_scheduler.journal import JournalError
from nova_ha_scheduler.journal.database import Database
from nova_ha_scheduler.journal.store import SqlJournal
from nova_ha_scheduler.records.state import Change
from tests.integration.journal.conftest import make_conf
from tests.integration.journal.samples import host, reopened

WRITER = """
import sys
from tests.integration.journal.conftest import make_conf
from nova_ha_scheduler.records.state import Change
from nova_ha_scheduler.journal.database import Database
from nova_ha_scheduler.journal.store import SqlJournal
from tests.integration.journal.samples import host, intent, server
journal = SqlJournal(Database(make_conf(sys.argv[1])))
assert journal.acquire()
for n in range(1_000_000):
    one = host(f"c{n}")
    both = server(one), server(one, "u2")
    change = Change((one,), both, opened=(intent(n),))
    journal.commit(change)
    print(n, flush=True)
"""


def test_a_killed_writer_leaves_whole_changes(database, url, open_database):
    root = str(Path(__file__).parents[3])
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, url], stdout=subprocess.PIPE, text=True, cwd=root
    )
    with writer:
        for line in writer.stdout:
            if int(line) >= 20:
                break
        writer.send_signal(signal.SIGKILL)
        told = [int(line)] + [
            int(line) for line in writer.stdout if line.endswith("\n")
        ]
    state = reopened(open_database)
    count = len(state.hosts)
    assert count in (told[-1] + 1, told[-1] + 2)  # the last may be done but not told
    assert len(state.servers) == 2 * count
    assert len(state.intents) == count
    after = SqlJournal(open_database(), 0.2)
    after.acquire()
    time.sleep(0.25)
    assert after.acquire()
    after.commit(Change(hosts=(host("next"),)))


def test_sqlite_syncs_each_commit(tmp_path):
    database = Database(make_conf(f"sqlite:///{tmp_path}/j.sqlite"))
    with database.read() as connection:
        synchronous = connection.execute(sa.text("PRAGMA synchronous")).scalar()
        mode = connection.execute(sa.text("PRAGMA journal_mode")).scalar()
    assert (synchronous, mode) == (2, "wal")


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("sqlite:////no/such/folder/j.sqlite", "no directory /no/such/folder for the"),
        ("mysql+pymysql://u:hunter2@127.0.0.1:9/j", "the journal's database failed"),
    ],
)
def test_a_database_that_cannot_be_had(url, why):
    with pytest.raises(JournalError, match=why) as error:
        Database(make_conf(url)).check()
    assert "hunter2" not in str(error.value)
