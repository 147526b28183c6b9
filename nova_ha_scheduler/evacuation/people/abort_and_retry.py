# SPDX-License-Identifier: Apache-2.0
"""``nova-ha abort`` stops a recovery where it stands; ``nova-ha retry`` takes up what
is incomplete. Neither says anything of the host: it is as dead, or alive, as before.
"""

from dataclasses import replace

from nova_ha_scheduler.evacuation import stopping
from nova_ha_scheduler.evacuation.detection import suspicion
from nova_ha_scheduler.evacuation.server import server_states
from nova_ha_scheduler.evacuation.step import Step
from nova_ha_scheduler.reasons import Reason
from nova_ha_scheduler.records import pauses
from nova_ha_scheduler.records.commands import Command
from nova_ha_scheduler.records.effects import Effect
from nova_ha_scheduler.records.host_recovery import HostRecovery, HostState
from nova_ha_scheduler.records.server_recovery import ServerRecovery


def abort(step: Step, command: Command) -> None:
    """Begin nothing more in the host's recovery."""
    host = _recovery(step, command)
    if host is None:
        return
    if host.aborted:
        step.refuse(command, Reason.ABORTED, host.aborted)
    elif host.state.traits.over:
        step.refuse(command, Reason.NOTHING_TO_ABORT, host.state.value)
    else:
        step.put(replace(host, aborted=f"{command.by}: {command.reason}"))
        step.settle(command, _stopped(step, host))


def _stopped(step: Step, host: HostRecovery) -> str:
    """What is finished, and what is not begun."""
    if step.pending(host, Effect.FENCE):
        return "it is being fenced; after that, nothing is begun"
    if host.state is HostState.EVACUATING:
        found = step.servers_of(host)
        left = stopping.waiting(found)
        moving = sum(not server.state.final for server in found) - left
        words = stopping.servers(left), stopping.servers(moving)
        return "{} left, {} followed to the end".format(*words)
    fenced = host.state is HostState.FENCED
    return "nothing is evacuated" if fenced else "nothing is fenced"


def retry(step: Step, command: Command) -> None:
    """Go on where it was aborted, and judge anew what failed or was left."""
    host = _recovery(step, command)
    if host is None:
        return
    seen = step.seen(host)
    with_servers = host.state.traits.with_servers
    lost = with_servers and any(map(_is_lost, step.servers_of(host)))
    if found := step.pauses_on(host.host):
        step.refuse(command, Reason.PAUSED, pauses.words(found))
    elif seen is not None and suspicion.under_maintenance(seen):
        step.refuse(command, Reason.MAINTENANCE)
    elif host.state is HostState.RETURNING or not (
        host.aborted or lost or (with_servers and command.queues_emptied)
    ):
        step.refuse(command, Reason.NOTHING_TO_RETRY, host.state.value)
    elif command.queues_emptied and with_servers and not step.looked_at(host):
        return  # the next picture shows for which servers the word is
    else:
        words = "it is taken up again"
        if command.queues_emptied and not with_servers:
            words += "; say again that its queues are empty, once its servers wait"
        step.settle(command, words)
        if command.queues_emptied:
            server_states.believe_emptied(step, host, command.at)
        emptied = host.queues_emptied or command.queues_emptied
        host = replace(host.because(None), aborted="", queues_emptied=emptied)
        host = host.put_off(step.now)
        if with_servers:
            host = server_states.try_again(step, host)
        if host.state is HostState.INCOMPLETE:
            host = step.enter(host, HostState.EVACUATING)
        step.put(host)


def _is_lost(server: ServerRecovery) -> bool:
    return server.state.traits.retried and not server.settled


def _recovery(step: Step, command: Command) -> HostRecovery | None:
    """The recovery that it is about; if there is none, it is refused."""
    host = step.recovery_of(command.host)
    if host is None:
        known = command.host in step.picture.hosts
        step.refuse(command, Reason.NO_RECOVERY if known else Reason.UNKNOWN_HOST)
    return host
