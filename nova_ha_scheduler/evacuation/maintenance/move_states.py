# SPDX-License-Identifier: Apache-2.0
"""The move of a server that is well, live or cold: one function a state.

As with evacuations, the truth is the migration record. A cold migration whose record
is finished has arrived; it is confirmed, and only then has the server moved. What
others asked for is theirs to confirm or revert: until then, the server may come back.
"""

from collections.abc import Callable
from dataclasses import replace

from nova_ha_scheduler.cluster.picture import Migration, MoveKind, Server, Unconfirmed
from nova_ha_scheduler.evacuation.detection import suspicion
from nova_ha_scheduler.evacuation.server import attempts, server_states
from nova_ha_scheduler.evacuation.step import Step
from nova_ha_scheduler.planner import board, triage
from nova_ha_scheduler.planner.ground import Ground
from nova_ha_scheduler.reasons import Reason
from nova_ha_scheduler.records import pauses
from nova_ha_scheduler.records.effects import Effect
from nova_ha_scheduler.records.events import EventKind
from nova_ha_scheduler.records.host_recovery import HostState
from nova_ha_scheduler.records.move import Move, MoveState
from nova_ha_scheduler.rules.terms import Operation

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


def begin(step: Step, job: str, server: Server) -> Move:
    """A server that is to leave its host."""
    newest = step.picture.newest_move(server.uuid, server.host)
    return Move(
        job=job,
        server=server.uuid,
        name=server.name,
        source=server.host,
        state=MoveState.WAITING,
        seen_at=step.now,
        priority=triage.priority(server, step.options),
        baseline=_baseline(newest),
    )


def may_return(step: Step, window: str, found: Unconfirmed) -> None:
    """Take in a server that has left its host, unless that is known."""
    known = step.moves.get((window, found.server.uuid))
    if known is not None:
        ended_at = known.ended_at
        over = ended_at is not None and step.picture.taken_at > ended_at
        if not over or known.state is MoveState.FAILED:
            return
    step.put(begin(step, window, replace(found.server, host=found.record.source)))


def _unconfirmed(step: Step, move: Move) -> Unconfirmed | None:
    found = step.picture.may_return(move.source)
    return next((u for u in found if u.server.uuid == move.server), None)


def _baseline(newest: Migration | None) -> int:
    """What is under way already is followed; what has ended is history."""
    if newest is None:
        return 0
    return newest.id if newest.failed or newest.landed else newest.id - 1


def is_down(step: Step, move: Move) -> bool:
    """Whether Nova holds the source's service for down, or knows none."""
    seen = step.shown.hosts.get(move.source)
    return seen is None or not seen.heard


def _looked(step: Step, move: Move) -> bool:
    return move.source in step.picture.scope.leaving


def _record(step: Step, move: Move) -> Migration | None:
    newest = step.picture.newest_move(move.server, move.source)
    return newest if newest and newest.id > (move.baseline or 0) else None


def _server(step: Step, move: Move) -> Server | None:
    """The server, as long as it is on its source."""
    found = step.picture.servers.get(move.server)
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


def waiting(step: Step, move: Move) -> Move:
    """It is still on its source, and Nova was not asked, or not again; or it has left
    it, and may come back."""
    if not _looked(step, move):
        return move
    ours = move.attempts and _record(step, move)
    if not ours and (found := _unconfirmed(step, move)):
        return _away(step, move, found)
    if move.baseline is None:
        newest = step.picture.newest_move(move.server, move.source)
        move = replace(move, baseline=_baseline(newest))
    newest = _record(step, move)
    if newest and move.reason in AWAY and newest.landed:
        return _moved(step, move)
    if newest and newest.status == "reverted":
        move = replace(move, baseline=newest.id)  # by a person, who may: begin anew
    elif newest and (ours or not newest.arrived):
        return _adopt(step, move)
    server = _server(step, move)
    if server is None:
        return left(step, move, Reason.GONE)
    if why := why_not(server):
        return left(step, move, *why)
    if server.task_state is None:
        move = attempts.idle(step, move)
        if is_down(step, move):
            return wait(step, move, Reason.DOWN)
        over = move.reason is Reason.PAUSED and not _pauses(step, move)
        if over or move.reason in (Reason.DOWN, *AWAY):
            move = replace(move.because(None), not_before=step.now)
        return move
    state = server.task_state
    return attempts.busy(step, move, Reason.TASK_STATE, state, wait, left)


