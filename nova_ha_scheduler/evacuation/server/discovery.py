# SPDX-License-Identifier: Apache-2.0
"""A server of a dead host, as it is found there."""

from nova_ha_scheduler.cluster.picture import Migration, Server
from nova_ha_scheduler.evacuation.options import Options
from nova_ha_scheduler.evacuation.server import task_states
from nova_ha_scheduler.evacuation.step import Step
from nova_ha_scheduler.planner import triage
from nova_ha_scheduler.records.host_recovery import HostRecovery
from nova_ha_scheduler.records.server_recovery import ServerRecovery, ServerState
from nova_ha_scheduler.rules import vocabulary
from nova_ha_scheduler.rules.vocabulary import BadValue


def found(step: Step, host: HostRecovery, server: Server) -> ServerRecovery:
    """A server that was found on a dead host."""
    ran_and_broke = server.vm_state == "error" and server.running
    ran = server.vm_state == "active" or ran_and_broke
    state = task_states.of(server.task_state) if server.task_state else None
    if state and state.ends_running is not None:
        ran = state.ends_running
    return ServerRecovery(
        recovery=host.id,
        server=server.uuid,
        name=server.name,
        source=host.host,
        state=ServerState.WAITING,
        seen_at=step.now,
        was_running=ran,
        priority=triage.priority(server, step.options),
        failback=_may_go_home(server, step.options),
        baseline=_baseline(step.picture.newest_record(server.uuid, host.host)),
    )


def goes_home(server: Server, options: Options) -> bool:
    """Whether it shall go home. :raises BadValue: that cannot be read."""
    given = server.extra_specs, server.metadata
    return vocabulary.failback(*given, options.tenant_raises, options.return_failback)


def _may_go_home(server: Server, options: Options) -> bool:
    """The same; where it cannot be read, its move tells so."""
    try:
        return goes_home(server, options)
    except BadValue:
        return True


def _baseline(newest: Migration | None) -> int:
    """Which records are history when the recovery begins.

    'done' means that the source's nova-compute has not run since: that evacuation
    belongs to this very death. It turns them into 'completed' when it starts.
    """
    if newest is None:
        return 0
    history = newest.failed or newest.status == "completed"
    return newest.id if history else newest.id - 1
