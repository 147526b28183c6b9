# SPDX-License-Identifier: Apache-2.0
"""Evacuations that Nova works on no more, and shows no end of.

A destination that dies in the middle, or a conductor that does, leaves the migration
record unfinished for ever, and the server with a task state that keeps Nova from
evacuating it again. An administrator may reset that state; who does so while the
destination still works on the server lets it run twice. So this is done only

* once the destination is proven to have died after it was asked, or
* if it never took the server up, for a request that named it: nobody else can have got
  it.

Else a person decides, and resets it by hand. Whoever did it: a destination that lives
may take the request up at that very moment, or be at it still. So the new request names
the same one, which says so if it has the server.
"""

from dataclasses import replace

from nova_ha_scheduler.cluster.picture import Migration, Server
from nova_ha_scheduler.evacuation import stopping
from nova_ha_scheduler.evacuation.server import attempts, old_requests
from nova_ha_scheduler.evacuation.step import Step
from nova_ha_scheduler.reasons import Reason
from nova_ha_scheduler.records.effects import Effect
from nova_ha_scheduler.records.events import EventKind
from nova_ha_scheduler.records.host_recovery import HostRecovery, HostState
from nova_ha_scheduler.records.server_recovery import ServerRecovery

_RESET = "error"
"""The vm_state of a server whose state was reset; Nova's own failures end the record
before they set it."""

_UNHEARD = (
    "MessagingTimeout",
    "MessageDeliveryFailure",
    "DBConnectionError",
    "DBError",
    "UnexpectedTaskStateError",
    "Conflict updating instance",
)
"""By what nova-compute fails then: exceptions of oslo.messaging and oslo.db; and what
Nova answers when the state that a server had was reset under its hands."""

_BY_COMPUTE = "failed"
"""The status that nova-compute gives a record; a conductor, which finds no host for the
server, calls it "error"."""

_HAS_IT = "already exists"
"""From nova.exception.InstanceExists, which nova-compute raises where its hypervisor
has the guest that it is to make."""

_PROVEN = (
    HostState.FENCED,
    HostState.EVACUATING,
    HostState.RECOVERED,
    HostState.INCOMPLETE,
)


def followed(
    step: Step, record: ServerRecovery, newest: Migration | None
) -> ServerRecovery:
    """The server, whose evacuation has not ended: is there still hope that it will?

    :param newest: its record, if there is one.
    """
    since = record.moving_at or record.asked_at or step.now
    host = _heading(record, newest)
    if not _looked(step, record):
        return record
    if host is None:
        return _slow(step, record, since) if newest is None else record
    if dead := _proven_dead(step, host):
        old_requests.expect(step, record, dead)
        return _reset(step, record, f"its destination {host} died in the middle")
    seen = step.picture.hosts.get(host)
    if seen is None or not seen.heard:
        if record.reason is not Reason.DESTINATION_DOWN:
            record = record.because(Reason.DESTINATION_DOWN, host)
            step.tell(EventKind.SERVER_SLOW, record, reason=record.sentence)
        return record
    if record.reason is Reason.DESTINATION_DOWN:
        record = record.because(None)
    if step.now - since >= step.options.slow_after and _named(record, newest):
        words = f"its destination {host} has never heard of it"
        return _reset(step, record, words)
    return record


def given_up(step: Step, record: ServerRecovery, newest: Migration | None) -> bool:
    """Whether it may be asked for again: its state was reset, by the trigger or by a
    person who was told that it takes long.

    Nothing is left to reset where the destination died between the server's last word
    and its record's: Nova says first that the server is up, and then where. Nor where
    nova-compute took the task state away by itself, as a conductor did not answer when
    it began: its record is never touched then.
    """
    server = _looked(step, record)
    if server is None or server.task_state is not None:
        return False
    if record.reason is Reason.STRANDED:
        host = _heading(record, newest)
        untouched = newest is not None and newest.status == "accepted"
        if untouched and not step.pending(record, Effect.RESET_STATE):
            return True
        return server.vm_state == _RESET or bool(host and is_dead(step, host))
    return record.reason is Reason.SLOW and server.vm_state == _RESET


