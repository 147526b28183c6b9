# SPDX-License-Identifier: Apache-2.0
"""The move of a server that is well, live or cold: one function a state.

As with evacuations, the truth is the migration record. A cold migration whose record
is finished has arrived; it is confirmed, and only then has the server moved. What
others asked for is theirs to confirm or revert: until then, the server may come back.
"""

from collections.abc import Callable
from dataclasses import replace

from nova_ha_scheduler.cluster.model import (
    Migration,
    MoveKind,
    Server,
    Unconfirmed,
)
from nova_ha_scheduler.evacuation import attempts, detect, pauses, servers
from nova_ha_scheduler.evacuation.effects import Effect, Outcome
from nova_ha_scheduler.evacuation.records import EventKind, HostState
from nova_ha_scheduler.evacuation.turn import RESTARTED, Turn
from nova_ha_scheduler.evacuation.upkeep import Move, MoveState
from nova_ha_scheduler.planner import board, triage
from nova_ha_scheduler.planner.ground import Ground
from nova_ha_scheduler.reasons import Reason
from nova_ha_scheduler.rules.model import Operation

_KINDS = {
    "active": MoveKind.LIVE,
    "paused": MoveKind.LIVE,
    "stopped": MoveKind.COLD,
}
"""How Nova moves a server in each vm_state (nova.compute.api.API.live_migrate and
resize); a server that runs is not stopped for it."""

EFFECTS = {MoveKind.LIVE: Effect.LIVE_MIGRATE, MoveKind.COLD: Effect.COLD_MIGRATE}
_OPERATIONS = {
    MoveKind.LIVE: Operation.LIVE_MIGRATE,
    MoveKind.COLD: Operation.COLD_MIGRATE,
}


def begin(turn: Turn, job: str, server: Server) -> Move:
    """A server that is to leave its host."""
    newest = turn.picture.newest_move(server.uuid, server.host)
    return Move(
        job=job,
        server=server.uuid,
        name=server.name,
        source=server.host,
        state=MoveState.WAITING,
        seen_at=turn.now,
        priority=triage.priority(server, turn.options),
        baseline=_baseline(newest),
    )


def may_return(turn: Turn, window: str, found: Unconfirmed) -> None:
    """Take in a server that has left its host, unless that is known."""
    known = turn.moves.get((window, found.server.uuid))
    if known is not None:
        ended_at = known.ended_at
        over = ended_at is not None and turn.picture.taken_at > ended_at
        if not over or known.state is MoveState.FAILED:
            return
    turn.put(begin(turn, window, replace(found.server, host=found.record.source)))


def _unconfirmed(turn: Turn, move: Move) -> Unconfirmed | None:
    found = turn.picture.may_return(move.source)
    return next((u for u in found if u.server.uuid == move.server), None)


def _baseline(newest: Migration | None) -> int:
    """What is under way already is followed; what has ended is history."""
    if newest is None:
        return 0
    return newest.id if newest.failed or newest.landed else newest.id - 1


def is_down(turn: Turn, move: Move) -> bool:
    """Whether Nova holds the source's service for down, or knows none."""
    seen = turn.shown.hosts.get(move.source)
    return seen is None or not seen.heard


def _looked(turn: Turn, move: Move) -> bool:
    return move.source in turn.picture.scope.leaving


def _record(turn: Turn, move: Move) -> Migration | None:
    newest = turn.picture.newest_move(move.server, move.source)
    return newest if newest and newest.id > (move.baseline or 0) else None


def _server(turn: Turn, move: Move) -> Server | None:
    """The server, as long as it is on its source."""
    found = turn.picture.servers.get(move.server)
    return found if found and found.host == move.source else None


def why_not(server: Server) -> triage.Why | None:
    """Why Nova would refuse to move a server for ever."""
    if server.unreadable:
        return Reason.CANNOT_BE_READ, server.unreadable
    kind = _KINDS.get(server.vm_state)
    if kind is None:
        return Reason.NO_MOVE, server.vm_state
    refused = server.refused_live if kind is MoveKind.LIVE else server.refused_cold
    return (Reason.REFUSED_BY_NOVA, refused) if refused else None


