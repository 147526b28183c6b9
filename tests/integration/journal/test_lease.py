# SPDX-License-Identifier: Apache-2.0
"""One trigger alone is active; others wait, the command line does not."""

import contextlib
import threading
import time

import pytest
import sqlalchemy as sa

from nova_ha_scheduler.health.report import HostNote, Report, Standing
from nova_ha_scheduler.journal import JournalError, NotActive, limits
from nova_ha_scheduler.journal.history import History
from nova_ha_scheduler.journal.outbox import Outbox
from nova_ha_scheduler.journal.store import LEASE, SqlJournal
from nova_ha_scheduler.journal.tables import single
from nova_ha_scheduler.records.events import Event, EventKind
from nova_ha_scheduler.records.state import Change, State
from tests.integration.journal.samples import command, host, intent, pause
from tests.lib import aged
from tests.lib.waiting import PATIENCE, wait

# The lease.


def test_a_write_that_ends_after_the_release_renews_nothing(journal, monkeypatch):
    """Another thread's, which was on its way."""
    assert journal.acquire()
    write = journal._db.write

    def overtaken(do):
        beat = write(do)
        monkeypatch.setattr(journal._db, "write", write)
        journal.release()
        return beat

    monkeypatch.setattr(journal._db, "write", overtaken)
    journal.commit(Change(hosts=(host(),)))
    assert not journal.active
    assert journal.acquire()
    assert journal.active


@pytest.mark.parametrize("url", ["mariadb", "postgresql"], indirect=True)
def test_one_that_stops_in_the_middle_of_a_write(open_database, monkeypatch):
    """Its machine is paused, say: nothing is ever said on its connection again, which
    stays open. sqlite knows no such end: there, who watches the process ends it."""
    monkeypatch.setattr(limits, "IDLE_SECONDS", 2)
    databases = [open_database() for _ in range(2)]
    databases[0].upgrade()
    stopped, other = (SqlJournal(database, 0.5) for database in databases)
    wait("the lease", stopped.acquire)
    goes_on, began = threading.Event(), threading.Event()

    def stop(connection: sa.Connection) -> None:
        stopped._hold(connection)
        began.set()
        goes_on.wait(PATIENCE)

    def write() -> None:
        with contextlib.suppress(JournalError):
            databases[0].write(stop)

    thread = threading.Thread(target=write)
    thread.start()
    assert began.wait(PATIENCE)
    try:
        wait("the lease", other.acquire)
        other.commit(Change(hosts=(host("c9"),)))
    finally:
        goes_on.set()
        thread.join(30)
    with pytest.raises(JournalError):
        stopped.commit(Change(hosts=(host("c8"),)))
    assert [h.host for h in other.load(0).hosts.values()] == ["c9"]
    other.release()


def test_one_that_stands_by_refuses_a_journal_that_a_newer_version_has(
    fresh, journal, open_database
):
    """It was started before the other one was upgraded."""
    older = SqlJournal(open_database())
    assert not older.acquire()
    newer = sa.text("UPDATE alembic_version SET version_num = '999'")
    journal._db.write(lambda connection: connection.execute(newer))
    assert not older.acquire(), "nothing is to be said while another one is active"
    journal.release()
    with pytest.raises(JournalError, match="newer version than this one"):
        older.acquire()
    assert older.holder() == ""


def test_one_trigger_alone_is_active(journal, open_database):
    other = SqlJournal(open_database(), 0.6)
    assert not other.acquire()
    assert not other.active
    with pytest.raises(NotActive):
        other.commit(Change(hosts=(host(),)))
    assert journal.load(0) == State()
    assert other.holder() == journal.owner
    time.sleep(0.4)
    journal.commit(Change(hosts=(host(),)))  # a sign of life
    assert not other.acquire()
    time.sleep(0.4)
    assert not other.acquire()
    time.sleep(0.3)
    assert other.acquire()
    assert other.active
    with pytest.raises(NotActive):
        journal.commit(Change(hosts=(host("c2"),)))
    assert not journal.active
    assert list(other.load(0).hosts.values()) == [host()]


