# SPDX-License-Identifier: Apache-2.0
"""The servers of a host under maintenance leave it; those that cannot are looked at
again, and leave when they can, for as long as the maintenance lasts. It is empty when
none is on it, and none of those that have left may come back.
"""

from dataclasses import replace

from nova_ha_scheduler.cluster.picture import Server
from nova_ha_scheduler.evacuation.maintenance import halting, move_states, moves
from nova_ha_scheduler.evacuation.step import Step
from nova_ha_scheduler.reasons import Reason
from nova_ha_scheduler.records.events import EventKind
from nova_ha_scheduler.records.maintenance_window import (
    Window,
    WindowPhase,
    WindowState,
)
from nova_ha_scheduler.records.move import Move, MoveState


def follow(step: Step, window: Window) -> None:
    """Take in the host's servers, and bring each one's move up to date."""
    if window.host not in step.picture.scope.leaving:
        return
    for server in step.picture.servers_of(window.host):
        if (window.id, server.uuid) not in step.moves:
            step.put(moves.begin(step, window.id, server))
    for found in step.picture.may_return(window.host):
        move_states.may_return(step, window.id, found)
    for move in step.moves_of(window.id):
        new = move_states.FUNCTIONS[move.state](step, move)
        step.put(move_states.judged_again(step, new))


def again(step: Step, window: Window) -> Window | None:
    """The maintenance, whose host is drained after all, or what failed tried again;
    None if that is under way already."""
    failed = [m for m in step.moves_of(window.id) if m.state is MoveState.FAILED]
    if window.drain and not failed:
        return None
    for move in failed:
        stop_at = step.now if move.halted else None
        fresh = {"attempts": 0, "tried": (), "stop_at": stop_at}
        move = step.set(move.because(None), MoveState.WAITING, **fresh)
        step.put(move.put_off(step.now))
    return replace(window, drain=True, drained_at=None, next_look_at=step.now)


def conclude(step: Step) -> None:
    """Tell of each host that nothing more can leave now; after the new moves."""
    for window in step.open_windows():
        looked = window.host in step.picture.scope.leaving
        if looked and window.drain and window.state is WindowState.OPEN:
            step.put(_concluded(step, window))


def _concluded(step: Step, window: Window) -> Window:
    mine = step.moves_of(window.id)
    known = {move.server for move in mine}
    unknown = any(server.uuid not in known for server in _not_gone(step, window))
    if unknown or any(_pending(step, move) for move in mine):
        at_once = min(window.next_look_at, step.now)
        return replace(window, drained_at=None, next_look_at=at_once)
    idle = step.now + step.options.idle_interval
    if unread := _unread(step, window):
        why, phase = Reason.MAY_RETURN_UNKNOWN, WindowPhase.UNREADABLE
        window = step.hold(window, why, unread, phase)
        return replace(window, drained_at=None, next_look_at=idle)
    if window.phase is WindowPhase.UNREADABLE:
        window = window.because(None)
    told_at = window.drained_at or 0.0
    if window.drained_at is None or any((m.ended_at or 0.0) > told_at for m in mine):
        window = replace(window, drained_at=None)
        words = _words(step, window)
        step.tell(EventKind.MAINTENANCE_DRAINED, window, reason=words)
    drained_at = window.drained_at or step.now
    return replace(window, drained_at=drained_at, next_look_at=idle)


def _pending(step: Step, move: Move) -> bool:
    """Whether the move will go on by itself; none does whose source is down."""
    if move.state is MoveState.STARTING:
        return True
    if move.under_way:
        return not moves.is_down(step, move)
    stuck = move.phase is not None and move.phase.stuck
    return move.state is MoveState.WAITING and not stuck


def _unread(step: Step, window: Window) -> str:
    """What cannot be read of who has left the host; "": all can."""
    found = (str(u) for u in step.picture.unread if u.source == window.host)
    return ", ".join(dict.fromkeys(found))


def _words(step: Step, window: Window) -> str:
    mine = {move.server: move for move in step.moves_of(window.id)}
    moved = sum(move.state is MoveState.MOVED for move in mine.values())
    left = [
        f"{server.name} ({mine[server.uuid].sentence or mine[server.uuid].state.value})"
        for server in _not_gone(step, window)
    ]
    left += [f"{m.name} ({m.sentence})" for m in mine.values() if _is_off(step, m)]
    return (
        f"{moved} moved, left: {', '.join(left)}" if left else f"empty: {moved} moved"
    )


def _not_gone(step: Step, window: Window) -> list[Server]:
    """The servers that are on the host, or may come back to it."""
    away = [found.server for found in step.picture.may_return(window.host)]
    return [*step.picture.servers_of(window.host), *away]


def _is_off(step: Step, move: Move) -> bool:
    """Whether it has left, and was stopped for that, and does not start."""
    here = {server.uuid for server in step.picture.servers_of(move.source)}
    return move.halted and move.state.final and move.server not in here


def finish(step: Step, window: Window) -> int:
    """Begin nothing more. :returns: how many moves are still under way, or have
    servers that are to be started again."""
    for move in step.moves_of(window.id):
        if move.state is MoveState.WAITING:
            why = f": {move.sentence}" if move.reason else ""
            step.put(moves.left(step, move, Reason.WINDOW_ENDED, why))
        elif window.host in step.picture.scope.leaving:
            step.put(move_states.FUNCTIONS[move.state](step, move))
    mine = [move for move in step.moves_of(window.id) if not move.state.final]
    return sum(move.under_way or move.halted for move in mine)


def abandon(step: Step, window: Window) -> None:
    """Follow nothing any more but who was stopped for the move; see follow_halted."""
    for move in step.moves_of(window.id):
        if not move.state.final and not halting.has_begun(move):
            step.put(moves.left(step, move, Reason.ABANDONED))


def follow_halted(step: Step) -> None:
    """Go on with servers that were stopped for the move, and whose maintenance was
    ended by force: until they are started."""
    for move in list(step.moves.values()):
        window = step.windows.get(move.job)
        is_over = window is None or window.ended_at is not None
        if is_over and halting.has_begun(move) and not move.state.final:
            if move.state is MoveState.WAITING:
                step.put(moves.left(step, move, Reason.ABANDONED))
            else:
                step.put(move_states.FUNCTIONS[move.state](step, move))
