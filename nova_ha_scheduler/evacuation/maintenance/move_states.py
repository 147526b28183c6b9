# SPDX-License-Identifier: Apache-2.0
"""The move of a server that is well, live or cold: one function a state.

As with evacuations, the truth is the migration record. A cold migration whose record
is finished has arrived; it is confirmed, and only then has the server moved. What
others asked for is theirs to confirm or revert: until then, the server may come back.
"""

from collections.abc import Callable
from dataclasses import replace

from nova_ha_scheduler.cluster.picture import Migration, MoveKind, Unconfirmed
from nova_ha_scheduler.evacuation.maintenance import halting, moves
from nova_ha_scheduler.evacuation.server import attempts
from nova_ha_scheduler.evacuation.step import Step
from nova_ha_scheduler.reasons import Reason
from nova_ha_scheduler.records.effects import Effect
from nova_ha_scheduler.records.events import EventKind
from nova_ha_scheduler.records.move import Move, MovePhase, MoveState


def may_return(step: Step, window: str, found: Unconfirmed) -> None:
    """Take in a server that has left its host, unless that is known."""
    known = step.moves.get((window, found.server.uuid))
    if known is not None:
        ended_at = known.ended_at
        over = ended_at is not None and step.picture.taken_at > ended_at
        if not over or known.state is MoveState.FAILED:
            return
    server = replace(found.server, host=found.record.source)
    step.put(moves.begin(step, window, server, known.stop_at if known else None))


def waiting(step: Step, move: Move) -> Move:
    """It is still on its source, and Nova was not asked, or not again; or it has left
    it, and may come back."""
    if not moves.looked(step, move):
        return move
    ours = move.attempts and moves.record_of(step, move)
    if not ours and (found := moves.unconfirmed(step, move)):
        return _away(step, move, found)
    if move.baseline is None:
        newest = step.picture.newest_move(move.server, move.source)
        move = replace(move, baseline=moves.baseline(newest))
    newest = moves.record_of(step, move)
    if newest and move.phase and move.phase.away and newest.landed:
        return _moved(step, move)
    if newest and newest.status == "reverted":
        move = replace(move, baseline=newest.id)  # by a person, who may: begin anew
    elif newest and (ours or not newest.arrived):
        return _adopt(step, move)
    server = moves.server_of(step, move)
    if server is None:
        return moves.left(step, move, Reason.MOVED_AWAY, move.source, MovePhase.GONE)
    if move.halted and (back := halting.given_back(step, move, server)):
        return back
    if why := halting.why_not(step, move, server):
        return moves.left(step, move, *why)
    if server.task_state is None:
        move = attempts.idle(step, move)
        if over := halting.over(step, move, server):
            return over
        if moves.is_down(step, move):
            return moves.wait(step, move, Reason.DOWN, phase=MovePhase.SOURCE_DOWN)
        return move.because(None).put_off(step.now) if _is_free(step, move) else move
    words = f"{server.task_state}: Nova moves no server that has one"
    busy = MovePhase.BUSY, Reason.TASK_STATE, words
    return attempts.busy(step, move, *busy, moves.wait, moves.left)


def _is_free(step: Step, move: Move) -> bool:
    """Whether that for which the server waited is over."""
    if move.phase is MovePhase.PAUSED:
        return not moves.pauses_of(step, move)
    down = move.phase is MovePhase.SOURCE_DOWN
    return down or (move.phase is not None and move.phase.away)


def _away(step: Step, move: Move, found: Unconfirmed) -> Move:
    """A server that has left its source, and that others may send back."""
    move = replace(move, destination=found.place)
    if found.record.status == "finished":
        return _unconfirmed_at(step, move, found.place)
    reverting = found.record.status == "reverting"
    reason = Reason.REVERTING if reverting else Reason.RESIZED
    return moves.wait(step, move, reason, found.place, MovePhase.COMING_BACK)


def _unconfirmed_at(step: Step, move: Move, place: str) -> Move:
    return moves.wait(step, move, Reason.UNCONFIRMED, place, MovePhase.UNCONFIRMED)


def judged_again(step: Step, move: Move) -> Move:
    """One that was left, for a reason that holds no more, is to move after all, and
    one that has come back, again."""
    server, ended_at = moves.server_of(step, move), move.ended_at
    if ended_at is None or server is None or not halting.is_open_to(move, server):
        return move
    older = step.picture.taken_at <= ended_at
    again = moves.begin(step, move.job, server, move.stop_at)
    why = halting.why_not(step, again, server)
    return move if older or server.task_state is not None or why else again


def asked(step: Step, move: Move) -> Move:
    """Nova is being asked."""
    effect = moves.EFFECTS[move.kind or MoveKind.LIVE]
    if outcome := step.outcome(move, effect):
        if outcome.refused:
            return _attempt_failed(step, move, outcome.detail)
        if outcome.withheld:
            move = replace(move, attempts=move.attempts - 1)
            return replace(moves.wait(step, move, Reason.WITHHELD), not_before=step.now)
        move = attempts.answered(step, move, outcome)
    if moves.record_of(step, move):
        return _adopt(step, move)
    waits = step.pending(move, effect) or step.picture.taken_at < move.not_before
    if waits or not moves.looked(step, move):
        return move
    server = moves.server_of(step, move)
    if server is not None and server.task_state is not None:
        return move
    return attempts.never_got(step, move, _attempt_failed)


