# SPDX-License-Identifier: Apache-2.0
"""The journal, the same on every database."""

import dataclasses
import os
import signal
import subprocess
import sys
import threading
import time

import alembic.autogenerate
import alembic.migration
import pytest
import sqlalchemy as sa

from nova_ha_scheduler.evacuation.records import (
    Change,
    Command,
    CommandKind,
    Effect,
    Event,
    EventKind,
    Evidence,
    GuardRecord,
    HostRecovery,
    HostState,
    Intent,
    Outcome,
    Proof,
    Reason,
    Result,
    ServerRecovery,
    ServerState,
    State,
)
from nova_ha_scheduler.journal import JournalError, NotActive, tables
from nova_ha_scheduler.journal.database import Database
from nova_ha_scheduler.journal.history import History, Query
from nova_ha_scheduler.journal.store import SqlJournal
from tests.journal.conftest import make_conf

NASTY = "Ünï\U0001f600'\"\\%;--\0\ud800\n"


def host(name="c1", start=1000.1, **more) -> HostRecovery:
    fields = {"id": f"{name}@{start}", "host": name, "state": HostState.FENCED}
    return HostRecovery(**{**fields, "started_at": start, **more})


def server(recovery, uuid="u1", state=ServerState.WAITING, **more) -> ServerRecovery:
    fields = {"name": f"name of {uuid}", "source": recovery.host, "seen_at": 2.0}
    return ServerRecovery(recovery.id, uuid, state=state, **{**fields, **more})


def intent(number=1, **more) -> Intent:
    return Intent(f"i{number}", Effect.EVACUATE, "c1", 3.5, **more)


def command(key="k", **more) -> Command:
    fields = {"by": "Ann", "reason": "pulled", "at": 5.0, "expires_at": 905.0}
    return Command(key, CommandKind.CONFIRM_FENCED, "c1", **{**fields, **more})


@pytest.fixture
def journal(database) -> SqlJournal:
    found = SqlJournal(database, 30)
    assert found.acquire()
    return found


def reopened(open_database) -> State:
    return SqlJournal(open_database()).load(0)


# Schema.


def test_migrations_make_the_models(fresh, database):
    with database.read() as connection:
        context = alembic.migration.MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True}
        )
        assert alembic.autogenerate.compare_metadata(context, tables.metadata) == []


def test_upgrade_twice_keeps_everything(database, journal):
    journal.commit(Change(hosts=(host(),)))
    database.upgrade()
    assert journal.load(0).hosts


def test_without_tables(fresh, open_database):
    with pytest.raises(JournalError, match="tables are missing or older"):
        open_database().check()


@pytest.mark.parametrize("do", ["upgrade", "check"])
def test_tables_of_a_newer_version_are_left_alone(fresh, database, do):
    newer = sa.text("UPDATE alembic_version SET version_num = '999'")
    database.write(lambda connection: connection.execute(newer))
    with pytest.raises(JournalError, match="newer version than this one"):
        getattr(database, do)()


# The engine's part.


def test_empty(journal):
    assert journal.load(0) == State()


def test_all_fields_come_back(journal, open_database):
    recovery = host(
        stages={"suspected": 1.5, "fenced": 2.25},
        admitted_at=1.75,
        evidence=Evidence(Proof.POWER_OFF, "redfish", 2.0, NASTY),
        reason=Reason.UNFENCED,
        detail=NASTY,
        forced_down_by_us=True,
        disabled_by_us=True,
        closed_at=1.0,
        quiet_since=1700000000.123456,
        next_try_at=0.1 + 0.2,
        by_hand=True,
    )
    moved = server(
        recovery,
        state=ServerState.MOVING,
        name=NASTY,
        was_running=False,
        priority=7,
        reason=Reason.RETRY,
        attempts=2,
        baseline=2**40,
        tried=("a", "b"),
        destination="c2",
        request_id="req-1",
    )
    guard = GuardRecord(9.0, "three hosts")
    intents = tuple(intent(n) for n in range(20, 0, -1))
    change = Change(
        hosts=(recovery,),
        servers=(moved,),
        opened=intents,
        commands=(command(),),
        guard=guard,
    )
    journal.commit(change)
    state = reopened(open_database)
    assert state == State(
        {recovery.id: recovery},
        {(recovery.id, "u1"): moved},
        {i.id: i for i in intents},
        {"k": command()},
        guard,
    )
    assert list(state.intents) == [i.id for i in intents]