def waiting(turn: Turn, move: Move) -> Move:
    """It is still on its source, and Nova was not asked, or not again; or it has left
    it, and may come back."""
    if not _looked(turn, move):
        return move
    ours = move.attempts and _record(turn, move)
    if not ours and (found := _unconfirmed(turn, move)):
        return _away(turn, move, found)
    if move.baseline is None:
        newest = turn.picture.newest_move(move.server, move.source)
        move = replace(move, baseline=_baseline(newest))
    newest = _record(turn, move)
    if newest and move.reason in AWAY and newest.landed:
        return _moved(turn, move)
    if newest and newest.status == "reverted":
        move = replace(move, baseline=newest.id)  # by a person, who may: begin anew
    elif newest and (ours or not newest.arrived):
        return _adopt(turn, move)
    server = _server(turn, move)
    if server is None:
        return left(turn, move, Reason.GONE)
    if why := why_not(server):
        return left(turn, move, *why)
    if server.task_state is None:
        move = attempts.idle(turn, move)
        if is_down(turn, move):
            return wait(turn, move, Reason.DOWN)
        over = move.reason is Reason.PAUSED and not _pauses(turn, move)
        if over or move.reason in (Reason.DOWN, *AWAY):
            move = replace(move.because(None), not_before=turn.now)
        return move
    state = server.task_state
    return attempts.busy(turn, move, Reason.TASK_STATE, state, wait, left)


AWAY = (Reason.UNCONFIRMED, Reason.REVERTING, Reason.RESIZED)
"""Why a server waits that is not on its source."""


def _away(turn: Turn, move: Move, found: Unconfirmed) -> Move:
    """A server that has left its source, and that others may send back."""
    told = {"finished": Reason.UNCONFIRMED, "reverting": Reason.REVERTING}
    reason = told.get(found.record.status, Reason.RESIZED)
    move = replace(move, destination=found.place)
    return wait(turn, move, reason, found.place)


def wait(turn: Turn, move: Move, reason: Reason, detail: str = "") -> Move:
    """The move, which waits a while; it is told once for each reason."""
    told = move.state is MoveState.WAITING and move.reason is reason
    move = replace(move.because(reason, detail), state=MoveState.WAITING)
    if not told:
        turn.tell(EventKind.MOVE_WAITING, move, reason=move.sentence)
    return replace(move, not_before=turn.now + turn.options.idle_interval)


def left(turn: Turn, move: Move, reason: Reason, detail: str = "") -> Move:
    """The move, which is given up."""
    return _enter(turn, move.because(reason, detail), MoveState.LEFT)


def _enter(turn: Turn, move: Move, state: MoveState, how: str = "") -> Move:
    """The move in another state, which is told with its reason."""
    move = replace(move, state=state, ended_at=turn.now if state.final else None)
    kind = EventKind(f"move.{state.value}")
    turn.tell(kind, move, how=how, reason=move.sentence)
    return move


def judged_again(turn: Turn, move: Move) -> Move:
    """One that was left, for a reason that holds no more, is to move after all, and
    one that has come back, again."""
    server, ended_at = _server(turn, move), move.ended_at
    if ended_at is None or move.state is MoveState.FAILED or server is None:
        return move
    older = turn.picture.taken_at <= ended_at
    if older or server.task_state is not None or why_not(server):
        return move
    return begin(turn, move.job, server)


# Asking Nova.