def _attempt_failed(step: Step, move: Move, detail: str) -> Move:
    move = attempts.tried(move)
    if move.attempts >= step.options.maintenance_attempts:
        if halting.comes_next(step, move):
            move = moves.wait(step, move, Reason.LIVE_OVER, detail)
            return replace(move, not_before=step.now)
        return moves.end(step, move.because(Reason.ATTEMPTS, detail), MoveState.FAILED)
    move = moves.wait(step, move, Reason.MOVE_RETRY, detail)
    return replace(move, not_before=step.now + step.options.retry_interval)


# Following it.


def _adopt(step: Step, move: Move) -> Move:
    """Follow the newest record: ours, or that of somebody who was faster."""
    ours, newest = move.state is MoveState.ASKED, moves.record_of(step, move)
    assert newest is not None
    move = step.enter(
        move,
        MoveState.MOVING,
        "" if ours else "asked by others",
        kind=MoveKind(newest.kind),
        destination=newest.destination or move.destination,
        request_id=move.request_id if ours else None,
        moving_at=step.now,
    )
    return moving(step, move)


def moving(step: Step, move: Move) -> Move:
    """Nova has a record of it, and works on it until that has ended."""
    move = attempts.named_late(step, move)
    newest = moves.record_of(step, move)
    if newest and newest.failed:
        said = attempts.why(step, move, newest)
        if said is None:
            return attempts.ask_why(step, move)
        return _attempt_failed(step, replace(move, baseline=newest.id), said)
    if newest and newest.landed:
        return _moved(step, move)
    if newest and newest.arrived:
        if not move.attempts:  # who asked for it has to confirm it
            return _unconfirmed_at(step, move, newest.destination or "?")
        move = step.enter(
            move.because(None),
            MoveState.CONFIRMING,
            arrived_at=step.now,
            not_before=step.now,
        )
        return confirming(step, move)
    if newest and newest.destination:
        move = replace(move, destination=newest.destination)
    move = _forced(step, move, newest)
    if moves.is_slow(step, move) and move.phase is not MovePhase.SLOW:
        move = move.because(Reason.MOVE_SLOW, phase=MovePhase.SLOW)
        step.tell(EventKind.MOVE_SLOW, move, reason=move.sentence)
    return move


def _forced(step: Step, move: Move, newest: Migration | None) -> Move:
    """A live migration of which Nova copies memory for too long is ended by force,
    where no pause stands against it; again only if Nova may not have got that."""
    if newest is None or newest.kind != MoveKind.LIVE.value:
        return move
    if outcome := step.outcome(move, Effect.FORCE_COMPLETE):
        if outcome.refused:
            why = Reason.MOVE_NOT_FORCED, outcome.detail
            move = move.because(*why, move.phase)
            step.tell(EventKind.MOVE_FORCED, move, reason=move.sentence)
        elif not outcome.ok:
            not_before = step.now + step.options.retry_interval
            move = replace(move, forced_at=None, not_before=not_before)
    if newest.status != "running":
        return move
    move = replace(move, copying_at=move.copying_at or step.now)
    after = step.options.maintenance_force_complete_after
    copied = step.now - (move.copying_at or step.now)
    due = after and copied >= after and step.now >= move.not_before
    if not due or move.forced_at is not None or moves.pauses_of(step, move):
        return move
    move = move.because(Reason.MOVE_FORCED, f"{copied:.0f}", move.phase)
    move = replace(move, forced_at=step.now)
    step.tell(EventKind.MOVE_FORCED, move, reason=move.sentence)
    step.intend(Effect.FORCE_COMPLETE, move.source, move, text=str(newest.id))
    return move


def _moved(step: Step, move: Move) -> Move:
    newest = moves.record_of(step, move)
    there = newest.destination if newest else None
    if move.home and there and there != move.home:  # somebody else has moved it
        return moves.left(step, move, Reason.MOVED_AWAY, move.source, MovePhase.GONE)
    return moves.end(step, move.because(None), MoveState.MOVED)


def confirming(step: Step, move: Move) -> Move:
    """It has arrived; Nova is asked to confirm that until it has."""
    newest = moves.record_of(step, move)
    if newest and newest.landed:
        return _moved(step, move)
    if newest and newest.failed:
        words = f"migration record {newest.status}"
        move = move.because(Reason.NOT_CONFIRMED, words)
        return moves.end(step, move, MoveState.FAILED)
    outcome = step.outcome(move, Effect.CONFIRM)
    if outcome and not (outcome.ok or outcome.lost):
        move = move.because(Reason.NOT_CONFIRMED, outcome.detail)
        if step.now - (move.arrived_at or step.now) >= step.options.check_time:
            return moves.end(step, move, MoveState.FAILED)
    if newest is None or not newest.arrived or not moves.looked(step, move):
        return move
    return step.ensure(move, Effect.CONFIRM, move.source, step.options.retry_interval)


def ended(step: Step, move: Move) -> Move:
    """It is at its end."""
    return move


FUNCTIONS: dict[MoveState, Callable[[Step, Move], Move]] = {
    MoveState.WAITING: waiting,
    MoveState.STOPPING: halting.stopping,
    MoveState.ASKED: asked,
    MoveState.MOVING: moving,
    MoveState.CONFIRMING: confirming,
    MoveState.STARTING: halting.starting,
    MoveState.MOVED: ended,
    MoveState.FAILED: ended,
    MoveState.LEFT: ended,
}