def test_records_are_replaced_and_intents_closed(journal, open_database):
    recovery = host()
    journal.commit(
        Change(
            hosts=(recovery,),
            servers=(server(recovery), server(recovery, "u2")),
            opened=(intent(1), intent(2)),
            commands=(command("k1"), command("k2")),
        )
    )
    later = dataclasses.replace(recovery, state=HostState.EVACUATING)
    asked = server(recovery, state=ServerState.ASKED)
    journal.commit(
        Change(
            hosts=(later,),
            servers=(asked,),
            closed=(Outcome(intent(1), Result.OK, 4.0),),
            commands=(command("k1", answer="done"),),
        )
    )
    state = reopened(open_database)
    assert state.hosts == {recovery.id: later}
    assert state.servers[recovery.id, "u1"] == asked
    assert state.servers[recovery.id, "u2"] == server(recovery, "u2")
    assert list(state.intents) == ["i2"]
    assert list(state.commands) == ["k2"]
    assert journal.command("k1") == command("k1", answer="done")
    assert journal.command("k3") is None


def test_ended_recoveries_stay_for_the_guards_window_only(journal):
    recoveries = (
        host("open", 1.0),
        host("old", 1.0, admitted_at=10.0, ended_at=11.0),
        host("edge", 1.0, admitted_at=20.0, ended_at=21.0),
        host("never-admitted", 1.0, ended_at=30.0),
    )
    servers = tuple(server(r) for r in recoveries)
    journal.commit(Change(hosts=recoveries, servers=servers))
    state = journal.load(20.0)
    assert {r.host for r in state.hosts.values()} == {"open", "edge"}
    assert set(state.servers) == {("open@1.0", "u1")}


def test_names_are_exact(journal):
    names = ("c1", "C1", "c10", "c1.example.org", "ç1")
    journal.commit(Change(hosts=tuple(host(name) for name in names)))
    found = History(journal._db).recoveries(Query(host="c1"))
    assert [r.host for r in found] == ["c1"]
    assert len(journal.load(0).hosts) == 5


def test_a_change_is_all_or_nothing(journal, open_database):
    events = (Event(None, 1.0),)  # breaks while the rest is written already
    change = Change(hosts=(host(),), opened=(intent(),), events=events)
    with pytest.raises(AttributeError):
        journal.commit(change)
    assert reopened(open_database) == State()


def test_a_long_list_of_affected_servers(journal):
    uuids = tuple(f"{n:036d}" for n in range(5000))
    event = Event(EventKind.HOST_FENCED, 1.0, "c1", servers=uuids)
    journal.commit(Change(events=(event,)))
    assert History(journal._db).events(Query())[0][1] == event


def test_no_text_stops_a_commit(journal):
    texts = {
        f.name: NASTY * 400
        for f in dataclasses.fields(Event)
        if f.name not in ("kind", "at", "servers")
    }
    journal.commit(Change(events=(Event(EventKind.SERVER_LEFT, 1.0, **texts),)))
    ((_, event),) = History(journal._db).events(Query())
    assert event.server_name.startswith("Ünï\U0001f600'\"\\%;--?\n")
    assert len(event.server_name) == 255


def test_a_record_of_a_newer_version_is_not_misread(journal):
    journal.commit(Change(guard=GuardRecord()))
    text = sa.update(tables.single).values(record='{"reason": "", "since": 1}')
    journal._db.write(lambda connection: connection.execute(text))
    with pytest.raises(JournalError, match="GuardRecord in the journal cannot be read"):
        journal.load(0)


# The lease.


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
    SqlJournal(open_database()).add_command(command())
    assert journal.load(0).commands == {"k": command()}


def test_many_write_at_once(journal, open_database):
    def order(number: int) -> None:
        mine = SqlJournal(open_database())
        for n in range(10):
            mine.add_command(command(f"{number}-{n}"))

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


# History.


@pytest.fixture
def history(journal) -> History:
    """Ten recoveries at 0, 10 ... 90 of c0 and c1; the last one is open."""
    hosts, servers, events = [], [], []
    for n in range(10):
        ended = None if n == 9 else n * 10 + 5.0
        end = "incomplete" if n % 3 == 0 else "recovered"
        recovery = host(
            f"c{n % 2}",
            n * 10.0,
            state=HostState.EVACUATING if n == 9 else HostState.CLOSED,
            stages={"fenced": n * 10.0} if n == 9 else {end: n * 10.0 + 4},
            ended_at=ended,
        )
        hosts.append(recovery)
        final = ServerState.FAILED if n % 3 == 0 else ServerState.RECOVERED
        servers += [server(recovery), server(recovery, f"u-{n}", final)]
        events.append(
            Event(
                EventKind.SERVER_RECOVERED,
                n * 10.0 + 3,
                recovery.host,
                recovery.id,
                f"u-{n}",
                source=recovery.host,
            )
        )
    events.append(Event(EventKind.GUARD_TRIPPED, 95.0, reason="storm"))
    events.insert(0, Event(EventKind.GUARD_TRIPPED, 1.0, reason="storm"))
    journal.commit(Change(tuple(hosts), tuple(servers), events=tuple(events)))
    return History(journal._db)