def test_of_two_that_take_over_one_does(journal, open_database):
    others = [SqlJournal(open_database(), 0.05) for _ in range(6)]
    assert not any(other.acquire() for other in others)
    time.sleep(0.1)
    took = []
    threads = [
        threading.Thread(target=lambda o=other: took.append(o.acquire()))
        for other in others
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(took) == [False] * 5 + [True]


def test_a_node_that_is_behind_is_not_believed(journal):
    """A decision on it would be made, and carried out, for a second time."""
    database, behind, query = journal._db, journal.load(0), sa.select(single)

    def lease():
        with database.read() as connection:
            return dict(connection.execute(query.where(LEASE)).mappings().one())

    def show(row):
        database.write(lambda c: c.execute(sa.update(single).where(LEASE).values(row)))

    old = lease()
    journal.commit(Change(hosts=(host(),), opened=(intent(),)))
    new = lease()
    show(old)  # as another node does that has not applied the commit
    with pytest.raises(JournalError, match="older state"):
        journal.load(0)
    show(new)
    assert journal.load(0) != behind
    show(old)  # for good: after a failover that has lost the newest commits
    journal.commit(Change())
    journal.load(0)


def test_an_orderly_end_frees_the_journal(journal, open_database):
    journal.release()
    assert not journal.active
    assert SqlJournal(open_database(), 30).acquire()


def test_activity_ends_before_another_can_take_over(database):
    journal = SqlJournal(database, 0.3)
    assert journal.acquire()
    assert journal.active
    time.sleep(0.31)
    assert not journal.active
    journal.renew()  # nobody took it
    assert journal.active


# The command line beside the engine.


def test_commands_need_no_lease(journal, open_database):
    SqlJournal(open_database()).add_commands([command()])
    assert journal.load(0).commands == {"k": command()}


def test_pauses_need_no_lease(journal, open_database):
    begun = Event(EventKind.PAUSED, 5.0)
    SqlJournal(open_database()).put_pauses([pause()], [begun])
    assert journal.load(0).pauses == {"p": pause()}
    journal.commit(Change())  # it is still the active one


def test_events_are_seen_in_the_order_of_their_numbers(journal, open_database):
    """Else the one that is seen late would never be sent: see Outbox."""
    seen, ended = [], threading.Event()
    outbox = Outbox(open_database())
    outbox.begin()

    def begin() -> None:
        beside = SqlJournal(open_database())
        for n in range(30):
            beside.put_pauses([pause(f"p{n}")], [Event(EventKind.PAUSED, float(n))])

    def send() -> None:
        last = False
        while not last:
            last = ended.is_set()
            for number, _ in (events := outbox.pending()):
                seen.append(number)
            if events:
                outbox.sent(events[-1][0])

    threads = [threading.Thread(target=begin) for _ in range(2)]
    sender = threading.Thread(target=send)
    for thread in (sender, *threads):
        thread.start()
    for n in range(30):
        journal.commit(Change(events=(Event(EventKind.BLIND, float(n)),)))
    for thread in threads:
        thread.join()
    ended.set()
    sender.join()
    assert len(seen) == len(set(seen)) == 90


def test_many_write_at_once(journal, open_database):
    def order(number: int) -> None:
        mine = SqlJournal(open_database())
        for n in range(10):
            mine.add_commands([command(f"{number}-{n}")])

    errors = []
    thread_hook, threading.excepthook = threading.excepthook, errors.append
    threads = [threading.Thread(target=order, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for n in range(30):
        journal.commit(Change(hosts=(host(start=float(n)),), opened=(intent(n),)))
        History(journal._db).purge(0)
    for thread in threads:
        thread.join()
    threading.excepthook = thread_hook
    assert errors == []
    state = journal.load(0)
    assert (len(state.commands), len(state.hosts), len(state.intents)) == (40, 30, 30)


# The active trigger's report.


def report(owner, at=1.0, **more):
    return Report(owner, at, 30.0, 15.0, at, **more)


def _read(journal: SqlJournal) -> Report:
    found = journal.report_and_age()
    assert found
    return found[0]


def test_a_report_is_replaced_under_the_lease(journal, open_database):
    assert journal.report_and_age() is None
    journal.put_report(report(journal.owner), alive=True)
    hosts = (HostNote("c1", 1.0, "no route \N{SNOWMAN} \0"),)
    troubles = (Standing("CLOUD", 2.0, "503"),)
    newer = report(journal.owner, 2.0, protected=3, broken=hosts, troubles=troubles)
    journal.put_report(newer, alive=True)
    other = SqlJournal(open_database(), 0.05)
    assert _read(other) == newer
    with pytest.raises(NotActive):
        other.put_report(report(other.owner), alive=True)
    with pytest.raises(NotActive):
        other.put_report(report(other.owner), alive=False)
    assert _read(journal) == newer
    assert journal.load(0) == State()


def test_how_old_a_report_is(journal, open_database):
    """By the database's clock, whatever the time in the report is."""
    other = SqlJournal(open_database())
    assert other.report_and_age() is None
    journal.put_report(report(journal.owner), alive=True)
    written = time.monotonic()
    found, age = other.report_and_age()
    assert found.at == 1.0
    assert -0.01 < age < 1
    time.sleep(1)
    age, passed = other.report_and_age()[1], time.monotonic() - written
    assert passed - 0.3 < age < passed + 0.3
    aged.report(open_database(), 3600)
    assert 3600 < other.report_and_age()[1] < 3610


def test_a_report_of_an_older_version_has_no_age(journal, open_database):
    journal.put_report(report(journal.owner), alive=True)
    of_old = sa.update(single).where(single.c.name == "report").values(beat=0)
    open_database().write(lambda connection: connection.execute(of_old))
    assert journal.report_and_age() == (report(journal.owner), None)


def test_a_report_is_a_sign_of_life_unless_the_trigger_is_stuck(journal, open_database):
    def beat():
        with journal._db.read() as connection:
            return connection.scalar(sa.select(single.c.beat).where(LEASE))

    before = beat()
    journal.put_report(report(journal.owner), alive=False)
    assert beat() == before
    journal.put_report(report(journal.owner), alive=True)
    assert beat() == before + 1
    assert not journal.renew()


def test_one_that_has_lost_the_lease_leaves_no_report(journal, open_database):
    time.sleep(0.7)
    other = SqlJournal(open_database(), 0.05)
    assert not other.acquire()
    time.sleep(0.1)
    assert other.acquire()
    with pytest.raises(NotActive):
        journal.put_report(report(journal.owner), alive=True)
    assert not journal.active
    assert other.report_and_age() is None