AWAY = (Reason.UNCONFIRMED, Reason.REVERTING, Reason.RESIZED)
"""Why a server waits that is not on its source."""


def _away(step: Step, move: Move, found: Unconfirmed) -> Move:
    """A server that has left its source, and that others may send back."""
    told = {"finished": Reason.UNCONFIRMED, "reverting": Reason.REVERTING}
    reason = told.get(found.record.status, Reason.RESIZED)
    move = replace(move, destination=found.place)
    return wait(step, move, reason, found.place)


def wait(step: Step, move: Move, reason: Reason, detail: str = "") -> Move:
    """The move, which waits a while; it is told once for each reason."""
    told = move.state is MoveState.WAITING and move.reason is reason
    move = replace(move.because(reason, detail), state=MoveState.WAITING)
    if not told:
        step.tell(EventKind.MOVE_WAITING, move, reason=move.sentence)
    return replace(move, not_before=step.now + step.options.idle_interval)


def left(step: Step, move: Move, reason: Reason, detail: str = "") -> Move:
    """The move, which is given up."""
    return step.enter(move.because(reason, detail), MoveState.LEFT)


def judged_again(step: Step, move: Move) -> Move:
    """One that was left, for a reason that holds no more, is to move after all, and
    one that has come back, again."""
    server, ended_at = _server(step, move), move.ended_at
    if ended_at is None or move.state is MoveState.FAILED or server is None:
        return move
    older = step.picture.taken_at <= ended_at
    if older or server.task_state is not None or why_not(server):
        return move
    return begin(step, move.job, server)


# Asking Nova.


def dispatch(step: Step) -> None:
    """Ask Nova for what the planner finds a place for; evacuations chose before."""
    ready = {m.server: m for m in step.moves.values() if _is_ready(step, m)}
    for move in step.moves.values():
        if move.under_way:
            ready.pop(move.server, None)  # for another job
    if not ready or not step.picture.scope.destinations or _about_to_evacuate(step):
        return
    most = step.options.maintenance_max_in_flight
    plan = board.Board(
        Ground(step.picture.hosts, step.options),
        suspicion.shunned(step),
        claims(step),
        board.Limits(most, most),
        server_states.claims(step),
    )
    shown = (step.picture.servers[uuid] for uuid in ready)
    for server in sorted(shown, key=lambda s: triage.urgency(s, step.options)):
        move = ready[server.uuid]
        if found := _pauses(step, move):
            words = f"{pauses.words(found)}; would move it"
            step.put(wait(step, move, Reason.PAUSED, words))
            continue
        kind = _KINDS[server.vm_state]
        decision = plan.place(server, move.tried, _OPERATIONS[kind], move.home)
        if decision.reason is Reason.IN_FLIGHT_LIMIT:
            return
        if decision.reason is not None:
            why = Reason.HOME_FULL if move.home else Reason.NO_ROOM
            step.put(wait(step, move, why, decision.detail))
        else:
            step.put(_ask(step, move, kind, decision.destination))


def _pauses(step: Step, move: Move) -> list[pauses.Pause]:
    """What holds it where it is, or keeps it from going home."""
    return step.pauses_on(move.source) or (
        step.pauses_on(move.home) if move.home else []
    )


def _about_to_evacuate(step: Step) -> bool:
    """Whether servers of a dead host will want room in a moment: they come first."""
    hosts = (host for host in step.open_hosts() if host.reason is None)
    return any(HostState.EVACUATING.value not in host.stages for host in hosts)


def _is_ready(step: Step, move: Move) -> bool:
    """Whether Nova may be asked for it now."""
    due = move.state is MoveState.WAITING and move.not_before <= step.now
    server = _server(step, move) if due and _looked(step, move) else None
    if server is None or server.task_state is not None or is_down(step, move):
        return False
    return why_not(server) is None and move.source in step.picture.hosts


def claims(step: Step) -> list[board.Claim]:
    """The moves under way, with what Placement may not show yet of them."""
    return [
        board.claim(
            move.destination,
            step.picture.servers.get(move.server),
            _record(step, move),
        )
        for move in step.moves.values()
        if move.under_way and move.destination is not None
    ]


