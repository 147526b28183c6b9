# SPDX-License-Identifier: Apache-2.0
"""Servers go home when the host that they were evacuated from has returned, so that
the reserve is empty again.

Each has until ``return_within`` after the return: meanwhile its home may be under
maintenance, disabled or full. If the home dies again, that is over.
"""

from nova_ha_scheduler.evacuation.maintenance import move_states, moves
from nova_ha_scheduler.evacuation.server import discovery
from nova_ha_scheduler.evacuation.step import Step
from nova_ha_scheduler.planner import triage
from nova_ha_scheduler.reasons import Reason
from nova_ha_scheduler.records.events import EventKind
from nova_ha_scheduler.records.host_recovery import HostRecovery
from nova_ha_scheduler.records.move import Move, MoveState
from nova_ha_scheduler.records.server_recovery import ServerRecovery, ServerState
from nova_ha_scheduler.rules.vocabulary import BadValue


def begin(step: Step, host: HostRecovery) -> None:
    """Want home what was evacuated from a host that is back now."""
    wanted = [_homeward(step, server) for server in step.servers_of(host)]
    found = [move for move in wanted if move is not None]
    for move in found:
        step.put(move)
    if found:
        words = f"{len(found)} of its servers are to go home"
        step.tell(EventKind.FAILBACK_BEGUN, host, reason=words)


def _homeward(step: Step, server: ServerRecovery) -> Move | None:
    recovered = server.state is ServerState.RECOVERED
    if not (recovered and server.failback and server.destination):
        return None
    return Move(
        job=server.recovery,
        server=server.server,
        name=server.name,
        source=server.destination,
        home=server.source,
        state=MoveState.WAITING,
        seen_at=step.now,
        priority=server.priority,
    )


def follow(step: Step) -> None:
    """Bring each way home up to date, and tell of the last one's end."""
    going = [m for m in step.moves.values() if m.home and not m.state.final]
    for move in sorted(going, key=lambda m: (m.job, -m.priority, m.name, m.server)):
        step.put(_followed(step, move))
    for job in sorted({move.job for move in going}):
        if all(move.state.final for move in step.moves_of(job)):
            _tell_end(step, job)


def _followed(step: Step, move: Move) -> Move:
    if move.state is MoveState.WAITING and (why := _given_up(step, move)):
        return moves.left(step, move, *why)
    return move_states.FUNCTIONS[move.state](step, move)


def _given_up(step: Step, move: Move) -> triage.Why | None:
    """Why a server that waits stays where it is, if so."""
    if step.recovery_of(move.home or ""):
        return Reason.HOME_DIED, ""
    if step.now - move.seen_at >= step.options.return_within:
        return Reason.HOME_TOO_LATE, move.detail or "it was not its turn"
    server = step.picture.servers.get(move.server)
    if server is None or server.host != move.source:
        return None
    try:
        wanted = discovery.goes_home(server, step.options)
    except BadValue as error:
        return Reason.UNREADABLE, str(error)
    return None if wanted else (Reason.NO_FAILBACK, "")


def _tell_end(step: Step, job: str) -> None:
    found = step.moves_of(job)
    home = sum(move.state is MoveState.MOVED for move in found)
    stay = [f"{m.name} ({m.sentence})" for m in found if m.state is not MoveState.MOVED]
    words = f"{home} went home" + (f", not: {', '.join(stay)}" if stay else "")
    host = found[0].home or ""
    step.tell(EventKind.FAILBACK_ENDED, host=host, recovery=job, reason=words)