def dispatch(turn: Turn) -> None:
    """Ask Nova for what the planner finds a place for; evacuations chose before."""
    ready = {m.server: m for m in turn.moves.values() if _is_ready(turn, m)}
    for move in turn.moves.values():
        if move.under_way:
            ready.pop(move.server, None)  # for another job
    if not ready or not turn.picture.scope.destinations or _about_to_evacuate(turn):
        return
    most = turn.options.maintenance_max_in_flight
    plan = board.Board(
        Ground(turn.picture.hosts, turn.options),
        detect.shunned(turn),
        claims(turn),
        board.Limits(most, most),
        servers.claims(turn),
    )
    shown = (turn.picture.servers[uuid] for uuid in ready)
    for server in sorted(shown, key=lambda s: triage.urgency(s, turn.options)):
        move = ready[server.uuid]
        if found := _pauses(turn, move):
            words = f"{pauses.words(found)}; would move it"
            turn.put(wait(turn, move, Reason.PAUSED, words))
            continue
        kind = _KINDS[server.vm_state]
        decision = plan.place(server, move.tried, _OPERATIONS[kind], move.home)
        if decision.reason is Reason.IN_FLIGHT_LIMIT:
            return
        if decision.reason is not None:
            why = Reason.HOME_FULL if move.home else Reason.NO_ROOM
            turn.put(wait(turn, move, why, decision.detail))
        else:
            turn.put(_ask(turn, move, kind, decision.destination))


def _pauses(turn: Turn, move: Move) -> list[pauses.Pause]:
    """What holds it where it is, or keeps it from going home."""
    return turn.pauses_on(move.source) or (
        turn.pauses_on(move.home) if move.home else []
    )


def _about_to_evacuate(turn: Turn) -> bool:
    """Whether servers of a dead host will want room in a moment: they come first."""
    hosts = (host for host in turn.open_hosts() if host.reason is None)
    return any(HostState.EVACUATING.value not in host.stages for host in hosts)


def _is_ready(turn: Turn, move: Move) -> bool:
    """Whether Nova may be asked for it now."""
    due = move.state is MoveState.WAITING and move.not_before <= turn.now
    server = _server(turn, move) if due and _looked(turn, move) else None
    if server is None or server.task_state is not None or is_down(turn, move):
        return False
    return why_not(server) is None and move.source in turn.picture.hosts


def claims(turn: Turn) -> list[board.Claim]:
    """The moves under way, with what Placement may not show yet of them."""
    return [
        board.claim(
            move.destination,
            turn.picture.servers.get(move.server),
            _record(turn, move),
        )
        for move in turn.moves.values()
        if move.under_way and move.destination is not None
    ]


def _ask(turn: Turn, move: Move, kind: MoveKind, destination: str | None) -> Move:
    turn.intend(EFFECTS[kind], move.source, move, destination=destination)
    move = replace(
        move.because(None),
        kind=kind,
        destination=destination,
        attempts=move.attempts + 1,
        request_id=None,
        asked_at=turn.now,
        moving_at=None,
        not_before=turn.now + turn.options.settle,
    )
    return _enter(turn, move, MoveState.ASKED, kind.value)


def asked(turn: Turn, move: Move) -> Move:
    """Nova is being asked. A lost answer is looked for in the records, and only
    when it can no longer take effect is the request held for void."""
    effect = EFFECTS[move.kind or MoveKind.LIVE]
    if outcome := turn.outcome(move, effect):
        if outcome.refused:
            return _attempt_failed(turn, move, outcome.detail)
        if outcome.withheld:
            move = replace(move, attempts=move.attempts - 1)
            return replace(wait(turn, move, Reason.WITHHELD), not_before=turn.now)
        move = _answered(turn, move, outcome)
    if _record(turn, move):
        return _adopt(turn, move)
    waits = turn.pending(move, effect) or turn.picture.taken_at < move.not_before
    if waits or not _looked(turn, move):
        return move
    server = _server(turn, move)
    if server is not None and server.task_state is not None:
        return move
    return attempts.never_got(turn, move, _attempt_failed)


