# SPDX-License-Identifier: Apache-2.0
"""A server that cannot be moved while it runs leaves a host that is drained all the
same, where the operator lets that be: it is stopped, moved cold, and started again.

===================  ================================================================
who                  one that runs, of which Nova refuses each live migration, or of
                     which every attempt has failed. Nobody who goes home
first                there has to be a place for it, and its hypervisor has to say that
                     it runs: after a live migration that went wrong, it may run at its
                     destination, whatever Nova shows
it is stopped        once in a maintenance; not again if its owner starts it
it is moved          before others, as any server that is stopped
it is started        where it is then. That is its source if it does not move: no room
                     any more, a cold migration that fails, the maintenance's end; or a
                     pause, after which all begins anew
who was stopped by   is moved cold, and stays stopped
its owner
===================  ================================================================

Whether Nova got a request to stop whose answer is lost is seen by the server's record:
as long as Nova has not written that, it did not.
"""

from dataclasses import replace

from nova_ha_scheduler.cluster.picture import MoveKind, Server
from nova_ha_scheduler.evacuation.maintenance import moves
from nova_ha_scheduler.evacuation.step import Step
from nova_ha_scheduler.planner import triage
from nova_ha_scheduler.reasons import Reason
from nova_ha_scheduler.records import pauses
from nova_ha_scheduler.records.effects import Effect
from nova_ha_scheduler.records.events import EventKind
from nova_ha_scheduler.records.move import Move, MovePhase, MoveState

_AT_REST = ("stopped", "error", "resized")
"""The vm_states in which a server that was stopped may be, until somebody starts it."""


def comes_next(step: Step, move: Move) -> bool:
    """Whether the server may be stopped now that its live migrations have failed."""
    wanted = step.options.maintenance_stop_to_move and move.home is None
    return wanted and not move.stop_asked and _was_tried(move)


def _was_tried(move: Move) -> bool:
    return move.kind is MoveKind.LIVE and move.attempts > 0


def _is_used_up(step: Step, move: Move) -> bool:
    return _was_tried(move) and move.attempts >= step.options.maintenance_attempts


def is_to_stop(step: Step, move: Move, server: Server) -> bool:
    """Whether the server has to be stopped to be moved, and may be. Nova shows one in
    error, though it runs, whose live migration was given up in the middle."""
    in_error = server.vm_state == "error" and _was_tried(move)
    over = server.refused_live or in_error or _is_used_up(step, move)
    wanted = step.options.maintenance_stop_to_move and move.home is None
    runs = server.running and (server.vm_state == "active" or in_error)
    may = wanted and not move.stop_asked and not server.refused_cold
    return bool(over and may and runs)


def why_not(step: Step, move: Move, server: Server) -> triage.Why | None:
    """Why the server is not to be moved, nor to be stopped for that."""
    return None if is_to_stop(step, move, server) else moves.why_not(server)


def has_begun(move: Move) -> bool:
    """Whether the server may have been stopped, and is to be started again."""
    asked = move.state is MoveState.STOPPING and move.stop_asked
    return move.halted or asked


def is_open_to(move: Move, server: Server) -> bool:
    """Whether a move that has ended may begin anew, as far as this goes. One that was
    stopped for it, and runs, would have to be stopped again; one that its owner has
    stopped since would not."""
    if move.state is MoveState.MOVED:
        return True  # it has come back
    if move.halted:
        return False
    if move.stop_asked:
        return server.vm_state == "stopped"
    return move.state is not MoveState.FAILED


def over(step: Step, move: Move, server: Server) -> Move | None:
    """The move of a server whose live migrations have failed, if it is not stopped for
    it after all: its owner was faster; or something stands against it."""
    if not _is_used_up(step, move) or is_to_stop(step, move, server):
        return None
    if moves.KINDS[server.vm_state] is MoveKind.COLD:
        return replace(move.because(None), kind=None, attempts=0, tried=())
    return step.enter(move.because(Reason.ATTEMPTS, move.detail), MoveState.FAILED)


# It is stopped.


