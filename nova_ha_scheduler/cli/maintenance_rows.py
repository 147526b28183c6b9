# SPDX-License-Identifier: Apache-2.0
"""Maintenances and moves, as they are shown."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from nova_ha_scheduler.cli import history_rows
from nova_ha_scheduler.cli.values import Moment, seconds
from nova_ha_scheduler.records.maintenance_window import Window, WindowState
from nova_ha_scheduler.records.move import Move, MoveState
from nova_ha_scheduler.records.state import State


def row(window: Window, moves: list[Move]) -> dict[str, Any]:
    """One maintenance as it is shown."""
    return {
        "host": window.host,
        "state": window.state.value,
        "since": Moment(window.started_at),
        "until": Moment(window.until),
        "by": window.by,
        "reason": window.why,
        "drain": window.drain,
        "progress": _progress(moves),
        "held": window.sentence,
        "ended": Moment(window.ended_at),
    }


def line(row: dict[str, Any]) -> str:
    """The same for people."""
    until = f" until {row['until']}" if row["until"] else ""
    began = f"{row['host']}: {row['state']} since {row['since']}{until}"
    who = f"by {row['by']}: {row['reason']}"
    return "; ".join(filter(None, (began, row["progress"], row["held"], who)))


def move_row(move: Move) -> dict[str, Any]:
    """One server's move as it is shown."""
    return {
        "server": move.server,
        "name": move.name,
        "from": move.source,
        "to": move.destination if move.state is MoveState.MOVED else None,
        "how": move.kind.value if move.kind else None,
        "outcome": move.state.value,
        "reason": move.sentence,
        "priority": move.priority,
        "attempts": move.attempts,
        "request_id": move.request_id,
        "seconds": seconds(move.asked_at, move.ended_at),
    }


def move_line(row: dict[str, Any]) -> str:
    """The same for people."""
    end = f" to {row['to']}" if row["to"] else ""
    words = f"{row['name']} ({row['server']}): {row['outcome']}{end}"
    took = "" if row["seconds"] is None else f"{row['seconds']:g} s"
    return "; ".join(filter(None, (words, row["reason"], took)))


def open_windows(state: State) -> list[dict[str, Any]]:
    """The maintenances that are not over."""
    found = sorted(state.windows.values(), key=lambda window: window.host)
    moves = state.moves.values()
    return [row(w, [move for move in moves if move.job == w.id]) for w in found]


def going_home(state: State) -> list[dict[str, Any]]:
    """The hosts to which servers are on their way home."""
    homes: dict[str, list[Move]] = defaultdict(list)
    for move in state.moves.values():
        if move.home is not None:
            homes[move.home].append(move)
    return [
        {"host": home, "progress": _progress(moves)}
        for home, moves in sorted(homes.items())
    ]


def _progress(moves: Iterable[Move]) -> str:
    """ "3 waiting: no room, 1 moved"."""
    order = list(MoveState)
    in_order = sorted(moves, key=lambda move: order.index(move.state))
    found = history_rows.standings(in_order)
    return ", ".join(f"{number} {words}" for words, number in found.items())


WINDOW = tuple(row(Window("", "", "", "", WindowState.STARTING, 0.0), []))
"""The columns of a maintenance, also where there is none."""

MOVE = tuple(move_row(Move("", "", "", "", MoveState.WAITING, 0.0)))
"""The same of moves."""
