# SPDX-License-Identifier: Apache-2.0
"""Whom Nova is asked for now, and where they go.

All servers that wait get a place at once. The plan stays with the record of their host:
how many are under way does not change where the next ones go.

A server gets another place when its planned host has refused it, or cannot take it any
more. All servers are planned anew only where that leaves fewer of them without a place.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from nova_ha_scheduler.cluster.picture import Server
from nova_ha_scheduler.evacuation import stopping
from nova_ha_scheduler.evacuation.detection import suspicion
from nova_ha_scheduler.evacuation.host import proof
from nova_ha_scheduler.evacuation.maintenance import move_states
from nova_ha_scheduler.evacuation.server import server_states, transitions
from nova_ha_scheduler.evacuation.step import Step
from nova_ha_scheduler.planner import packing, triage
from nova_ha_scheduler.planner.board import NO_LIMITS, Board, Choice, Claim
from nova_ha_scheduler.planner.ground import Ground
from nova_ha_scheduler.reasons import Reason
from nova_ha_scheduler.records.host_recovery import HostRecovery, HostState
from nova_ha_scheduler.records.server_recovery import ServerRecovery

Waiting = Mapping[str, ServerRecovery]
"""By the server's UUID."""


def dispatch(step: Step) -> None:
    """Ask Nova for what the planner finds a place for."""
    waiting = {
        record.server: record
        for host in step.open_hosts()
        if _may_ask(step, host)
        for record in step.servers_of(host)
        if server_states.ready(step, record)
    }
    if not waiting or not step.picture.scope.destinations:
        return
    for server, decision in _decide(step, waiting):
        record = waiting[server.uuid]
        if decision.reason is not None:
            step.put(transitions.wait(step, record, decision.reason, decision.detail))
        elif not proof.look_again(step, step.hosts[record.recovery]):
            kept = decision.destination in (record.only, _planned(step, record))
            named = step.options.planned_destinations or kept
            step.put(server_states.ask(step, record, decision.destination, named))


def _decide(step: Step, waiting: Waiting) -> list[tuple[Server, Choice]]:
    """Where each goes, and whether now, in the order of asking."""
    shown = (step.picture.servers[uuid] for uuid in waiting)
    ordered = sorted(shown, key=lambda s: triage.urgency(s, step.options))
    dead = suspicion.shunned(step)
    ground = Ground(step.picture.hosts, step.options)
    claims, others = server_states.claims(step), move_states.claims(step)
    board = Board(ground, dead, claims, NO_LIMITS, others)
    # What is under way may stand in the amounts already, and in no record yet.
    shown_alone = Board(ground, dead, _bare(claims), NO_LIMITS, _bare(others))
    places = _places(step, waiting, ordered, board, shown_alone)
    if step.options.planned_destinations:
        _keep(step, waiting, places)
    now = Board(ground, dead, claims, others=others)
    decided = [(server, places[server.uuid]) for server in ordered]
    return [
        (s, now.place(s, only=d.destination) if d.destination else d)
        for s, d in decided
    ]


def _bare(claims: Iterable[Claim]) -> list[Claim]:
    return [replace(claim, needs={}) for claim in claims]


def _places(
    step: Step,
    waiting: Waiting,
    ordered: list[Server],
    board: Board,
    shown_alone: Board,
) -> dict[str, Choice]:
    """A place for each, however many are under way. First those have theirs that may
    still arrive at one host alone, then those whose planned place is still there.

    :param shown_alone: the board without what is under way and not shown to be there:
        what finds no room on it has lost it for good.
    """

    def hold(server: Server, name: str) -> Choice:
        decision = shown_alone.place(server, only=name)
        if decision.destination:
            board.take(Claim(name, server.needs, server.group))
        return decision

    bound = {s.uuid: hold(s, only) for s in ordered if (only := waiting[s.uuid].only)}
    free = [server for server in ordered if server.uuid not in bound]
    emptier = board.unlimited()
    planned = [(s, name) for s in free if (name := _planned(step, waiting[s.uuid]))]
    held = {server.uuid: hold(server, name) for server, name in planned}
    found = {uuid: place for uuid, place in held.items() if place.destination}
    tried = {uuid: record.tried for uuid, record in waiting.items()}
    # Once for each host, that is: most of those that have no place find none later.
    new = any(record.reason is None for record in waiting.values())
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
    name = step.hosts[record.recovery].planned.get(record.server)
    return None if name in record.tried else name


def _keep(step: Step, waiting: Waiting, places: Mapping[str, Choice]) -> None:
    """Write the plan down with the hosts."""
    for host in step.open_hosts():
        found = {
            uuid: decision.destination
            for uuid, decision in places.items()
            if waiting[uuid].recovery == host.id and decision.destination
        }
        step.put(replace(host, planned={**host.planned, **found}))


def _may_ask(step: Step, host: HostRecovery) -> bool:
    """Only with proof that holds, and Nova's word that the service is down."""
    return (
        host.state is HostState.EVACUATING
        and host.evidence is not None
        and step.seen(host) is not None
        and host.reason not in (Reason.MAINTENANCE, *stopping.HELD_UP)
        and not stopping.stops(step, host)
        and step.looked_at(host)
    )
