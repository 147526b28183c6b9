# SPDX-License-Identifier: Apache-2.0
"""What people ask of the journal, and what a purge leaves."""

import pytest
import sqlalchemy as sa

from nova_ha_scheduler.journal import tables
from nova_ha_scheduler.journal.history import History, HistoryQuery
from nova_ha_scheduler.records.events import Event, EventKind
from nova_ha_scheduler.records.host_recovery import HostState
from nova_ha_scheduler.records.server_recovery import ServerState
from nova_ha_scheduler.records.state import Change
from tests.integration.journal.samples import command, host, intent, pause, server


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
        (HistoryQuery(), [90, 80, 70, 60, 50, 40, 30, 20, 10, 0]),
        (HistoryQuery(since=20.0, until=50.0), [40, 30, 20]),
        (HistoryQuery(host="c1"), [90, 70, 50, 30, 10]),
        (HistoryQuery(host="c"), []),
        (HistoryQuery(server="u-4"), [40]),
        (HistoryQuery(server="name of u-4"), [40]),
        (HistoryQuery(server="u1", host="c0", until=40.0), [20, 0]),
        (HistoryQuery(outcome="incomplete"), [60, 30, 0]),
        (HistoryQuery(outcome="recovered", since=40.0), [80, 70, 50, 40]),
        (HistoryQuery(outcome="evacuating"), [90]),
        (HistoryQuery(limit=3), [90, 80, 70]),
        (HistoryQuery(limit=None, since=75.0), [90, 80]),
        (HistoryQuery(recovery="c1@30.0"), [30]),
    ],
)
def test_recoveries_by(history, query, found):
    assert starts(history.recoveries(query)) == found


def test_at_equal_times_the_order_is_always_the_same(journal):
    hosts = tuple(host(f"c{n}", 1 / 3) for n in range(7))
    journal.commit(Change(hosts=hosts))
    found = History(journal._db).recoveries(HistoryQuery(limit=5))
    assert [r.host for r in found] == [f"c{n}" for n in range(6, 1, -1)]


def test_servers_by(history):
    def uuids(**query):
        return [s.server for s in history.servers(HistoryQuery(**query))]

    assert uuids(recovery="c0@40.0") == ["u-4", "u1"]
    assert uuids(outcome="failed") == ["u-9", "u-6", "u-3", "u-0"]
    assert uuids(server="u1", until=30.0) == ["u1"] * 3
    assert uuids(host="c1", outcome="recovered") == ["u-7", "u-5", "u-1"]


def count(journal, table) -> int:
    with journal._db.read() as connection:
        return connection.scalar(sa.select(sa.func.count()).select_from(table))


def test_events_by(history):
    def at(**query):
        return [int(e.at) for _, e in history.events(HistoryQuery(**query))]

    assert at(limit=2) == [95, 93]
    assert at(server="u-4") == [43]
    assert at(outcome="guard.tripped") == [95, 1]
    assert at(host="c1", since=50.0) == [93, 73, 53]
    assert at(recovery="c0@20.0") == [23]


def test_purge_never_touches_what_is_open(journal, history):
    old = host("stuck", -1e6, state=HostState.INCOMPLETE)
    told = Event(EventKind.HOST_INCOMPLETE, -1e6, "stuck", old.id)
    journal.commit(
        Change(
            (old,),
            (server(old, "forgotten"),),
            opened=(intent(),),
            events=(told,),
            commands=(command("open"), command("shut", answer="done")),
            pauses=(pause("open"), pause("over", ended_at=6.0)),
        )
    )
    assert history.purge(45.0) == 4
    assert starts(history.recoveries(HistoryQuery())) == [
        90,
        80,
        70,
        60,
        50,
        40,
        -1000000,
    ]
    assert len(history.servers(HistoryQuery())) == 13
    assert told in [event for _, event in history.events(HistoryQuery())]
    assert [int(e.at) for _, e in history.events(HistoryQuery(host="c0"))] == [
        83,
        63,
        43,
    ]
    assert len(history.events(HistoryQuery(outcome="guard.tripped"))) == 1
    assert journal.command("shut") is None
    assert journal.command("open") is not None
    assert list(journal.load(0).intents) == ["i1"]
    assert list(journal.load(0).pauses) == ["open"]
    assert count(journal, tables.pauses) == 1
    assert history.purge(1e12) == 5
    assert starts(history.recoveries(HistoryQuery())) == [90, -1000000]


def test_purge_keeps_what_is_still_to_be_sent(journal, history):
    numbers = sorted(number for number, _ in history.events(HistoryQuery()))
    assert history.purge(80.0, sent=numbers[3]) == 8
    left = sorted(number for number, _ in history.events(HistoryQuery()))
    assert left == numbers[4:]
    assert history.purge(80.0, sent=numbers[-1]) == 0
    assert [int(e.at) for _, e in history.events(HistoryQuery())] == [95, 93, 83]


def test_the_number_of_a_purged_event_is_not_used_again(journal):
    history = History(journal._db)
    told = Change(events=(Event(EventKind.GUARD_TRIPPED, 1.0),))
    journal.commit(told)
    ((first, _),) = history.events(HistoryQuery())
    history.purge(2.0)
    assert history.events(HistoryQuery()) == []
    journal.commit(told)
    ((second, _),) = history.events(HistoryQuery())
    assert second > first