def starts(recoveries) -> list[int]:
    return [int(r.started_at) for r in recoveries]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (Query(), [90, 80, 70, 60, 50, 40, 30, 20, 10, 0]),
        (Query(since=20.0, until=50.0), [40, 30, 20]),
        (Query(host="c1"), [90, 70, 50, 30, 10]),
        (Query(host="c"), []),
        (Query(server="u-4"), [40]),
        (Query(server="name of u-4"), [40]),
        (Query(server="u1", host="c0", until=40.0), [20, 0]),
        (Query(outcome="incomplete"), [60, 30, 0]),
        (Query(outcome="recovered", since=40.0), [80, 70, 50, 40]),
        (Query(outcome="evacuating"), [90]),
        (Query(limit=3), [90, 80, 70]),
        (Query(limit=3, after="c1@70.0"), [60, 50, 40]),
        (Query(limit=3, after="c0@0.0"), []),
        (Query(recovery="c1@30.0"), [30]),
    ],
)
def test_recoveries_by(history, query, found):
    assert starts(history.recoveries(query)) == found


def test_a_page_after_nothing_known(history):
    with pytest.raises(JournalError, match="there is no recovery c9"):
        history.recoveries(Query(after="c9"))


def test_pages_join_also_at_equal_times(journal):
    hosts = tuple(host(f"c{n}", 1 / 3) for n in range(7))
    journal.commit(Change(hosts=hosts))
    history, found, after = History(journal._db), [], None
    while page := history.recoveries(Query(limit=2, after=after)):
        found += [r.host for r in page]
        after = page[-1].id
    assert found == [f"c{n}" for n in range(6, -1, -1)]


def test_servers_by(history):
    def uuids(**query):
        return [s.server for s in history.servers(Query(**query))]

    assert uuids(recovery="c0@40.0") == ["u-4", "u1"]
    assert uuids(outcome="failed") == ["u-9", "u-6", "u-3", "u-0"]
    assert uuids(server="u1", until=30.0) == ["u1"] * 3
    assert uuids(host="c1", outcome="recovered") == ["u-7", "u-5", "u-1"]


def test_events_by(history):
    def at(**query):
        return [int(e.at) for _, e in history.events(Query(**query))]

    assert at(limit=2) == [95, 93]
    assert at(server="u-4") == [43]
    assert at(outcome="guard.tripped") == [95, 1]
    assert at(host="c1", since=50.0) == [93, 73, 53]
    assert at(recovery="c0@20.0") == [23]
    page = history.events(Query(limit=2))
    assert at(limit=1, after=page[-1][0]) == [83]


def test_purge_never_touches_what_is_open(journal, history):
    old = host("stuck", -1e6, state=HostState.INCOMPLETE)
    told = Event(EventKind.HOST_INCOMPLETE, -1e6, "stuck", old.id)
    journal.commit(
        Change(
            (old,),
            (server(old, "forgotten"),),
            (intent(),),
            events=(told,),
            commands=(command("open"), command("shut", answer="done")),
        )
    )
    assert history.purge(45.0) == 4
    assert starts(history.recoveries(Query())) == [90, 80, 70, 60, 50, 40, -1000000]
    assert len(history.servers(Query())) == 13
    assert told in [event for _, event in history.events(Query())]
    assert [int(e.at) for _, e in history.events(Query(host="c0"))] == [83, 63, 43]
    assert len(history.events(Query(outcome="guard.tripped"))) == 1
    assert journal.command("shut") is None
    assert journal.command("open") is not None
    assert list(journal.load(0).intents) == ["i1"]
    assert history.purge(1e12) == 5
    assert starts(history.recoveries(Query())) == [90, -1000000]


# Crashes.

WRITER = """
import sys
from tests.journal.conftest import make_conf
from tests.journal.test_journal import *
journal = SqlJournal(Database(make_conf(sys.argv[1])))
assert journal.acquire()
for n in range(1_000_000):
    one = host(f"c{n}")
    change = Change((one,), (server(one), server(one, "u2")), (intent(n),))
    journal.commit(change)
    print(n, flush=True)
"""


def test_a_killed_writer_leaves_whole_changes(database, url, open_database):
    root = os.path.dirname(os.path.dirname(os.path.dirname(__file__)))
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
    "url",
    ["sqlite:////no/such/folder/j.sqlite", "mysql+pymysql://u:hunter2@127.0.0.1:9/j"],
)
def test_a_database_that_cannot_be_had(url):
    with pytest.raises(JournalError, match="the journal's database failed") as error:
        Database(make_conf(url)).check()
    assert "hunter2" not in str(error.value)