def begin(step: Step, move: Move, server: Server, destination: str | None) -> Move:
    """There is a place for it."""
    words = server.refused_live or "each of its live migrations has failed"
    return step.enter(
        move.because(Reason.LIVE_OVER, f"{words}; it is stopped for the move"),
        MoveState.STOPPING,
        destination=destination,
        request_id=None,
        asked_at=step.now,
        moving_at=None,
        not_before=step.now,
    )


def stopping(step: Step, move: Move) -> Move:
    """Its hypervisor says that it runs; then Nova is asked to stop it."""
    if not moves.looked(step, move):
        return move
    server = moves.server_of(step, move)
    if server is None:
        move = replace(move, halted=move.stop_asked)
        return moves.left(step, move, Reason.MOVED_AWAY, move.source, MovePhase.GONE)
    if not move.stop_asked:
        return _to_be_stopped(step, move, server)
    return _being_stopped(step, move, server)


def _to_be_stopped(step: Step, move: Move, server: Server) -> Move:
    if not moves.is_wanted(step, move):
        return moves.left(step, move, Reason.WINDOW_ENDED)
    if found := moves.pauses_of(step, move):
        words = f"{pauses.words(found)}; would stop it to move it"
        return moves.wait(step, move, Reason.PAUSED, words, MovePhase.PAUSED)
    # A program that moves nobody (cli/maintenance.py) would not start it again, either.
    may = step.options.maintenance_max_in_flight and not moves.is_down(step, move)
    idle = server.task_state is None
    if not (may and idle and is_to_stop(step, move, server)):
        return _waits(step, move)
    looked = step.outcome(move, Effect.LOOK)
    if looked and looked.ok:
        step.intend(Effect.STOP_TO_MOVE, move.source, move)
        settled = step.now + step.options.settle
        move = replace(move, stop_at=step.now, before_stop=server.changed_at)
        return move.put_off(settled)
    if looked and not looked.lost:
        if looked.refused or _takes_long(step, move):
            return _not_stopped(step, move, looked.detail)
        move = move.put_off(step.now + step.options.retry_interval)
    return step.ensure(move, Effect.LOOK, move.source)


def _not_stopped(step: Step, move: Move, detail: str) -> Move:
    return step.enter(move.because(Reason.NOT_HALTED, detail), MoveState.FAILED)


def _waits(step: Step, move: Move) -> Move:
    """It is judged again."""
    move = step.set(move.because(None), MoveState.WAITING, destination=None)
    return move.put_off(step.now)


def _takes_long(step: Step, move: Move) -> bool:
    return step.now - (move.asked_at or step.now) >= step.options.slow_after


def _being_stopped(step: Step, move: Move, server: Server) -> Move:
    if outcome := step.outcome(move, Effect.STOP_TO_MOVE):
        if outcome.withheld:
            move = replace(move, stop_at=None, destination=None)
            return moves.wait(step, move, Reason.WITHHELD).put_off(step.now)
        if outcome.refused:
            return _not_stopped(step, move, outcome.detail)
        move = move.put_off(step.now + step.options.settle)
    older = step.picture.taken_at <= (move.stop_at or 0.0)
    if older or step.pending(move, Effect.STOP_TO_MOVE):
        return move
    if server.task_state is not None:
        if not _takes_long(step, move):
            return move
        move = replace(move, halted=True)
        return moves.left(step, move, Reason.TASK_STATE, server.task_state)
    if server.vm_state == "stopped":
        return _stopped(step, move)
    if step.picture.taken_at < move.not_before:
        return move
    if server.changed_at is None or server.changed_at != move.before_stop:
        return _runs_again(step, move)
    if _takes_long(step, move):
        return _not_stopped(step, move, "Nova never got the request")
    return replace(move, stop_at=None)


def _stopped(step: Step, move: Move) -> Move:
    words = "it is stopped for the move"
    step.tell(EventKind.MOVE_STOPPED, move, reason=words)
    move = replace(move, halted=True, kind=MoveKind.COLD, attempts=0, tried=())
    return _waits(step, move)


