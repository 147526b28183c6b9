# SPDX-License-Identifier: Apache-2.0
"""What people order by hand goes through the same engine."""

from dataclasses import replace

from nova_ha_scheduler.cluster.model import Host
from nova_ha_scheduler.evacuation import (
    aborts,
    detect,
    maintenance,
    pauses,
    proof,
    records,
    servers,
)
from nova_ha_scheduler.evacuation.evidence import Evidence
from nova_ha_scheduler.evacuation.records import CommandKind, HostState, Reason
from nova_ha_scheduler.evacuation.turn import Turn

_UNDER_WAY = (HostState.FENCED, HostState.EVACUATING, HostState.RETURNING)
_ENDED = (HostState.RECOVERED, HostState.INCOMPLETE)


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
        elif command.kind is CommandKind.ABORT:
            aborts.abort(turn, command)
        else:
            aborts.retry(turn, command)


def _confirm(turn: Turn, command: records.Command) -> None:
    """A confirmation of a host whose death is not proven yet stays, for the state
    functions to find, until it expires, or its host is heard of."""
    host = turn.picture.hosts.get(command.host)
    known = turn.recovery_of(command.host)
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
