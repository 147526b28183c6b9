# SPDX-License-Identifier: Apache-2.0
"""Requests that Nova may still take up for servers that were asked for again.

Their destination died before it took them up, or never heard of them; the trigger has
had the servers' state reset and asked anew. Two may still come:

* The destination finds the request in its queue when it returns.
  nova.compute.manager.rebuild_instance of Nova 34 then claims the host, writes itself
  into the migration record, and only then expects the server's task state to be
  ``rebuilding``. It is not: the record is set to ``failed``, and the server to
  ``error`` with the task state that was expected, wherever it runs.
* The conductor or the scheduler was busy with it, and finds no valid host: the record
  is set to ``error``, and the server, too.

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
from nova_ha_scheduler.records.host_recovery import HostRecovery, HostState
from nova_ha_scheduler.records.old_request import OldRequest
from nova_ha_scheduler.records.server_recovery import ServerRecovery, ServerState


def expect(step: Step, record: ServerRecovery, dead: HostRecovery | None) -> None:
    """A server was on its way, and is asked for again.

    :param dead: where it went, if that is proven to have died. The server's own host
        keeps it, too: whichever returns first is forgotten.
    """
    whose = record.recovery, record.server, record.name, record.source
    for host in filter(None, (step.hosts[record.recovery], dead)):
        if not any(old.server == record.server for old in host.old_requests):
            step.put(OldRequest(host.id, *whose))


def landed(step: Step, record: ServerRecovery) -> None:
    """A server is recovered: that is where it has to stay."""
    failed = tuple(m.id for m in _failed(step, record))
    for host in step.open_hosts():
        for old in host.old_requests:
            if (old.asked_by, old.server) == record.key:
                old = replace(old, landed_on=record.destination, failed=failed)
                step.put(replace(old, look_at=step.now))


def _failed(step: Step, about: ServerRecovery | OldRequest) -> list[Migration]:
    """The records of a server's evacuations that say so."""
    whose = about.server, about.source
    found = (m for m in step.picture.migrations if (m.server, m.source) == whose)
    return [record for record in found if record.failed]


def disturbed(step: Step, record: ServerRecovery, failed: Migration) -> str:
    """What has befallen an evacuation whose record says that it failed on a host that
    was not asked; "": nothing of that kind.

    The new destination works on it all the same, and may have started it.
    """
    asked_at = record.asked_at or step.now
    back = any(
        host.host == failed.destination
        and (host.ended_at is None or asked_at < host.ended_at)
        and any(
            old.server == record.server and not old.is_owners
            for old in host.old_requests
        )
        for host in step.hosts.values()
    )
    if failed.status != "failed" or not back:
        return ""
    return f"{failed.destination} has returned and took up an old request for it"


def _failed_since(step: Step, old: OldRequest) -> bool:
    """Whether one more has, since the server was recovered."""
    return any(record.id not in old.failed for record in _failed(step, old))


def follow(step: Step) -> None:
    """Look after servers that were recovered while an older request for them may fail
    yet, once each. What a host may do that is returning, its own state looks after."""
    found = [
        (host.state, old) for host in step.open_hosts() for old in host.old_requests
    ]
    found = [(state, old) for state, old in found if old.landed_on and not old.over]
    back = HostState.RETURNING
    seen = {
        (old.asked_by, old.server)
        for state, old in found
        if state is back and not old.is_conductors
    }
    known = (old for host in step.hosts.values() for old in host.old_requests)
    seen |= {(old.asked_by, old.server) for old in known if old.is_told}
    for state, old in found:
        if state is not back and (old.asked_by, old.server) not in seen:
            seen.add((old.asked_by, old.server))
            if step.now >= old.look_at:
                step.put(_followed(step, old))


def _followed(step: Step, old: OldRequest) -> OldRequest:
    scope = step.picture.scope
    if old.source not in scope.hosts | scope.followed:
        return old
    if old.suspect or _failed_since(step, old):
        return _watched(step, "", replace(old, suspect=True))
    return replace(old, look_at=step.now + step.options.idle_interval)


