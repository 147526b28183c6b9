# SPDX-License-Identifier: Apache-2.0
"""What people order by hand goes through the same engine."""

from dataclasses import replace

from nova_ha_scheduler.cluster.model import Host
from nova_ha_scheduler.evacuation import (
    aborts,
    detect,
    guard,
    maintenance,
    pauses,
    proof,
    records,
    servers,
)
from nova_ha_scheduler.evacuation.evidence import Evidence
from nova_ha_scheduler.evacuation.records import (
    CommandKind,
    EventKind,
    HostState,
    Reason,
)
from nova_ha_scheduler.evacuation.turn import Turn
from nova_ha_scheduler.rules import vocabulary

_UNDER_WAY = (HostState.FENCED, HostState.EVACUATING, HostState.RETURNING)
_ENDED = (HostState.RECOVERED, HostState.INCOMPLETE)
_UNPROVEN = (HostState.SUSPECTED, HostState.CONFIRMED, HostState.FENCING)


def handle(turn: Turn) -> None:
    """Take or refuse what was ordered."""
    for command in sorted(turn.commands.values(), key=lambda c: (c.at, c.id)):
        if command.at > turn.now + turn.options.clock_skew:
            turn.refuse(command, Reason.OF_THE_FUTURE)
        elif command.kind.confirms:
            _confirm(turn, command)
        elif turn.now >= command.expires_at:
            turn.refuse(command, Reason.TOO_LATE)
        elif command.kind is CommandKind.START_MAINTENANCE:
            maintenance.start(turn, command)
        elif command.kind is CommandKind.END_MAINTENANCE:
            maintenance.end(turn, command)
        elif command.kind is CommandKind.RESET_GUARD:
            guard.reset(turn, command)
        elif command.kind is CommandKind.ABORT:
            aborts.abort(turn, command)
        else:
            aborts.retry(turn, command)


def _confirm(turn: Turn, command: records.Command) -> None:
    """A confirmation of a host whose death is not proven yet stays, for the state
    functions to find, until it expires, or its host is heard of."""
    host = turn.picture.host(command.host)
    known = turn.recovery_of(command.host)
    if host is not None and host.unreadable and turn.now < command.expires_at:
        return  # it may be true
    if host is None:
        turn.refuse(command, Reason.UNKNOWN_HOST)
    elif turn.now >= command.expires_at:
        turn.refuse(command, Reason.EXPIRED)
    elif proof.is_void(turn, command, host):
        turn.refuse(command, Reason.VOID)
    elif known is not None and known.aborted:
        turn.refuse(command, Reason.ABORTED, known.aborted)
    elif command.kind is CommandKind.EVACUATE:
        _evacuate(turn, command, host)


def note(turn: Turn) -> None:
    """Say of each word that is not used yet why that is, once for each reason; at the
    end of the step, in which a state function may have used it."""
    for command in list(turn.commands.values()):
        why = _unused(turn, command) if command.kind.confirms else ""
        if why and why != command.waits:
            turn.commands[command.id] = replace(command, waits=why)
            kind, how = EventKind.COMMAND_NOTED, str(command)
            turn.tell(kind, host=command.host, how=how, reason=why)


def _unused(turn: Turn, command: records.Command) -> str:
    """What the word waits for; "": the next look at the cloud."""
    host = turn.picture.hosts.get(command.host)
    known = turn.recovery_of(command.host)
    if host is None or turn.picture.hosts_at is not None:
        return ""
    if turn.guard.blind_since is not None:
        return Reason.WORD_BLIND.sentence()
    if known is None:
        return _unsuspected(command.kind, host)
    if known.state not in _UNPROVEN:
        return Reason.WORD_PROVEN.sentence(known.state.value)
    fenced = turn.pending(known, records.Effect.FENCE)
    return Reason.WORD_FENCING.sentence() if fenced else ""


def _unsuspected(kind: CommandKind, host: Host) -> str:
    if kind is CommandKind.EVACUATE:
        return Reason.EVACUATE_UP.sentence() if host.up else ""
    if no := detect.hands_off(host):
        reason, detail = no
        return Reason.WORD_LEFT_ALONE.sentence(reason.sentence(detail))
    if vocabulary.HA not in host.facts.flags:
        return Reason.WORD_UNPROTECTED.sentence()
    return (Reason.WORD_UP if host.up else Reason.WORD_EARLY).sentence()


def _evacuate(turn: Turn, command: records.Command, host: Host) -> None:
    """Begin, or begin again; while Nova holds the service for up, wait: its next
    heartbeat would show that the person was wrong."""
    if detect.under_maintenance(host):
        turn.refuse(command, Reason.MAINTENANCE)
        return
    if found := turn.pauses_on(host.name):
        turn.refuse(command, Reason.PAUSED, pauses.words(found))
        return
    known = turn.recovery_of(host.name)
    if known is not None and known.state in _UNDER_WAY:
        turn.refuse(command, Reason.ALREADY)
    elif known is not None and known.state not in _ENDED:
        # The confirmation in it will be found there.
        turn.put(replace(known, planned=command.destinations))
    elif not host.up and host.name in turn.picture.scope.hosts:
        begun = known or detect.begin(turn, host)
        turn.settle(command, "its evacuation begins")
        begun = servers.try_again(turn, begun)
        begun = proof.proven(turn, begun, Evidence.word_of(command))
        turn.put(replace(begun, by_hand=True, planned=command.destinations))
