# SPDX-License-Identifier: Apache-2.0
"""``nova-ha abort`` stops a recovery where it stands; ``nova-ha retry`` takes up what
is incomplete. Neither says anything of the host: it is as dead, or alive, as before.
"""

from dataclasses import replace

from nova_ha_scheduler.evacuation import detect, holds, pauses, servers
from nova_ha_scheduler.evacuation.orders import Command
from nova_ha_scheduler.evacuation.records import (
    Effect,
    HostRecovery,
    HostState,
    Reason,
    ServerRecovery,
    ServerState,
)
from nova_ha_scheduler.evacuation.turn import Turn

_WITH_SERVERS = (HostState.EVACUATING, HostState.INCOMPLETE)
_OVER = (HostState.RECOVERED, HostState.INCOMPLETE, HostState.RETURNING)


def abort(turn: Turn, command: Command) -> None:
    """Begin nothing more in the host's recovery."""
    host = _recovery(turn, command)
    if host is None:
        return
    if host.aborted:
        turn.refuse(command, Reason.ABORTED, host.aborted)
    elif host.state in _OVER:
        turn.refuse(command, Reason.NOTHING_TO_ABORT, host.state.value)
    else:
        turn.put(replace(host, aborted=f"{command.by}: {command.reason}"))
        turn.settle(command, _stopped(turn, host))


def _stopped(turn: Turn, host: HostRecovery) -> str:
    """What is finished, and what is not begun."""
    if turn.pending(host, Effect.FENCE):
        return "it is being fenced; after that, nothing is begun"
    if host.state is HostState.EVACUATING:
        found = turn.servers_of(host)
        left = holds.waiting(found)
        moving = sum(not server.state.final for server in found) - left
        return (
            f"{holds.servers(left)} left, {holds.servers(moving)} followed to the end"
        )
    fenced = host.state is HostState.FENCED
    return "nothing is evacuated" if fenced else "nothing is fenced"


def retry(turn: Turn, command: Command) -> None:
    """Go on where it was aborted, and judge anew what failed or was left."""
    host = _recovery(turn, command)
    if host is None:
        return
    seen = turn.seen(host)
    with_servers = host.state in _WITH_SERVERS
    lost = with_servers and any(map(_is_lost, turn.servers_of(host)))
    if found := turn.pauses_on(host.host):
        turn.refuse(command, Reason.PAUSED, pauses.words(found))
    elif seen is not None and detect.under_maintenance(seen):
        turn.refuse(command, Reason.MAINTENANCE)
    elif host.state is HostState.RETURNING or not (host.aborted or lost):
        turn.refuse(command, Reason.NOTHING_TO_RETRY, host.state.value)
    else:
        turn.settle(command, "it is taken up again")
        host = replace(host, aborted="", reason=None, detail="", next_try_at=turn.now)
        if with_servers:
            host = servers.try_again(turn, host)
        if host.state is HostState.INCOMPLETE:
            host = turn.enter(host, HostState.EVACUATING)
        turn.put(host)


def _is_lost(server: ServerRecovery) -> bool:
    ended = server.state in (ServerState.FAILED, ServerState.LEFT)
    return ended and not server.settled


def _recovery(turn: Turn, command: Command) -> HostRecovery | None:
    """The recovery that it is about; if there is none, it is refused."""
    host = turn.recovery_of(command.host)
    if host is None:
        known = command.host in turn.picture.hosts
        turn.refuse(command, Reason.NO_RECOVERY if known else Reason.UNKNOWN_HOST)
    return host
