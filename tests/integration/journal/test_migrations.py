# SPDX-License-Identifier: Apache-2.0
"""Tables, and the migrations that make and change them, on every database."""

import dataclasses
import json

import alembic.autogenerate
import alembic.migration
import pytest
import sqlalchemy as sa

from nova_ha_scheduler.journal import JournalError, schema, tables
from nova_ha_scheduler.journal.store import SqlJournal
from nova_ha_scheduler.reasons import Reason
from nova_ha_scheduler.records.host_recovery import HostPhase, HostRecovery, HostState
from nova_ha_scheduler.records.maintenance_window import Window, WindowState
from nova_ha_scheduler.records.move import Move, MovePhase, MoveState
from nova_ha_scheduler.records.old_request import OldRequest
from nova_ha_scheduler.records.server_recovery import ServerPhase, ServerState
from nova_ha_scheduler.records.state import Change, State
from tests.integration.journal import first_tables
from tests.integration.journal.samples import (
    command,
    host,
    server,
)


def differences(database) -> list:
    """What alembic would still have to do to have the tables of this version."""
    with database.read() as connection:
        context = alembic.migration.MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True}
        )
        return alembic.autogenerate.compare_metadata(context, tables.metadata)


def test_a_new_database_has_the_tables(fresh, database):
    assert differences(database) == []


def test_migrations_make_the_tables(fresh, open_database):
    database = open_database()
    database.write(first_tables.make)
    database.upgrade()
    assert differences(database) == []
    journal = SqlJournal(database)
    assert journal.acquire()
    journal.commit(Change(hosts=(host(),)))
    assert list(journal.load(0).hosts.values()) == [host()]


def test_a_journal_from_before_there_were_pauses(fresh, open_database):
    """As the first version left it, in the middle of a recovery."""
    old = "UPDATE host_recoveries SET record = :record"
    record = (
        '{"id": "c1@1000.1", "host": "c1", "state": "FENCED", "started_at": 1000.1}'
    )
    order = {"id": "k", "kind": "CONFIRM_FENCED", "host": "c1", "by": "Ann"}
    order |= {"reason": "pulled", "at": 5.0, "expires_at": 905.0, "answer": ""}
    database = open_database()
    database.write(first_tables.make)
    row = {"id": "k", "at": 5.0, "answer": "", "record": json.dumps(order)}
    host_row = {"id": "c1@1000.1", "host": "c1", "outcome": "fenced"}
    host_row |= {"started_at": 1000.1, "record": "{}"}

    def fill(connection):
        tables_of = first_tables.metadata.tables
        connection.execute(sa.insert(tables_of["host_recoveries"]).values(host_row))
        connection.execute(sa.text(old), {"record": record})
        connection.execute(sa.insert(tables_of["commands"]).values(row))

    database.write(fill)
    with pytest.raises(JournalError, match="older than this version"):
        database.check()
    database.upgrade()
    database.check()
    assert differences(database) == []
    state = SqlJournal(database).load(0)
    assert state == State({"c1@1000.1": host()}, commands={"k": command()})


def test_what_was_to_be_read_between_the_lines_before_006(fresh, open_database):
    """That a server had landed, and that an answer was lost in a restart."""
    recovery, database = host(), open_database()
    lost = {
        "reason": Reason.UNRESOLVED,
        "detail": "the trigger was restarted before it learned the result",
    }
    servers = (
        server(recovery, "u1", ServerState.MOVING, landed_at=7.0),
        server(recovery, "u2", ServerState.MOVING),
        server(recovery, "u3", ServerState.ASKED, **lost),
        server(recovery, "u4", ServerState.ASKED, reason=Reason.UNRESOLVED),
    )
    move = Move("job", "u5", "five", "c2", MoveState.ASKED, 2.0, **lost)
    database.upgrade()
    journal = SqlJournal(database)
    assert journal.acquire()
    journal.commit(Change(hosts=(recovery,), servers=servers, moves=(move,)))

    def back(connection):
        for table in tables.servers, tables.moves:
            for row in connection.execute(sa.select(table)).all():
                old = json.loads(row.record)
                del old["answer_lost"]
                same = table.c.server == row.server
                new = sa.update(table).where(same).values(record=json.dumps(old))
                connection.execute(new)
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '005'"))

    database.write(back)
    database.upgrade()
    state = journal.load(0)
    found = {s.server: (s.state, s.answer_lost) for s in state.servers.values()}
    assert found == {
        "u1": (ServerState.LANDED, False),
        "u2": (ServerState.MOVING, False),
        "u3": (ServerState.ASKED, True),
        "u4": (ServerState.ASKED, False),
    }
    assert [move.answer_lost for move in state.moves.values()] == [True]
    with database.read() as connection:
        words = connection.scalars(sa.select(tables.servers.c.state)).all()
    assert sorted(words) == ["asked", "asked", "landed", "moving"]


_KEYS = {
    tables.hosts: ("id",),
    tables.servers: ("recovery", "server"),
    tables.moves: ("job", "server"),
}