def _answered(turn: Turn, move: Move, outcome: Outcome) -> Move:
    if outcome.ok:
        move = replace(move, request_id=outcome.request_id)
    else:
        move = move.because(Reason.UNRESOLVED, outcome.detail)
    # It may still take effect, or does not show yet.
    return replace(move, not_before=turn.now + turn.options.settle)


def _attempt_failed(turn: Turn, move: Move, detail: str) -> Move:
    move = attempts.tried(move)
    if move.attempts >= turn.options.maintenance_attempts:
        return _enter(turn, move.because(Reason.ATTEMPTS, detail), MoveState.FAILED)
    move = wait(turn, move, Reason.MOVE_RETRY, detail)
    return replace(move, not_before=turn.now + turn.options.retry_interval)


# Following it.


def _adopt(turn: Turn, move: Move) -> Move:
    """Follow the newest record: ours, or that of somebody who was faster."""
    ours, newest = move.state is MoveState.ASKED, _record(turn, move)
    assert newest is not None
    move = replace(
        move.because(None),
        kind=MoveKind(newest.kind),
        destination=newest.destination or move.destination,
        request_id=move.request_id if ours else None,
        moving_at=turn.now,
    )
    how = "" if ours else "asked by others"
    return moving(turn, _enter(turn, move, MoveState.MOVING, how))


def moving(turn: Turn, move: Move) -> Move:
    """Nova has a record of it, and works on it until that has ended."""
    newest = _record(turn, move)
    if newest and newest.failed:
        said = attempts.why(turn, move, newest)
        if said is None:
            return move
        return _attempt_failed(turn, replace(move, baseline=newest.id), said)
    if newest and newest.landed:
        return _moved(turn, move)
    if newest and newest.arrived:
        if not move.attempts:  # who asked for it has to confirm it
            return wait(turn, move, Reason.UNCONFIRMED, newest.destination or "?")
        move = replace(move.because(None), arrived_at=turn.now, not_before=turn.now)
        return confirming(turn, _enter(turn, move, MoveState.CONFIRMING))
    if newest and newest.destination:
        move = replace(move, destination=newest.destination)
    began = move.moving_at or turn.now
    if move.reason is None and turn.now - began >= turn.options.slow_after:
        move = move.because(Reason.MOVE_SLOW)
        turn.tell(EventKind.MOVE_SLOW, move, reason=move.sentence)
    return move


def _moved(turn: Turn, move: Move) -> Move:
    return _enter(turn, move.because(None), MoveState.MOVED)


def confirming(turn: Turn, move: Move) -> Move:
    """It has arrived; Nova is asked to confirm that until it has."""
    newest = _record(turn, move)
    if newest and newest.landed:
        return _moved(turn, move)
    if newest and newest.failed:
        words = f"migration record {newest.status}"
        return _enter(turn, move.because(Reason.NOT_CONFIRMED, words), MoveState.FAILED)
    outcome = turn.outcome(move, Effect.CONFIRM)
    if outcome and not outcome.ok and outcome.detail != RESTARTED:
        move = move.because(Reason.NOT_CONFIRMED, outcome.detail)
        if turn.now - (move.arrived_at or turn.now) >= turn.options.check_time:
            return _enter(turn, move, MoveState.FAILED)
    wanted = newest is not None and newest.arrived and _looked(turn, move)
    if (
        wanted
        and turn.now >= move.not_before
        and not turn.pending(move, Effect.CONFIRM)
    ):
        turn.intend(Effect.CONFIRM, move.source, move)
        move = replace(move, not_before=turn.now + turn.options.retry_interval)
    return move


def ended(turn: Turn, move: Move) -> Move:
    """It is at its end."""
    return move


FUNCTIONS: dict[MoveState, Callable[[Turn, Move], Move]] = {
    MoveState.WAITING: waiting,
    MoveState.ASKED: asked,
    MoveState.MOVING: moving,
    MoveState.CONFIRMING: confirming,
    MoveState.MOVED: ended,
    MoveState.FAILED: ended,
    MoveState.LEFT: ended,
}