def may_have_it(step: Step, failed: Migration, said: str) -> str | None:
    """The destination that may run a server, though its evacuation has failed: where
    Nova's own services did not answer nova-compute, it gives up without a look at the
    guest that it may have made; and where nobody says why, it may have been that. It
    is asked for there alone again: that host says so if it has it (:func:`had_it`).

    :param said: why it has failed, as far as Nova says that.
    """
    there = failed.destination
    unheard = any(words in said for words in _UNHEARD)
    if failed.status == _BY_COMPUTE:
        unheard = unheard or said == attempts.unexplained(failed)
    return there if unheard and there and not is_dead(step, there) else None


def had_it(failed: Migration, said: str) -> str:
    """What to say of an evacuation that has failed as its destination had the server
    already: its nova-compute died and was started again after the server was up there,
    and before Nova knew; "": that was not it.

    :param said: as for :func:`may_have_it`.
    """
    there = failed.destination or "its destination"
    return f"{there} had it already" if _HAS_IT in said else ""


def vanished(step: Step, record: ServerRecovery) -> bool:
    """Whether the server is neither on the dead host nor, as far as its record says,
    anywhere else: it was deleted, or has landed since the record was read."""
    listed = record.source in step.picture.scope.hosts
    return listed and record.server not in step.picture.servers


def retried(
    step: Step, record: ServerRecovery, newest: Migration | None
) -> ServerRecovery:
    """The server, to be asked for again: where its lost request may still arrive, or
    is being worked on."""
    bound = _heading(record, newest) or record.only
    if bound and is_dead(step, bound):
        bound = None
    return replace(record, baseline=baseline(step, record), only=bound)


def baseline(step: Step, record: ServerRecovery) -> int:
    """The newest record of the server, all of whose evacuations are over."""
    newest = step.picture.newest_record(record.server, record.source)
    return max(record.baseline, newest.id if newest else 0)


def is_dead(step: Step, host: str) -> bool:
    """Whether a destination is proven to have died, and shows no life; the picture is
    younger than the proof.

    A host in recovery is nobody's destination: it has died after it was asked, whatever
    the clock says.
    """
    return _proven_dead(step, host) is not None


def _proven_dead(step: Step, host: str) -> HostRecovery | None:
    found = step.recovery_of(host)
    if found is None or found.evidence is None or found.state not in _PROVEN:
        return None
    older = step.picture.taken_at <= found.stages.get(HostState.FENCED.value, 0.0)
    return None if older else found


def _heading(record: ServerRecovery, newest: Migration | None) -> str | None:
    """Where it goes for sure: what the planner thought of a host that the scheduler
    was free to choose says nothing."""
    if newest is not None and newest.destination:
        return newest.destination
    return record.destination if record.named else None


def _named(record: ServerRecovery, newest: Migration | None) -> bool:
    """Whether it can only arrive at the destination that the request has named."""
    if newest is None:
        return record.named
    return newest.status == "accepted" and bool(newest.destination)


def _slow(step: Step, record: ServerRecovery, since: float) -> ServerRecovery:
    """A request of which nothing is seen, and that may arrive anywhere: a person has
    to decide."""
    if record.reason is not None or step.now - since < step.options.slow_after:
        return record
    record = record.because(Reason.SLOW)
    step.tell(EventKind.SERVER_SLOW, record, reason=record.sentence)
    return record


def _looked(step: Step, record: ServerRecovery) -> Server | None:
    """The server, where the picture shows it on the dead host."""
    server = step.picture.servers.get(record.server)
    if server is None or server.unreadable or server.host != record.source:
        return None
    return server if record.source in step.picture.scope.hosts else None


def _reset(step: Step, record: ServerRecovery, words: str) -> ServerRecovery:
    """Have its state reset; again only after a while: the picture may be older."""
    server = _looked(step, record)
    if record.reason is not Reason.STRANDED:
        record = replace(record.because(Reason.STRANDED, words), not_before=step.now)
        step.tell(EventKind.SERVER_STRANDED, record, reason=record.sentence)
    stuck = server is not None and server.task_state is not None
    if not stuck or stopping.stops(step, step.hosts[record.recovery]):
        return record
    every = step.options.retry_interval
    return step.ensure(record, Effect.RESET_STATE, record.source, every)
