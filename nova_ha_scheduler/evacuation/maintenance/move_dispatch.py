# SPDX-License-Identifier: Apache-2.0
"""Which moves Nova is asked for now, and where they go."""

from typing import Any

from nova_ha_scheduler.cluster.picture import MoveKind, Server
from nova_ha_scheduler.evacuation.detection import suspicion
from nova_ha_scheduler.evacuation.maintenance import halting, moves
from nova_ha_scheduler.evacuation.server import attempts, server_states
from nova_ha_scheduler.evacuation.step import Step
from nova_ha_scheduler.planner import board, triage
from nova_ha_scheduler.planner.ground import Ground
from nova_ha_scheduler.reasons import Reason
from nova_ha_scheduler.records import pauses
from nova_ha_scheduler.records.host_recovery import HostState
from nova_ha_scheduler.records.move import Move, MovePhase, MoveState
from nova_ha_scheduler.rules.terms import Operation

_OPERATIONS = {
    MoveKind.LIVE: Operation.LIVE_MIGRATE,
    MoveKind.COLD: Operation.COLD_MIGRATE,
}


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
        board.Limits(most, most, most),
        server_states.claims(step),
    )
    shown = (step.picture.servers[uuid] for uuid in ready)
    for server in sorted(shown, key=lambda s: _order(step, ready[s.uuid], s)):
        move = ready[server.uuid]
        # Who is stopped already does not wait, but is started again.
        wait = moves.left if move.halted else moves.wait
        if found := moves.pauses_of(step, move):
            words = f"{pauses.words(found)}; would move it"
            step.put(wait(step, move, Reason.PAUSED, words, MovePhase.PAUSED))
            continue
        stops = halting.is_to_stop(step, move, server)
        kind = MoveKind.COLD if stops else moves.KINDS[server.vm_state]
        decision = plan.place(server, move.tried, _OPERATIONS[kind], move.home)
        if decision == board.FULL:
            return
        if decision.reason is not None:
            why, phase = Reason.NO_ROOM, MovePhase.NO_ROOM
            if move.home:
                why, phase = Reason.HOME_FULL, MovePhase.HELD
            step.put(wait(step, move, why, decision.detail, phase))
        elif stops:
            step.put(halting.begin(step, move, server, decision.destination))
        else:
            step.put(_ask(step, move, kind, decision.destination))


def _about_to_evacuate(step: Step) -> bool:
    """Whether servers of a dead host will want room in a moment: they come first."""
    hosts = (host for host in step.open_hosts() if host.phase is None)
    return not all(host.has_been(HostState.EVACUATING) for host in hosts)


def _is_ready(step: Step, move: Move) -> bool:
    """Whether Nova may be asked for it now."""
    due = move.state is MoveState.WAITING and move.not_before <= step.now
    if not due or not moves.looked(step, move) or moves.is_down(step, move):
        return False
    server = moves.server_of(step, move)
    if server is None or server.task_state is not None:
        return False
    why = halting.why_not(step, move, server)
    return why is None and move.source in step.picture.hosts


def _order(step: Step, move: Move, server: Server) -> tuple[Any, ...]:
    """Who is stopped already comes first: its owner waits for it."""
    return not move.halted, triage.urgency(server, step.options)


def claims(step: Step) -> list[board.Claim]:
    """The moves under way, with what Placement may not show yet of them. Those
    that nobody waits for do not count for the limit."""
    return [
        board.claim(
            move.destination,
            step.picture.servers.get(move.server),
            moves.record_of(step, move),
            not _is_passed_over(step, move),
        )
        for move in step.moves.values()
        if move.under_way and move.destination is not None
    ]


def _is_passed_over(step: Step, move: Move) -> bool:
    """Whether others are asked for in its place: Nova shows no progress of it. It shows
    none of a cold migration, which may copy disks; and it does of a live one that
    never arrives, as the server writes memory faster than that is copied."""
    newest, options = moves.record_of(step, move), step.options
    if move.kind is MoveKind.COLD:
        return attempts.is_stalled(step, move, newest, options.slow_after)
    is_stalled = attempts.is_stalled(step, move, newest, options.stalled_after)
    return is_stalled or moves.is_slow(step, move)


def _ask(step: Step, move: Move, kind: MoveKind, destination: str | None) -> Move:
    step.intend(moves.EFFECTS[kind], move.source, move, destination=destination)
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