def test_what_was_to_be_read_from_reasons_before_007(fresh, open_database):
    """Each phase; and since when a host was watched that is not closed yet."""
    recovery, database = host(), open_database()
    held = HostRecovery("c2@5.0", "c2", HostState.FENCED, 5.0, watched_at=8.0)
    held = held.because(Reason.SEEN_ALIVE, "ping", HostPhase.ALIVE_TO_WITNESSES)
    closed = dataclasses.replace(recovery, state=HostState.EVACUATING, closed_at=9.0)
    waiting = server(recovery, "u1", ServerState.WAITING)
    gone = server(recovery, "u2", ServerState.LEFT)
    move = Move("job", "u5", "five", "c2", MoveState.WAITING, 2.0)
    known = Change(
        hosts=(held, closed.because(Reason.MAINTENANCE, phase=HostPhase.MAINTENANCE)),
        servers=(
            waiting.because(Reason.TASK_STATE, "rebuilding", ServerPhase.BUSY),
            gone.because(Reason.GONE, phase=ServerPhase.AS_INTENDED),
            server(recovery, "u3", ServerState.ASKED),
        ),
        moves=(move.because(Reason.RESIZED, "c3", MovePhase.COMING_BACK),),
    )
    database.upgrade()
    journal = SqlJournal(database)
    assert journal.acquire()
    journal.commit(known)

    def back(connection):
        for table in tables.hosts, tables.servers, tables.moves:
            for row in connection.execute(sa.select(table)).all():
                old = json.loads(row.record)
                watched, _ = old.pop("watched_at", None), old.pop("phase", None)
                if table is tables.hosts:
                    old["closed_at"] = watched or old.get("closed_at")
                same = sa.and_(*(table.c[k] == getattr(row, k) for k in _KEYS[table]))
                new = sa.update(table).where(same).values(record=json.dumps(old))
                connection.execute(new)
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '006'"))

    database.write(back)
    database.upgrade()
    state = journal.load(0)
    assert state == State().after(known)


def test_whose_task_state_was_to_be_taken_away_before_013(fresh, open_database):
    recovery, database = host(), open_database()
    waiting = server(recovery, "u1", ServerState.WAITING)
    known = Change(
        hosts=(recovery,),
        servers=(
            waiting.because(Reason.TASK_STATE, "reboot_started", ServerPhase.BUSY),
            server(recovery, "u2", ServerState.ASKED),
        ),
    )
    database.upgrade()
    journal = SqlJournal(database)
    assert journal.acquire()
    journal.commit(known)

    def back(connection):
        first = tables.servers.c.server == "u1"
        (text,) = connection.scalars(sa.select(tables.servers.c.record).where(first))
        old = {**json.loads(text), "reason": "INTERRUPTED", "phase": "INTERRUPTED"}
        new = sa.update(tables.servers).where(first).values(record=json.dumps(old))
        connection.execute(new)
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '012'"))

    database.write(back)
    database.upgrade()
    assert journal.load(0) == State().after(known)


def test_what_stood_among_the_times_of_states_before_025(fresh, open_database):
    """What was done in a maintenance; and old requests had another name."""
    recovery, database = host(), open_database()
    old = OldRequest(recovery.id, recovery.id, "u1", "one", recovery.host)
    window = Window("w", "c2", "Ann", "a fan", WindowState.OPEN, 1.0)
    window = dataclasses.replace(
        window, stages={"starting": 1.0, "open": 3.0}, done_at={"flag": 2.0}
    )
    known = Change(
        hosts=(dataclasses.replace(recovery, old_requests=(old,)),), windows=(window,)
    )
    database.upgrade()
    journal = SqlJournal(database)
    assert journal.acquire()
    journal.commit(known)

    def back(connection):
        for table in tables.hosts, tables.windows:
            for row in connection.execute(sa.select(table)).all():
                record = json.loads(row.record)
                if table is tables.hosts:
                    record["late"] = record.pop("old_requests")
                else:
                    record["stages"] |= record.pop("done_at")
                new = sa.update(table).values(record=json.dumps(record))
                connection.execute(new.where(table.c.id == row.id))
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '024'"))

    database.write(back)
    database.upgrade()
    assert journal.load(0) == State().after(known)


def test_an_upgrade_goes_on_where_it_was_interrupted(fresh, open_database):
    """MariaDB keeps a table that was made, whatever becomes of the rest."""
    database = open_database()
    database.write(first_tables.make)
    database.write(tables.pauses.create)
    database.upgrade()
    assert differences(database) == []


def test_making_the_tables_goes_on_where_it_was_interrupted(fresh, open_database):
    database = open_database()
    database.write(tables.hosts.create)
    database.write(tables.single.create)
    database.upgrade()
    assert differences(database) == []
    assert SqlJournal(database).acquire()


def test_upgrade_twice_keeps_everything(database, journal):
    journal.commit(Change(hosts=(host(),)))
    database.upgrade()
    assert journal.load(0).hosts


def test_the_newest_migration_is_alembics(fresh, database):
    with database.read() as connection:
        found = alembic.migration.MigrationContext.configure(connection)
        assert schema.revisions()[-1] == found.get_current_revision()


def test_without_tables(fresh, open_database):
    with pytest.raises(JournalError, match="no tables of a journal yet .*start"):
        open_database().check()


@pytest.mark.parametrize("do", ["upgrade", "check"])
def test_tables_of_a_newer_version_are_left_alone(fresh, database, do):
    newer = sa.text("UPDATE alembic_version SET version_num = '999'")
    database.write(lambda connection: connection.execute(newer))
    with pytest.raises(JournalError, match="newer version than this one"):
        getattr(database, do)()
