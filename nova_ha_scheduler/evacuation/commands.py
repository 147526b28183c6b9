# SPDX-License-Identifier: Apache-2.0
"""What people order by hand goes through the same engine."""

from dataclasses import replace

from nova_ha_scheduler.evacuation import detect, recovery, servers
from nova_ha_scheduler.evacuation.cloud import Host
from nova_ha_scheduler.evacuation.records import (
    Command,
    CommandKind,
    EventKind,
    Evidence,
    HostRecovery,
    HostState,
    Proof,
    Reason,
)
from nova_ha_scheduler.evacuation.turn import Turn

_ENDED = (HostState.RECOVERED, HostState.INCOMPLETE)


def handle(turn: Turn) -> None:
    """Take or refuse what was ordered.

    A confirmation of a host whose death is not proven yet stays, for the state
    functions to find, until it expires.
    """
    for command in sorted(turn.commands.values(), key=lambda c: (c.at, c.id)):
        host = turn.picture.hosts.get(command.host)
        if host is None:
            _refuse(turn, command, Reason.UNKNOWN_HOST)
        elif turn.now >= command.expires_at:
            _refuse(turn, command, Reason.EXPIRED)
        elif host.up and host.updated_at > command.at:
            _refuse(turn, command, Reason.VOID)
        elif command.kind is CommandKind.EVACUATE:
            _evacuate(turn, command, host)


def _refuse(turn: Turn, command: Command, reason: Reason) -> None:
    turn.answer(command, EventKind.COMMAND_REFUSED, reason.sentence())


def _evacuate(turn: Turn, command: Command, host: Host) -> None:
    """Begin, or begin again; while Nova holds the service for up, wait: its next
    heartbeat would show that the person was wrong."""
    if detect.under_maintenance(host):
        _refuse(turn, command, Reason.MAINTENANCE)
        return
    known = turn.recovery_of(host.name)
    if known is not None and known.state in (
        HostState.FENCED,
        HostState.EVACUATING,
        HostState.RETURNING,
    ):
        _refuse(turn, command, Reason.ALREADY)
    elif known is not None and known.state not in _ENDED:
        return  # the confirmation in it will be found there
    elif not host.up and host.name in turn.picture.scope.hosts:
        begun = known or detect.begin(turn, host, HostState.FENCED)
        turn.put(_ordered(turn, command, begun))


def _ordered(turn: Turn, command: Command, host: HostRecovery) -> HostRecovery:
    turn.answer(command, EventKind.COMMAND_TAKEN, "its evacuation begins")
    servers.try_again(turn, host)
    evidence = Evidence(Proof.CONFIRMATION, command.by, command.at, command.reason)
    return replace(recovery.proven(turn, host, evidence), by_hand=True)