def _ask(step: Step, move: Move, kind: MoveKind, destination: str | None) -> Move:
    step.intend(EFFECTS[kind], move.source, move, destination=destination)
    return step.enter(
        move,
        MoveState.ASKED,
        kind.value,
        kind=kind,
        destination=destination,
        attempts=move.attempts + 1,
        asked_at=step.now,
        not_before=step.now + step.options.settle,
    )


def asked(step: Step, move: Move) -> Move:
    """Nova is being asked."""
    effect = EFFECTS[move.kind or MoveKind.LIVE]
    if outcome := step.outcome(move, effect):
        if outcome.refused:
            return _attempt_failed(step, move, outcome.detail)
        if outcome.withheld:
            move = replace(move, attempts=move.attempts - 1)
            return replace(wait(step, move, Reason.WITHHELD), not_before=step.now)
        move = attempts.answered(step, move, outcome)
    if _record(step, move):
        return _adopt(step, move)
    waits = step.pending(move, effect) or step.picture.taken_at < move.not_before
    if waits or not _looked(step, move):
        return move
    server = _server(step, move)
    if server is not None and server.task_state is not None:
        return move
    return attempts.never_got(step, move, _attempt_failed)


def _attempt_failed(step: Step, move: Move, detail: str) -> Move:
    move = attempts.tried(move)
    if move.attempts >= step.options.maintenance_attempts:
        return step.enter(move.because(Reason.ATTEMPTS, detail), MoveState.FAILED)
    move = wait(step, move, Reason.MOVE_RETRY, detail)
    return replace(move, not_before=step.now + step.options.retry_interval)


# Following it.


def _adopt(step: Step, move: Move) -> Move:
    """Follow the newest record: ours, or that of somebody who was faster."""
    ours, newest = move.state is MoveState.ASKED, _record(step, move)
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
    newest = _record(step, move)
    if newest and newest.failed:
        said = attempts.why(step, move, newest)
        if said is None:
            return attempts.ask_why(step, move)
        return _attempt_failed(step, replace(move, baseline=newest.id), said)
    if newest and newest.landed:
        return _moved(step, move)
    if newest and newest.arrived:
        if not move.attempts:  # who asked for it has to confirm it
            return wait(step, move, Reason.UNCONFIRMED, newest.destination or "?")
        move = step.enter(
            move.because(None),
            MoveState.CONFIRMING,
            arrived_at=step.now,
            not_before=step.now,
        )
        return confirming(step, move)
    if newest and newest.destination:
        move = replace(move, destination=newest.destination)
    began = move.moving_at or step.now
    if move.reason is None and step.now - began >= step.options.slow_after:
        move = move.because(Reason.MOVE_SLOW)
        step.tell(EventKind.MOVE_SLOW, move, reason=move.sentence)
    return move


def _moved(step: Step, move: Move) -> Move:
    return step.enter(move.because(None), MoveState.MOVED)


def confirming(step: Step, move: Move) -> Move:
    """It has arrived; Nova is asked to confirm that until it has."""
    newest = _record(step, move)
    if newest and newest.landed:
        return _moved(step, move)
    if newest and newest.failed:
        words = f"migration record {newest.status}"
        return step.enter(move.because(Reason.NOT_CONFIRMED, words), MoveState.FAILED)
    outcome = step.outcome(move, Effect.CONFIRM)
    if outcome and not (outcome.ok or outcome.lost):
        move = move.because(Reason.NOT_CONFIRMED, outcome.detail)
        if step.now - (move.arrived_at or step.now) >= step.options.check_time:
            return step.enter(move, MoveState.FAILED)
    if newest is None or not newest.arrived or not _looked(step, move):
        return move
    return step.ensure(move, Effect.CONFIRM, move.source, step.options.retry_interval)


def ended(step: Step, move: Move) -> Move:
    """It is at its end."""
    return move


FUNCTIONS: dict[MoveState, Callable[[Step, Move], Move]] = {
    MoveState.WAITING: waiting,
    MoveState.ASKED: asked,
    MoveState.MOVING: moving,
    MoveState.CONFIRMING: confirming,
    MoveState.MOVED: ended,
    MoveState.FAILED: ended,
    MoveState.LEFT: ended,
}
