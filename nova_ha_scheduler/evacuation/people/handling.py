# SPDX-License-Identifier: Apache-2.0
"""What people order by hand goes through the same engine."""

from dataclasses import replace

from nova_ha_scheduler.cluster.picture import Host
from nova_ha_scheduler.evacuation.detection import guard, suspicion
from nova_ha_scheduler.evacuation.host import proof
from nova_ha_scheduler.evacuation.maintenance import window_states
from nova_ha_scheduler.evacuation.people import abort_and_retry
from nova_ha_scheduler.evacuation.server import server_states
from nova_ha_scheduler.evacuation.step import Step
from nova_ha_scheduler.reasons import Reason
from nova_ha_scheduler.records import pauses
from nova_ha_scheduler.records.commands import Command, CommandKind
from nova_ha_scheduler.records.effects import Effect
from nova_ha_scheduler.records.events import EventKind
from nova_ha_scheduler.records.evidence import Evidence
from nova_ha_scheduler.records.host_recovery import HostRecovery, HostState
from nova_ha_scheduler.rules import vocabulary


def handle(step: Step) -> None:
    """Take or refuse what was ordered."""
    for command in sorted(step.commands.values(), key=lambda c: (c.at, c.id)):
        if command.at > step.now + step.options.clock_skew:
            step.refuse(command, Reason.OF_THE_FUTURE)
        elif command.kind.confirms:
            _confirm(step, command)
        elif step.now >= command.expires_at:
            step.refuse(command, Reason.TOO_LATE)
        elif command.kind is CommandKind.START_MAINTENANCE:
            window_states.start(step, command)
        elif command.kind is CommandKind.END_MAINTENANCE:
            window_states.end(step, command)
        elif command.kind is CommandKind.RESET_GUARD:
            guard.reset(step, command)
        elif command.kind is CommandKind.ABORT:
            abort_and_retry.abort(step, command)
        elif command.kind is CommandKind.RETRY:
            abort_and_retry.retry(step, command)
        else:
            raise ValueError(f"nobody takes the order {command.kind.value}")


def _confirm(step: Step, command: Command) -> None:
    """A confirmation of a host whose death is not proven yet stays, for the state
    functions to find, until it expires, or its host is heard of."""
    host = step.picture.host(command.host)
    known = step.recovery_of(command.host)
    if host is not None and host.unreadable and step.now < command.expires_at:
        return  # it may be true
    if host is None:
        step.refuse(command, Reason.UNKNOWN_HOST)
    elif step.now >= command.expires_at:
        step.refuse(command, Reason.EXPIRED)
    elif proof.is_void(step, command, host):
        # Its service record is also written by the recovery that another word began.
        ours = known is not None and proof.is_quiet(known, host)
        step.refuse(command, Reason.ALREADY if ours else Reason.VOID)
    elif known is not None and known.aborted:
        step.refuse(command, Reason.ABORTED, known.aborted)
    elif command.kind is CommandKind.EVACUATE:
        _evacuate(step, command, host)


def note(step: Step) -> None:
    """Say of each word that is not used yet why that is, once for each reason; at the
    end of the step, in which a state function may have used it."""
    for command in list(step.commands.values()):
        why = _unused(step, command) if command.kind.confirms else ""
        if why and why != command.waits:
            step.commands[command.id] = replace(command, waits=why)
            kind, how = EventKind.COMMAND_NOTED, str(command)
            step.tell(kind, host=command.host, how=how, reason=why)


def _unused(step: Step, command: Command) -> str:
    """What the word waits for; "": the next look at the cloud."""
    host = step.picture.hosts.get(command.host)
    known, kind = step.recovery_of(command.host), command.kind
    if host is None or step.picture.hosts_at is not None:
        return ""
    if step.guard.blind_since is not None:
        return Reason.WORD_BLIND.sentence()
    if known is None:
        return _unsuspected(step, command.kind, host)
    told_now = known.state is HostState.FENCED and known.phase is None
    if kind is CommandKind.EVACUATE and known.state.traits.proven or told_now:
        return ""
    if not known.state.traits.takes_word:
        return Reason.WORD_PROVEN.sentence(known.state.value)
    fenced = step.pending(known, Effect.FENCE)
    return Reason.WORD_FENCING.sentence() if fenced else ""


def _unsuspected(step: Step, kind: CommandKind, host: Host) -> str:
    if kind is CommandKind.EVACUATE:
        return Reason.EVACUATE_UP.sentence() if host.up else ""
    if no := suspicion.hands_off(host, step.options):
        reason, detail = no
        return Reason.WORD_LEFT_ALONE.sentence(reason.sentence(detail))
    if vocabulary.HA not in host.facts.flags:
        return Reason.WORD_UNPROTECTED.sentence()
    return (Reason.WORD_UP if host.up else Reason.WORD_EARLY).sentence()


def _evacuate(step: Step, command: Command, host: Host) -> None:
    """Begin, or begin again; while Nova holds the service for up, wait: its next
    heartbeat would show that the person was wrong."""
    if suspicion.under_maintenance(host):
        step.refuse(command, Reason.MAINTENANCE)
        return
    if found := step.pauses_on(host.name):
        step.refuse(command, Reason.PAUSED, pauses.words(found))
        return
    known = step.recovery_of(host.name)
    if known is not None and known.state.traits.takes_word:
        # The confirmation in it will be found there.
        step.put(_planned(known, command))
    elif known is not None and not known.state.traits.accounted:
        if command.bound or known.chosen:
            step.put(_planned(known, command))
            step.settle(command, "what still waits goes where this order says")
        else:
            step.refuse(command, Reason.ALREADY)
    elif not host.up and host.name in step.picture.scope.hosts:
        begun = _planned(known or suspicion.begin(step, host), command)
        step.settle(command, "its evacuation begins")
        begun = server_states.try_again(step, begun)
        begun = proof.proven(step, begun, Evidence.word_of(command))
        step.put(replace(begun, by_hand=True))


def _planned(host: HostRecovery, command: Command) -> HostRecovery:
    """The host, with what a person has ordered of where its servers go. A choice holds
    beside earlier ones, until an order without one takes them back."""
    planned = command.destinations
    if not command.bound:
        return replace(host, planned=planned, chosen={})
    chosen = {**host.chosen, **planned}
    return replace(host, planned={**host.planned, **planned}, chosen=chosen)
