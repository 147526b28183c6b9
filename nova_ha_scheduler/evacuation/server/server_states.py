# SPDX-License-Identifier: Apache-2.0
"""The recovery of a server: one function a state.

The truth about an evacuation is its migration record, not the server's status, and
not a clock: as long as the record is unfinished, Nova works on it.
"""

from collections.abc import Callable
from dataclasses import replace

from nova_ha_scheduler.cluster.picture import Migration
from nova_ha_scheduler.evacuation.detection import suspicion, unreadable
from nova_ha_scheduler.evacuation.server import (
    attempts,
    discovery,
    landing,
    owners_requests,
    task_states,
    transitions,
    under_way,
)
from nova_ha_scheduler.evacuation.step import Step
from nova_ha_scheduler.planner import board, triage
from nova_ha_scheduler.reasons import Reason
from nova_ha_scheduler.records.effects import Effect
from nova_ha_scheduler.records.host_recovery import HostRecovery
from nova_ha_scheduler.records.server_recovery import (
    ServerPhase,
    ServerRecovery,
    ServerState,
)


def follow(step: Step, host: HostRecovery) -> HostRecovery:
    """Take in the host's new servers, and bring each one's state up to date. The host
    knows then which of their requests may still be taken up.

    A picture without the host's servers has its records, which is enough for those
    that are under way.
    """
    for server in step.picture.servers_of(host.host):
        if (host.id, server.uuid) not in step.servers:
            step.put(discovery.found(step, host, server))
    for record in step.servers_of(host):
        if step.looked_at(host) or record.state.under_way:
            new = FUNCTIONS[record.state](step, record)
            again = record.state is not ServerState.WAITING and step.looked_at(host)
            if again and new.state is ServerState.WAITING:
                new = waiting(step, new)  # before anybody asks for it
            step.put(new)
    if host.aborted:
        give_up_waiting(step, host, Reason.ABORTED, host.aborted)
    return replace(host, old_requests=step.hosts[host.id].old_requests)


def give_up_waiting(
    step: Step, host: HostRecovery, reason: Reason, detail: str = ""
) -> None:
    """What waits for its evacuation stays there."""
    for record in step.servers_of(host):
        if record.state is ServerState.WAITING:
            step.put(transitions.left(step, record, reason, detail))


def host_is_back(step: Step, host: HostRecovery) -> None:
    """So does it when its host lives; but one that a destination may have may run."""
    for record in step.servers_of(host):
        if record.state is ServerState.WAITING and record.only:
            words = f"its host came back, and {record.only} may have it"
            record = record.because(Reason.DISTURBED, words)
            step.put(step.enter(record, ServerState.FAILED))
    give_up_waiting(step, host, Reason.HOST_RETURNED)


def try_again(step: Step, host: HostRecovery) -> HostRecovery:
    """A person ordered it: what failed or was left is judged anew, and what was asked
    for in vain gets another place."""
    planned = dict(host.planned)
    for record in step.servers_of(host):
        if record.state.traits.retried:
            if record.attempts:
                planned.pop(record.server, None)
            kept = {"attempts": 0, "tried": (), "refused": (), "not_before": step.now}
            record = step.set(record.because(None), ServerState.WAITING, **kept)
            step.put(replace(record, moving_at=None, landed_at=None))
    return replace(host, planned=planned)


def believe_emptied(step: Step, host: HostRecovery, at: float) -> None:
    """A person says that both queues of the host are empty: so nothing is left there
    of what was ordered of its servers by then. What is ordered later is there again.

    :param at: when it was said; a server that Nova has written since, as far as the
        clocks tell, is not believed.
    """
    for record in step.servers_of(host):
        server = step.picture.servers.get(record.server)
        if server and server.task_state:
            state = task_states.of(server.task_state)
            queued = state.done is task_states.Done.QUEUES
            latest = at - step.options.clock_skew
            earlier = server.changed_at is None or server.changed_at <= latest
            step.put(replace(record, queues_emptied=queued and earlier))