def _runs_again(step: Step, move: Move) -> Move:
    move = replace(move, halted=False, destination=None)
    return step.enter(move.because(Reason.RUNS_AGAIN), MoveState.LEFT)


def given_back(step: Step, move: Move, server: Server) -> Move | None:
    """The move of a server that waits stopped, if it does so no more."""
    if server.task_state is None and server.vm_state not in _AT_REST:
        return _runs_again(step, move)
    if found := moves.pauses_of(step, move):
        words = f"{pauses.words(found)}; would move it"
        return moves.left(step, move, Reason.PAUSED, words, MovePhase.PAUSED)
    waited = step.now - (move.stop_at or step.now)
    if waited >= step.options.slow_after:
        return moves.left(step, move, Reason.HALTED_LONG, f"{waited:.0f}")
    return None


# It is started.


def starting(step: Step, move: Move) -> Move:
    """Nova is asked to start it, wherever it is now, until it runs; or so many times
    in vain that a person has to see to it."""
    if move.server not in step.picture.scope.landed:
        return move  # the next picture shows it
    server = step.picture.servers.get(move.server)
    if server is None:
        gone = replace(move, halted=False).because(
            Reason.MOVED_AWAY, move.source, MovePhase.GONE
        )
        return step.enter(gone, MoveState.LEFT)
    if server.unreadable or step.pending(move, Effect.START):
        return move
    idle = server.task_state is None
    if idle and server.vm_state not in _AT_REST:
        return _started(step, move, server)
    if outcome := step.outcome(move, Effect.START):
        if outcome.lost:
            move = replace(move, starts=move.starts - 1)  # perhaps never sent
            move = move.put_off(step.now + step.options.settle)
        elif not outcome.ok:
            move = _told(step, move, outcome.detail)
    seen = step.shown.hosts.get(server.host)
    if seen is None or not seen.heard:
        return _told(step, move, f"its host {server.host} is down")
    if not idle:
        began = move.start_at or step.now
        slow = step.now - began >= step.options.slow_after
        words = f"its task state is {server.task_state}"
        return _told(step, move, words) if slow else move
    if server.vm_state != "stopped":
        return _not_started(step, move, server)
    if step.now < move.not_before:
        return move
    if move.starts >= step.options.maintenance_attempts:
        return _not_started(step, move, server)
    if move.starts:
        move = _told(step, move, "Nova still shows it as stopped")
    move = replace(move, starts=move.starts + 1)
    return step.ensure(move, Effect.START, server.host, step.options.retry_interval)


def _started(step: Step, move: Move, server: Server) -> Move:
    words = f"it is {server.vm_state} on {server.host}"
    step.tell(EventKind.MOVE_STARTED, move, reason=words)
    move = replace(move, halted=False)
    if server.host != move.source:
        return step.enter(move.because(None), MoveState.MOVED)
    if not moves.is_wanted(step, move):
        return step.enter(replace(move, stop_at=None), MoveState.LEFT)
    if move.phase is not MovePhase.PAUSED:
        return step.enter(move, MoveState.FAILED)
    move = replace(move, stop_at=None, kind=None, attempts=0, tried=())
    return moves.wait(step, move, Reason.PAUSED, move.detail, MovePhase.PAUSED)


def _told(step: Step, move: Move, why: str) -> Move:
    """The move; that its server does not start is told once."""
    if move.phase is not MovePhase.NOT_STARTED:
        words = Reason.NOT_STARTED_YET.sentence(why)
        step.tell(EventKind.MOVE_NOT_STARTED, move, reason=words)
    return move.because(move.reason, move.detail, MovePhase.NOT_STARTED)


def _not_started(step: Step, move: Move, server: Server) -> Move:
    words = (
        f"Nova shows it as {server.vm_state} on {server.host}; see openstack server "
        f"show {server.uuid}, then openstack server start {server.uuid} ({server.name})"
    )
    move = move.because(Reason.NOT_STARTED, words, MovePhase.NOT_STARTED)
    step.tell(EventKind.MOVE_NOT_STARTED, move, reason=move.sentence)
    return step.enter(move, MoveState.FAILED)
