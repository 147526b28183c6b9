# SPDX-License-Identifier: Apache-2.0
"""Whom Nova is asked for now, and where they go.

All servers that wait get a place at once. The plan stays with the record of their host:
how many are under way does not change where the next ones go.

A server gets another place when its planned host has refused it, or cannot take it any
more. All servers are planned anew only where that leaves fewer of them without a place.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from nova_ha_scheduler.cluster.picture import Server
from nova_ha_scheduler.evacuation import stopping
from nova_ha_scheduler.evacuation.detection import rivals, suspicion
from nova_ha_scheduler.evacuation.host import proof
from nova_ha_scheduler.evacuation.maintenance import move_dispatch
from nova_ha_scheduler.evacuation.server import server_states, transitions
from nova_ha_scheduler.evacuation.step import Step
from nova_ha_scheduler.planner import packing, triage
from nova_ha_scheduler.planner.board import (
    FULL,
    NO_LIMITS,
    NOTHING,
    Board,
    Choice,
    Claim,
)
from nova_ha_scheduler.planner.ground import Ground
from nova_ha_scheduler.reasons import Reason
from nova_ha_scheduler.records.host_recovery import HostPhase, HostRecovery, HostState
from nova_ha_scheduler.records.server_recovery import ServerRecovery, ServerState

Waiting = Mapping[str, ServerRecovery]
"""By the server's UUID."""


def dispatch(step: Step) -> None:
    """Ask Nova for what the planner finds a place for."""
    found = {
        record.server: record
        for host in step.open_hosts()
        if _may_ask(step, host)
        for record in step.servers_of(host)
        if record.state is ServerState.WAITING and record.server in step.picture.servers
    }
    waiting = {k: r for k, r in found.items() if server_states.ready(step, r)}
    if not waiting or not step.picture.scope.destinations:
        return
    resting = {uuid: record for uuid, record in found.items() if uuid not in waiting}
    for server, decision in _decide(step, waiting, resting):
        record = waiting[server.uuid]
        if decision.reason is not None:
            step.put(transitions.wait(step, record, decision.reason, decision.detail))
            continue
        named = _is_named(step, record, decision.destination or "")
        if named and decision.destination in record.refused:
            step.put(transitions.refused_by_all(step, record))
        elif not proof.look_again(step, step.hosts[record.recovery]):
            step.put(server_states.ask(step, record, decision.destination, named))


def _is_named(step: Step, record: ServerRecovery, destination: str) -> bool:
    """Whether Nova is asked for a host by its name.

    Its choice may be a host that is about to be found dead; and one that the planner
    has refused, where the scheduler plugin is not enabled.
    """
    bound = destination in (_only(step, record), _planned(step, record))
    seen = map(step.picture.hosts.get, suspicion.shunned(step))
    open_to_nova = any(host and host.up and not host.disabled for host in seen)
    if bound or open_to_nova or not step.options.unnamed_requests:
        return True
    return step.options.planned_destinations and destination not in record.refused


def _decide(
    step: Step, waiting: Waiting, resting: Waiting
) -> list[tuple[Server, Choice]]:
    """Where each goes, and whether now, in the order of asking.

    :param resting: those that may not be asked for now, and will be.
    """
    shown = [step.picture.servers[uuid] for uuid in waiting]
    ordered = sorted(shown, key=lambda s: triage.urgency(s, step.options))
    dead = suspicion.shunned(step)
    ground = Ground(step.picture.hosts, step.options)
    claims, others = server_states.claims(step), move_dispatch.claims(step)
    # What is under way may stand in the amounts already, and in no record yet.
    shown_alone = Board(ground, dead, _bare(claims), NO_LIMITS, _bare(others))

    def places(rivals: list[Server]) -> dict[str, Choice]:
        board = Board(ground, dead, claims, NO_LIMITS, others)
        more = {s.uuid: resting.get(s.uuid) or _rival(step, s) for s in rivals}
        every = sorted((*shown, *rivals), key=lambda s: triage.urgency(s, step.options))
        return _places(step, {**waiting, **more}, every, board, shown_alone)

    rested = (step.picture.servers[uuid] for uuid in resting)
    found = _with_rivals(step, waiting, places, rivals.of(step, shown, rested))
    if step.options.planned_destinations:
        _keep(step, waiting, found)
    now = Board(ground, dead, claims, others=others)
    return [(s, _now(step, now, waiting[s.uuid], found[s.uuid])) for s in ordered]


def _now(step: Step, board: Board, record: ServerRecovery, place: Choice) -> Choice:
    """The place of a server, if it may be asked for now. Where the plan has come to
    what Nova has refused, it is whatever host has not, if there is one."""
    server, only = step.picture.servers[record.server], _only(step, record)
    if only is None and place.destination in record.refused:
        return board.place(server, record.refused)
    if place.destination:
        place = board.place(server, only=place.destination)
    if only is None or place.destination or place == FULL:
        return place
    return Choice(reason=Reason.BOUND, detail=f"{only}: {place.detail}")


