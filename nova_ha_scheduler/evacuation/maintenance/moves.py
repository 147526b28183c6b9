# SPDX-License-Identifier: Apache-2.0
"""What a picture shows of a move, and how a move begins, waits, and is given up."""

from dataclasses import replace

from nova_ha_scheduler.cluster.picture import Migration, MoveKind, Server, Unconfirmed
from nova_ha_scheduler.evacuation.step import Step
from nova_ha_scheduler.planner import triage
from nova_ha_scheduler.reasons import Reason
from nova_ha_scheduler.records import pauses
from nova_ha_scheduler.records.effects import Effect
from nova_ha_scheduler.records.events import EventKind
from nova_ha_scheduler.records.maintenance_window import WindowState
from nova_ha_scheduler.records.move import Move, MovePhase, MoveState

KINDS = {
    "active": MoveKind.LIVE,
    "paused": MoveKind.LIVE,
    "stopped": MoveKind.COLD,
}
"""How Nova moves a server in each vm_state (nova.compute.api.API.live_migrate and
resize); one that runs is stopped for it only where the operator says so, in
halting.py."""

EFFECTS = {MoveKind.LIVE: Effect.LIVE_MIGRATE, MoveKind.COLD: Effect.COLD_MIGRATE}


def begin(step: Step, job: str, server: Server, stop_at: float | None = None) -> Move:
    """A server that is to leave its host.

    :param stop_at: see Move.
    """
    newest = step.picture.newest_move(server.uuid, server.host)
    return Move(
        job=job,
        server=server.uuid,
        name=server.name,
        source=server.host,
        state=MoveState.WAITING,
        seen_at=step.now,
        priority=triage.priority(server, step.options),
        baseline=baseline(newest),
        stop_at=stop_at,
    )


def baseline(newest: Migration | None) -> int:
    """What is under way already is followed; what has ended is history."""
    if newest is None:
        return 0
    return newest.id if newest.failed or newest.landed else newest.id - 1


def is_down(step: Step, move: Move) -> bool:
    """Whether Nova holds the source's service for down, or knows none."""
    seen = step.shown.hosts.get(move.source)
    return seen is None or not seen.heard


def is_slow(step: Step, move: Move) -> bool:
    """Whether it has been on its way for so long that nobody waits for it."""
    began = move.moving_at or step.now
    return step.now - began >= step.options.slow_after


def looked(step: Step, move: Move) -> bool:
    """Whether the picture shows the servers and the moves of its source."""
    return move.source in step.picture.scope.leaving


def record_of(step: Step, move: Move) -> Migration | None:
    """Its newest migration record, if that is of this move."""
    newest = step.picture.newest_move(move.server, move.source)
    return newest if newest and newest.id > (move.baseline or 0) else None


def server_of(step: Step, move: Move) -> Server | None:
    """The server, as long as it is on its source."""
    found = step.picture.servers.get(move.server)
    return found if found and found.host == move.source else None


def why_not(server: Server) -> triage.Why | None:
    """Why Nova would refuse to move a server for ever."""
    if server.unreadable:
        return Reason.CANNOT_BE_READ, server.unreadable
    kind = KINDS.get(server.vm_state)
    if kind is None:
        return Reason.NO_MOVE, server.vm_state
    refused = server.refused_live if kind is MoveKind.LIVE else server.refused_cold
    return (Reason.REFUSED_BY_NOVA, refused) if refused else None


def unconfirmed(step: Step, move: Move) -> Unconfirmed | None:
    """The server, if it has left its source and may be sent back."""
    found = step.picture.may_return(move.source)
    return next((u for u in found if u.server.uuid == move.server), None)


def pauses_of(step: Step, move: Move) -> list[pauses.Pause]:
    """What holds it where it is, or keeps it from going home."""
    return step.pauses_on(move.source) or (
        step.pauses_on(move.home) if move.home else []
    )


def wait(
    step: Step,
    move: Move,
    reason: Reason,
    detail: str = "",
    phase: MovePhase | None = None,
) -> Move:
    """The move, which waits a while; it is told once for each reason."""
    told = move.state is MoveState.WAITING and move.reason is reason
    move = step.set(move.because(reason, detail, phase), MoveState.WAITING)
    if not told:
        step.tell(EventKind.MOVE_WAITING, move, reason=move.sentence)
    return replace(move, not_before=step.now + step.options.idle_interval)


def left(
    step: Step,
    move: Move,
    reason: Reason,
    detail: str = "",
    phase: MovePhase | None = None,
) -> Move:
    """The move, which is given up."""
    return end(step, move.because(reason, detail, phase), MoveState.LEFT)


def end(step: Step, move: Move, state: MoveState) -> Move:
    """The move at its end; a server that was stopped for it is started before."""
    if not move.halted:
        return step.enter(move, state)
    place = move.destination if state is MoveState.MOVED else None
    move = replace(move, destination=place, start_at=step.now, starts=0)
    return step.enter(move.put_off(step.now), MoveState.STARTING)


def is_wanted(step: Step, move: Move) -> bool:
    """Whether the maintenance for which it moves goes on."""
    window = step.windows.get(move.job)
    return window is not None and window.state is WindowState.OPEN