def watch(step: Step, host: HostRecovery) -> HostRecovery:
    """The host, which is back; what it does to servers is put right."""
    for old in host.old_requests:
        if not (old.over or old.is_conductors or old.is_owners):
            suspect = old.landed_on is not None and _failed_since(step, old)
            step.put(_watched(step, host.host, replace(old, suspect=suspect)))
    return replace(host, old_requests=step.hosts[host.id].old_requests)


def is_watched(host: HostRecovery) -> bool:
    """Whether something may still come of its return."""
    return not all(old.over or old.is_conductors for old in host.old_requests)


def _watched(step: Step, returned: str, old: OldRequest) -> OldRequest:
    """:param returned: the host that took it up; "": a conductor did."""
    if old.server not in step.picture.scope.landed:
        return old  # the next picture shows it
    old = replace(old, watched_at=old.watched_at or step.now)
    server = step.picture.servers.get(old.server)
    own = step.servers.get((old.asked_by, old.server))
    told = own is not None and own.state is ServerState.FAILED
    if server is None or told:
        return replace(old, over=True)
    busy = own is not None and own.state.under_way
    if busy or not _is_broken(server, old):
        enough = step.now - (old.watched_at or 0) >= step.options.settle
        return replace(old, seen_at=None, over=enough)
    if old.seen_at is None:
        return replace(old, seen_at=step.now)  # who else has done that, shows by then
    if any(step.pauses_on(host) for host in (returned or old.source, server.host)):
        return replace(old, seen_at=step.now)
    effect = _remedy(step, returned, old, server, own)
    outcome = step.outcome(old, effect) if effect else None
    refused = outcome is not None and outcome.refused
    tried = old.reset_at is not None or effect is None
    if refused or (tried and step.now - old.seen_at >= step.options.check_time):
        step.tell(EventKind.SERVER_CONFUSED, old, reason=_words(returned, False))
        return replace(old, over=True)
    if effect and is_due(step, old, effect):
        if old.reset_at is None:
            step.tell(EventKind.SERVER_RESET, old, reason=_words(returned, True))
        step.intend(effect, server.host, old)
        old = replace(old, reset_at=step.now)
    return old


def _words(returned: str, clear: bool) -> str:
    words = "an older request for it was taken up late"
    if returned:
        words = f"{returned} has returned and took up the old request for it"
    return (Reason.LATE_REQUEST if clear else Reason.LATE_UNCLEAR).sentence(words)


def _is_broken(server: Server, old: OldRequest) -> bool:
    """Whether it is as a refused request leaves it: a destination leaves the task
    state, as a rebuild does; a conductor takes it away, as much else does."""
    states = ("rebuilding", None) if old.suspect else ("rebuilding",)
    return server.vm_state == "error" and server.task_state in states


def _remedy(
    step: Step,
    returned: str,
    old: OldRequest,
    server: Server,
    own: ServerRecovery | None,
) -> Effect | None:
    """What puts it right; nothing, where somebody else may be at work on it."""
    refused = old.suspect or any(
        (record.status, record.destination) == ("failed", returned)
        for record in _failed(step, old)
    )
    if not refused:
        return None
    if server.host == old.source and own and own.state is ServerState.WAITING:
        return Effect.RESET_STATE
    at_home = server.host == old.landed_on
    return Effect.SET_ACTIVE if at_home and is_left_in_peace(step, server) else None


def is_left_in_peace(step: Step, server: Server) -> bool:
    """Whether nobody else may be at work on a server, as far as that shows: its host
    serves, and it is not on its way elsewhere."""
    seen = step.picture.hosts.get(server.host)
    serves = seen is not None and seen.heard and step.recovery_of(server.host) is None
    moves = (move for move in step.moves.values() if move.server == server.uuid)
    return serves and not any(move.under_way for move in moves)


def is_due(step: Step, old: OldRequest, effect: Effect) -> bool:
    """Whether to ask for it now; again only after a while: the picture may be older."""
    last = old.reset_at
    rested = last is None or step.now - last >= step.options.retry_interval
    return rested and not step.pending(old, effect)