def _only(step: Step, record: ServerRecovery) -> str | None:
    """The one host where it may still arrive, or where a person has ordered it to go,
    if that has not died."""
    host = step.hosts.get(record.recovery)
    chosen = host.chosen.get(record.server) if host else None
    if chosen and suspicion.proven_dead(step, chosen):
        chosen = None
    return record.only or chosen


def _with_rivals(
    step: Step,
    waiting: Waiting,
    places: Callable[[list[Server]], dict[str, Choice]],
    rivals: list[Server],
) -> dict[str, Choice]:
    """A place for each that leaves more urgent servers theirs, which may want it in a
    moment. Who has none beside them waits for that, but no longer than it takes until
    a host that is silent is suspected.

    :param places: finds places for the waiting, beside others.
    """
    found = places(rivals)
    left = [uuid for uuid in waiting if not found[uuid].destination]
    if not rivals or not left:
        return found
    alone = places([])
    kept = [uuid for uuid in left if alone[uuid].destination]
    if any(_is_patient_no_more(step, waiting[uuid]) for uuid in kept):
        return alone
    names = ", ".join(sorted({server.host for server in rivals}))
    for uuid in kept:
        found[uuid] = Choice(reason=Reason.ROOM_KEPT, detail=names)
    return found


def _is_patient_no_more(step: Step, record: ServerRecovery) -> bool:
    since = step.hosts[record.recovery].stages.get(HostState.EVACUATING.value, 0.0)
    return abs(step.now - since) >= step.options.down_time


def _rival(step: Step, server: Server) -> ServerRecovery:
    """What would be kept of it, if its host was known to be dead."""
    whose = "", server.uuid, server.name, server.host
    return ServerRecovery(*whose, ServerState.WAITING, step.now)


def _bare(claims: Iterable[Claim]) -> list[Claim]:
    return [replace(claim, wish=NOTHING) for claim in claims]


def _places(
    step: Step,
    waiting: Waiting,
    ordered: list[Server],
    board: Board,
    shown_alone: Board,
) -> dict[str, Choice]:
    """A place for each, however many are under way. First those have theirs that may
    go to one host alone, then those whose planned place is still there.

    :param shown_alone: the board without what is under way and not shown to be there:
        what finds no room on it has lost it for good.
    """

    def hold(server: Server, name: str) -> Choice:
        decision = shown_alone.place(server, only=name)
        if decision.destination:
            board.take(Claim.of(name, server))
        return decision

    only = {s.uuid: _only(step, waiting[s.uuid]) for s in ordered}
    bound = {s.uuid: hold(s, name) for s in ordered if (name := only[s.uuid])}
    free = [server for server in ordered if server.uuid not in bound]
    emptier = board.unlimited()
    planned = [(s, name) for s in free if (name := _planned(step, waiting[s.uuid]))]
    held = {server.uuid: hold(server, name) for server, name in planned}
    found = {uuid: place for uuid, place in held.items() if place.destination}
    by_nova = {host for record in step.servers.values() for host in record.refused}
    tried = {uuid: by_nova.union(record.tried) for uuid, record in waiting.items()}
    # Once for each host, that is: most of those that have no place find none later.
    new = any(r.phase is None and r.recovery for r in waiting.values())
    rest = [server for server in free if server.uuid not in found]
    found |= {s.uuid: place for s, place in packing.place_all(board, rest, tried, new)}
    if len(rest) < len(free) and any(not place.destination for place in found.values()):
        anew = {s.uuid: d for s, d in packing.place_all(emptier, free, tried, new)}
        alike = packing.classes(free, step.options)
        if packing.score(alike, _placed(anew)) > packing.score(alike, _placed(found)):
            found = anew
    return bound | found


def _placed(places: Mapping[str, Choice]) -> set[str]:
    return {uuid for uuid, decision in places.items() if decision.destination}


def _planned(step: Step, record: ServerRecovery) -> str | None:
    """Where it is planned to go, if it was not refused there."""
    host = step.hosts.get(record.recovery)
    name = host.planned.get(record.server) if host else None
    return None if name in (*record.tried, *record.refused) else name


def _keep(step: Step, waiting: Waiting, places: Mapping[str, Choice]) -> None:
    """Write the plan down with the hosts."""
    for host in step.open_hosts():
        found = {
            uuid: decision.destination
            for uuid, record in waiting.items()
            if record.recovery == host.id and (decision := places[uuid]).destination
        }
        step.put(replace(host, planned={**host.planned, **found}))


def _may_ask(step: Step, host: HostRecovery) -> bool:
    """Only with proof that holds, and Nova's word that the service is down."""
    return (
        host.state is HostState.EVACUATING
        and host.surely_dead
        and step.seen(host) is not None
        and host.phase not in (HostPhase.MAINTENANCE, HostPhase.BROKEN)
        and not stopping.stops(step, host)
        and step.looked_at(host)
    )
