# SPDX-License-Identifier: Apache-2.0
"""Records, the same on every database."""

import dataclasses
import weakref

import pytest
import sqlalchemy as sa

from nova_ha_scheduler.journal import JournalError, tables
from nova_ha_scheduler.journal.history import History, HistoryQuery
from nova_ha_scheduler.journal.store import SqlJournal
from nova_ha_scheduler.reasons import Reason
from nova_ha_scheduler.records.effects import Outcome, Result
from nova_ha_scheduler.records.events import Event, EventKind
from nova_ha_scheduler.records.evidence import Evidence, Proof
from nova_ha_scheduler.records.guard_record import GuardRecord
from nova_ha_scheduler.records.host_recovery import HostState
from nova_ha_scheduler.records.server_recovery import ServerState
from nova_ha_scheduler.records.state import Change, State
from tests.integration.journal.samples import (
    NASTY,
    command,
    host,
    intent,
    pause,
    reopened,
    server,
)


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
        aborted=f"Ann: {NASTY}",
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
        pauses=(pause(reason=NASTY, until=9.5, zone="nfs-a"),),
    )
    journal.commit(change)
    state = reopened(open_database)
    assert state == State(
        {recovery.id: recovery},
        {(recovery.id, "u1"): moved},
        {i.id: i for i in intents},
        {"k": command()},
        guard,
        {"p": pause(reason=NASTY, until=9.5, zone="nfs-a")},
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


def test_what_stays_is_read_once(journal):
    """Also while the service asks in turns for what the guard counts, and without."""
    recoveries = host("open"), host("ended", admitted_at=10.0, ended_at=11.0)
    journal.commit(Change(hosts=recoveries, servers=(server(recoveries[0]),)))
    with_ended, without, again = (journal.load(since) for since in (5.0, 20.0, 5.0))
    (key,) = without.servers
    assert without.servers[key] is again.servers[key] is with_ended.servers[key]
    ended = recoveries[1].id
    assert again.hosts[ended] is with_ended.hosts[ended]


def test_what_has_ended_or_changed_is_let_go(journal):
    recovery = host()
    journal.commit(Change(hosts=(recovery,), servers=(server(recovery),)))
    state = journal.load(0)
    records = (*state.hosts.values(), *state.servers.values())
    gone = [weakref.ref(record) for record in records]
    assert all(ref() for ref in gone)
    del state, records
    journal.commit(Change(hosts=(dataclasses.replace(recovery, ended_at=9.0),)))
    for _ in range(3):
        journal.load(0)
    assert not any(ref() for ref in gone)


def test_ended_pauses_are_history(journal, open_database):
    beside = SqlJournal(open_database())
    begun = Event(EventKind.PAUSED, 5.0, reason="begun")
    pauses = [pause("p1"), pause("p2", at=4.0, host="c1")]
    beside.put_pauses(pauses, [begun])
    assert [p.id for p in journal.pauses()] == ["p2", "p1"]
    assert list(journal.load(0).pauses) == ["p2", "p1"]
    journal.commit(Change(pauses=(pause("p1", ended_at=6.0),)))
    ended = pause("p2", at=4.0, host="c1", ended_at=7.0, ended_by="Bob")
    beside.put_pauses([ended], [])
    assert list(journal.pauses()) == []
    assert journal.load(0).pauses == {}
    assert History(journal._db).events(HistoryQuery())[0][1] == begun


def test_names_are_exact(journal):
    names = ("c1", "C1", "c10", "c1.example.org", "ç1")
    journal.commit(Change(hosts=tuple(host(name) for name in names)))
    found = History(journal._db).recoveries(HistoryQuery(host="c1"))
    assert [r.host for r in found] == ["c1"]
    assert len(journal.load(0).hosts) == 5


def test_a_change_is_all_or_nothing(journal, open_database):
    events = (Event(None, 1.0),)  # is refused when the rest is written already
    change = Change(hosts=(host(),), opened=(intent(),), events=events)
    with pytest.raises(JournalError):
        journal.commit(change)
    assert reopened(open_database) == State()


def test_an_order_that_two_write_down_is_one(journal):
    first = command()
    journal.add_command_once(first)
    journal.add_command_once(dataclasses.replace(first, reason="the other's"))
    assert list(journal.load(0).commands.values()) == [first]
    answered = dataclasses.replace(first, answer="the host is dead")
    assert journal.acquire()
    journal.commit(Change(commands=(answered,)))
    journal.add_command_once(first)
    assert journal.commands([first.id]) == [answered]


def test_a_long_list_of_affected_servers(journal):
    uuids = tuple(f"{n:036d}" for n in range(5000))
    event = Event(EventKind.HOST_FENCED, 1.0, "c1", servers=uuids)
    journal.commit(Change(events=(event,)))
    assert History(journal._db).events(HistoryQuery())[0][1] == event


def test_no_text_stops_a_commit(journal):
    texts = {
        f.name: NASTY * 400
        for f in dataclasses.fields(Event)
        if f.name not in ("kind", "at", "servers")
    }
    journal.commit(Change(events=(Event(EventKind.SERVER_LEFT, 1.0, **texts),)))
    ((_, event),) = History(journal._db).events(HistoryQuery())
    assert event.server_name.startswith("Ünï\U0001f600'\"\\%;--?\n")
    assert len(event.server_name) == 255


def test_a_record_of_a_newer_version_is_not_misread(journal):
    journal.commit(Change(guard=GuardRecord()))
    text = sa.update(tables.single).values(record='{"reason": "", "since": 1}')
    journal._db.write(lambda connection: connection.execute(text))
    with pytest.raises(JournalError, match="GuardRecord in the journal cannot be read"):
        journal.load(0)