def waiting(step: Step, record: ServerRecovery) -> ServerRecovery:
    """It is still on the dead host, and Nova was not asked, or not again."""
    if transitions.new_record(step.picture, record):
        return under_way.adopt(step, record)
    server = step.picture.servers.get(record.server)
    if server is None or server.host != record.source:
        return transitions.gone(step, record)
    record = transitions.there(step, record)
    if words := unreadable.why(step, record):
        return transitions.unreadable(step, record, words)
    if record.phase is ServerPhase.UNREADABLE and not record.attempts:
        found = discovery.found(step, step.hosts[record.recovery], server)
        record = replace(found, seen_at=record.seen_at)
    if record.only and suspicion.proven_dead(step, record.only):
        record = replace(record, only=None)
    facts = step.picture.hosts[server.host].facts
    if why := triage.why_left(server, facts, step.options):
        return transitions.left(step, record, *why)
    state = server.task_state and task_states.of(server.task_state)
    if not state:
        record = replace(record, queues_emptied=False)
    host = step.hosts[record.recovery]
    if not state or task_states.may_be_asked(state, host, record):
        return attempts.idle(step, record)
    return transitions.busy(step, record, state)


def ready(step: Step, record: ServerRecovery) -> bool:
    """Whether Nova may be asked for it now; not for what has left the dead host."""
    due = record.state is ServerState.WAITING and record.not_before <= step.now
    shown = step.picture.servers.get(record.server)
    there = shown is not None and shown.host == record.source
    busy = record.phase is not None and record.phase.busy
    # What was decided on before may still wait for its turn.
    return due and there and not (busy or step.pending(record, Effect.EVACUATE))


def claims(step: Step) -> list[board.Claim]:
    """The evacuations under way, with what Placement may not show yet of them. Those
    of which Nova shows no progress do not count for the limits."""
    moving = (s for s in step.servers.values() if s.state.traits.claims)
    return [
        board.claim(
            record.destination,
            step.picture.servers.get(record.server),
            newest := transitions.new_record(step.picture, record),
            not _is_stuck(step, record, newest),
        )
        for record in moving
        if record.destination is not None
    ]


def _is_stuck(step: Step, record: ServerRecovery, newest: Migration | None) -> bool:
    """Whether nobody works on it, as far as Nova shows."""
    after = step.options.stalled_after
    nobody = ServerPhase.DESTINATION_DOWN, ServerPhase.STRANDED
    return record.phase in nobody or attempts.is_stalled(step, record, newest, after)


def ask(
    step: Step, record: ServerRecovery, destination: str | None, named: bool = True
) -> ServerRecovery:
    """Want its evacuation.

    :param destination: where there is room for it; it counts as taken from now on.
    :param named: whether Nova is asked for that host; else its scheduler chooses.
    """
    owners_requests.expect(step, record)
    wanted = destination if named else None
    step.intend(Effect.EVACUATE, record.source, record, destination=wanted)
    return step.enter(
        record,
        ServerState.ASKED,
        "" if named else f"{destination} has room; the scheduler chooses",
        destination=destination,
        named=named,
        leftover=step.picture.first_accepted(record.server, record.source),
        attempts=record.attempts + 1,
        asked_at=step.now,
        not_before=step.now + step.options.settle,
    )


def ended(step: Step, record: ServerRecovery) -> ServerRecovery:
    """It is accounted for; what is not recovered, others may still move."""
    if record.settled or record.has_landed:
        return record
    newest = transitions.new_record(step.picture, record)
    by_others = newest is not None and not newest.failed
    return under_way.adopt(step, record) if by_others else record


FUNCTIONS: dict[ServerState, Callable[[Step, ServerRecovery], ServerRecovery]] = {
    ServerState.WAITING: waiting,
    ServerState.ASKED: under_way.under_way,
    ServerState.MOVING: under_way.under_way,
    ServerState.LANDED: landing.landed,
    ServerState.RECOVERED: ended,
    ServerState.FAILED: ended,
    ServerState.LEFT: ended,
}
