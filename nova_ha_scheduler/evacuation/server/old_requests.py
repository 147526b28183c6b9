# SPDX-License-Identifier: Apache-2.0
"""Requests that a destination finds in its queue when it returns.

It died before it took them up; the trigger has had the servers' state reset and sent
them elsewhere. nova.compute.manager.rebuild_instance of Nova 34 then claims the host,
writes itself into the migration record, and only then expects the server's task state
to be ``rebuilding``. It is not: the record is set to ``failed``, and the server to
``error`` with the task state that was expected, wherever it runs.

============================  ====================================================
it was recovered elsewhere    it is still there, and its host is up: it is shown as
                              active again
it waits for a new attempt    it is shown in error without a task state again
it is on its way elsewhere    that may be torn down half-way, with nobody to say what
                              is left of it: a person has to look
anything else                 a person has to look
============================  ====================================================
"""

from dataclasses import replace

from nova_ha_scheduler.cluster.picture import Migration, Server
from nova_ha_scheduler.evacuation.step import Step
from nova_ha_scheduler.reasons import Reason
from nova_ha_scheduler.records.effects import Effect
from nova_ha_scheduler.records.events import EventKind
from nova_ha_scheduler.records.host_recovery import HostRecovery
from nova_ha_scheduler.records.old_request import OldRequest
from nova_ha_scheduler.records.server_recovery import ServerRecovery, ServerState


def expect(step: Step, record: ServerRecovery, host: HostRecovery) -> None:
    """A server was on its way to a host that is proven to have died."""
    known = any(late.server == record.server for late in host.late)
    if not known:
        whose = record.recovery, record.server, record.name, record.source
        step.put(OldRequest(host.id, *whose))


def landed(step: Step, record: ServerRecovery) -> None:
    """A server is recovered: that is where it has to stay."""
    for host in step.open_hosts():
        for late in host.late:
            if (late.asked_by, late.server) == record.key:
                step.put(replace(late, landed_on=record.destination))


def disturbed(step: Step, record: ServerRecovery, failed: Migration) -> str:
    """What has befallen an evacuation whose record says that it failed on a host that
    was not asked; "": nothing of that kind.

    The new destination works on it all the same, and may have started it.
    """
    asked_at = record.asked_at or step.now
    back = any(
        host.host == failed.destination
        and (host.ended_at is None or asked_at < host.ended_at)
        and any(late.server == record.server for late in host.late)
        for host in step.hosts.values()
    )
    if failed.status != "failed" or not back:
        return ""
    return f"{failed.destination} has returned and took up an old request for it"


def watch(step: Step, host: HostRecovery) -> HostRecovery:
    """The host, which is back; what it does to servers is put right."""
    for late in host.late:
        if not late.over:
            step.put(_watched(step, host.host, late))
    return replace(host, late=step.hosts[host.id].late)


def is_watched(host: HostRecovery) -> bool:
    """Whether something may still come."""
    return not all(late.over for late in host.late)


def _watched(step: Step, returned: str, late: OldRequest) -> OldRequest:
    if late.server not in step.picture.scope.landed:
        return late  # the next picture shows it
    late = replace(late, watched_at=late.watched_at or step.now)
    server = step.picture.servers.get(late.server)
    own = step.servers.get((late.asked_by, late.server))
    told = own is not None and own.state is ServerState.FAILED
    if server is None or told:
        return replace(late, over=True)
    busy = own is not None and own.state.under_way
    if busy or not _is_broken(server):
        enough = step.now - (late.watched_at or 0) >= step.options.settle
        return replace(late, seen_at=None, over=enough)
    if late.seen_at is None:
        return replace(late, seen_at=step.now)  # who else has done that, shows by then
    if any(step.pauses_on(host) for host in (returned, server.host)):
        return replace(late, seen_at=step.now)
    effect = _remedy(step, returned, late, server, own)
    outcome = step.outcome(late, effect) if effect else None
    refused = outcome is not None and outcome.refused
    if refused or step.now - late.seen_at >= step.options.check_time:
        reason = Reason.LATE_UNCLEAR.sentence(returned)
        step.tell(EventKind.SERVER_CONFUSED, late, reason=reason)
        return replace(late, over=True)
    if effect and _due(step, late, effect):
        if late.reset_at is None:
            reason = Reason.LATE_REQUEST.sentence(returned)
            step.tell(EventKind.SERVER_RESET, late, reason=reason)
        step.intend(effect, server.host, late)
        late = replace(late, reset_at=step.now)
    return late


def _is_broken(server: Server) -> bool:
    """Whether it is as a refused request leaves it; a rebuild, too, may look so."""
    return (server.vm_state, server.task_state) == ("error", "rebuilding")


def _remedy(
    step: Step,
    returned: str,
    late: OldRequest,
    server: Server,
    own: ServerRecovery | None,
) -> Effect | None:
    """What puts it right; nothing, where somebody else may be at work on it."""
    refused = any(
        record.status == "failed"
        and (record.server, record.destination) == (late.server, returned)
        for record in step.picture.migrations
    )
    if not refused:
        return None
    if server.host == late.source and own and own.state is ServerState.WAITING:
        return Effect.RESET_STATE
    seen = step.picture.hosts.get(server.host)
    serves = seen is not None and seen.heard and step.recovery_of(server.host) is None
    moves = (m for m in step.moves.values() if m.server == late.server)
    at_home = server.host == late.landed_on and not any(m.under_way for m in moves)
    return Effect.SET_ACTIVE if at_home and serves else None


def _due(step: Step, late: OldRequest, effect: Effect) -> bool:
    """Whether to ask for it now; again only after a while: the picture may be older."""
    last = late.reset_at
    rested = last is None or step.now - last >= step.options.retry_interval
    return rested and not step.pending(late, effect)
