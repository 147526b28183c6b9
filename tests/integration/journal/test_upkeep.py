# SPDX-License-Identifier: Apache-2.0
"""Maintenances and moves in the journal, the same on every database."""

import dataclasses

import pytest

from nova_ha_scheduler.cluster.picture import MoveKind
from nova_ha_scheduler.journal.history import History, HistoryQuery
from nova_ha_scheduler.reasons import Reason
from nova_ha_scheduler.records.events import Event, EventKind
from nova_ha_scheduler.records.maintenance_window import Window, WindowState
from nova_ha_scheduler.records.move import Move, MoveState
from nova_ha_scheduler.records.state import Change
from tests.integration.journal.samples import NASTY, reopened


def window(host="c1", start=1000.1, **more) -> Window:
    id, state = f"{host}@{start}/maintenance", WindowState.OPEN
    return Window(id, host, "Ann", NASTY, state, **{"started_at": start, **more})


def move(job, uuid="u1", state=MoveState.WAITING, **more) -> Move:
    return Move(job, uuid, f"name of {uuid}", "c1", state, **{"seen_at": 2.0, **more})


@pytest.fixture
def history(journal) -> History:
    return History(journal._db)


def test_all_fields_come_back(journal, open_database):
    kept = window(
        until=9.5,
        drain=True,
        flagged_by_us=True,
        stages={"open": 1.5},
        drained_at=3.0,
        reason=Reason.UNFLAGGED,
    )
    going = move(
        kept.id,
        home="c2",
        kind=MoveKind.COLD,
        reason=Reason.MOVE_RETRY,
        detail=NASTY,
        baseline=2**40,
        tried=("a", "b"),
    )
    journal.commit(Change(windows=(kept,), moves=(going,)))
    state = reopened(open_database)
    assert state.windows == {kept.id: kept}
    assert state.moves == {going.key: going}


def test_what_is_over_is_not_loaded(journal):
    """All moves of an open maintenance, and of a job of which one is not at its end."""
    still, over = window(), window("c2", ended_at=5.0)
    moved = {"state": MoveState.MOVED, "ended_at": 4.0}
    moves = (
        move(still.id, **moved),
        move(over.id, **moved),
        move("going home", **moved),
        move("going home", "u2"),
        move("all home", **moved),
    )
    journal.commit(Change(windows=(still, over), moves=moves))
    state = journal.load(0)
    assert list(state.windows) == [still.id]
    assert {key[0] for key in state.moves} == {still.id, "going home"}
    assert len(state.moves) == 3


def test_records_are_replaced(journal):
    first = window()
    journal.commit(Change(windows=(first,), moves=(move(first.id),)))
    later = dataclasses.replace(first, state=WindowState.ENDED, ended_at=7.0)
    journal.commit(Change(windows=(later,)))
    assert journal.load(0).windows == {}
    assert len(journal.load(0).moves) == 1  # its move is not at its end


def test_history(journal, history):
    windows = (window(start=1.0, ended_at=2.0), window(start=3.0), window("c2", 4.0))
    journal.commit(Change(windows=windows, moves=(move(windows[1].id),)))

    def starts(**query) -> list[float]:
        ended = query.pop("ended", True)
        return [w.started_at for w in history.windows(HistoryQuery(**query), ended)]

    assert starts() == [4.0, 3.0, 1.0]
    assert starts(host="c1") == [3.0, 1.0]
    assert starts(host="c1", ended=False) == [3.0]
    assert starts(limit=1) == [4.0]
    assert [m.server for m in history.moves(windows[1].id)] == ["u1"]
    assert history.moves("nothing") == []


def test_purge_never_touches_what_is_open(journal, history):
    still, over = window(), window("c2", ended_at=50.0)
    ended = {"state": MoveState.MOVED, "ended_at": 40.0}
    moves = (move(still.id, **ended), move(over.id, **ended), move("home", "u3"))
    events = tuple(
        Event(EventKind.MAINTENANCE_OPEN, 30.0, recovery=job)
        for job in (still.id, over.id)
    )
    journal.commit(Change(windows=(still, over), moves=moves, events=events))
    history.purge(60.0)
    assert [w.id for w in history.windows(HistoryQuery())] == [still.id]
    assert len(history.moves(still.id)) == 1
    assert history.moves(over.id) == []
    assert len(history.moves("home")) == 1
    assert [event.recovery for _, event in history.events(HistoryQuery())] == [still.id]
