# SPDX-License-Identifier: Apache-2.0
"""Where people stop a recovery: a pause, for as long as it holds, or an abort.

=================  ================================================================
what has begun     is finished: a fence, force-down and disable of a fenced host,
                   evacuations and moves that Nova was asked for and what follows
what only looks    goes on: witnesses, the state of the power, the cloud itself
what would begin   does not, and the history says what, who stopped it, and why
=================  ================================================================
"""

from dataclasses import replace

from nova_ha_scheduler.evacuation.step import Step
from nova_ha_scheduler.reasons import Reason
from nova_ha_scheduler.records import pauses
from nova_ha_scheduler.records.effects import Effect
from nova_ha_scheduler.records.events import Event, EventKind
from nova_ha_scheduler.records.host_recovery import HostPhase, HostRecovery
from nova_ha_scheduler.records.pauses import Pause
from nova_ha_scheduler.records.server_recovery import ServerRecovery, ServerState

STOPPED = (HostPhase.PAUSED, HostPhase.ABORTED)

NOT_WHEN_STOPPED = frozenset(
    {
        Effect.FENCE,
        Effect.EVACUATE,
        Effect.RESET_STATE,
        Effect.SET_ACTIVE,
        Effect.LIVE_MIGRATE,
        Effect.COLD_MIGRATE,
        Effect.FORCE_COMPLETE,
        Effect.STOP_TO_MOVE,
    }
)
"""What is not begun either if it was decided before, and still waits for a thread."""


def expire(step: Step) -> None:
    """End the pauses whose time is over, however long ago that was."""
    for pause in list(step.pauses.values()):
        if pause.is_over(step.now):
            step.pauses[pause.id] = replace(pause, ended_at=pause.until)
            how, host = f"pause of {pause}", pause.host or ""
            step.tell(EventKind.PAUSE_EXPIRED, host=host, how=how)


def released(step: Step, host: HostRecovery) -> HostRecovery:
    """The host, without the pause that has held it, once there is none; and without
    the error that has, or what could not be read, for that may be gone."""
    free = host.phase is HostPhase.PAUSED and not step.pauses_on(host.host)
    if free or host.phase is HostPhase.BROKEN:
        return host.because(None)
    return host


def stops(step: Step, host: HostRecovery) -> bool:
    """Whether a person has stopped whatever would begin now."""
    return bool(host.aborted or step.pauses_on(host.host))


def held(step: Step, host: HostRecovery, whom: str = "") -> HostRecovery | None:
    """The host, which does not go on, if a person has stopped it.

    :param whom: its servers, in words, where the state's traits ask for them.
    """
    if host.aborted:
        return aborted(step, host)
    return paused(step, host, whom)


def aborted(step: Step, host: HostRecovery) -> HostRecovery:
    """The host, which a person has stopped for good."""
    return step.hold(host, Reason.ABORTED, host.aborted, HostPhase.ABORTED)


def paused(step: Step, host: HostRecovery, whom: str = "") -> HostRecovery | None:
    """The same for what an abort does not stop: to undo what the trigger did."""
    if found := step.pauses_on(host.host):
        would = host.state.traits.would.format(whom)
        detail = f"{pauses.words(found)}; would {would}"
        return step.hold(host, Reason.PAUSED, detail, HostPhase.PAUSED)
    return None


def begun(pause: Pause) -> Event:
    """That somebody has paused something."""
    how, host = f"pause of {pause}", pause.host or ""
    words = "nothing new is begun for it"
    return Event(EventKind.PAUSED, pause.at, host, how=how, reason=words)


def resumed(pause: Pause) -> Event:
    """That somebody has ended a pause."""
    assert pause.ended_at is not None
    words = f"resumed by {pause.ended_by}"
    how, host = f"pause of {pause}", pause.host or ""
    return Event(EventKind.RESUMED, pause.ended_at, host, how=how, reason=words)


def servers(count: int) -> str:
    """So many servers, in words."""
    return "1 server" if count == 1 else f"{count} servers"


def waiting(found: list[ServerRecovery]) -> int:
    """How many Nova would still be asked for."""
    return sum(server.state is ServerState.WAITING for server in found)
