# SPDX-License-Identifier: Apache-2.0
"""What the journal keeps of the death of a host."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nova_ha_scheduler.records.ages import age, inner, wait
from nova_ha_scheduler.records.evidence import Evidence
from nova_ha_scheduler.records.old_request import OldRequest
from nova_ha_scheduler.records.with_state import WithState


class HostState(enum.Enum):
    """Where the recovery of a host stands; one function each in host_states.py.

    What each means, and what holds in it, stands in HOST_STATES.
    """

    LATE = "late"
    SUSPECTED = "suspected"
    CONFIRMED = "confirmed"
    FENCING = "fencing"
    FENCED = "fenced"
    EVACUATING = "evacuating"
    RECOVERED = "recovered"
    INCOMPLETE = "incomplete"
    RETURNING = "returning"
    CLOSED = "closed"

    @property
    def traits(self) -> "HostTraits":
        return HOST_STATES[self]


class HostPhase(enum.Enum):
    """Where the recovery of a host stands within its state."""

    HELD = "held"
    """It does not go on; see the reason."""
    PAUSED = "paused"
    ABORTED = "aborted"
    BROKEN = "broken"
    """Nothing at all was done for it in this step: a bug, or it cannot be read."""
    ALIVE_TO_WITNESSES = "alive-to-witnesses"
    """Not every witness agrees that it is dead: before it is fenced, or after."""
    NO_METHOD = "no-method"
    DOUBTED = "doubted"
    """Its service record was written after the proof: is it still off?"""
    ALIVE = "alive"
    UNKNOWN = "unknown"
    """Nova knows no such host."""
    MAINTENANCE = "maintenance"
    NOT_DONE = "not-done"
    """Nova has refused, or failed at, what it was asked for the host."""


class View(enum.Enum):
    """When the servers of a host have to be seen."""

    ALWAYS = "always"
    WHEN_DUE = "when-due"
    """Once something is wanted for the host again."""
    NEVER = "never"


@dataclass(frozen=True)
class HostTraits:
    """What holds for a host in a state.

    :ivar means: a sentence for people.
    :ivar wants_in: it is not admitted to be fenced: it counts for the guard while it
        wants to be, and waits while nobody can see.
    :ivar takes_word: a person's word that it is off is used.
    :ivar proven: its death is, as long as that is not in doubt.
    :ivar with_servers: its servers are being recovered, or some were not.
    :ivar accounted: all of its servers are accounted for.
    :ivar over: nothing more begins for it, and it cannot be aborted.
    :ivar view: when its servers have to be seen.
    :ivar would: what would begin now, where a pause stops that; "": a pause stops
        nothing.
    """

    means: str
    wants_in: bool = False
    takes_word: bool = False
    proven: bool = False
    with_servers: bool = False
    accounted: bool = False
    over: bool = False
    view: View = View.ALWAYS
    would: str = ""

    @property
    def to_come(self) -> bool:
        """Whether its servers have yet to be taken up."""
        return not (self.with_servers or self.over)


HOST_STATES: Mapping[HostState, HostTraits] = {
    HostState.LATE: HostTraits(
        "It has missed a heartbeat, and its fence device says off: a power cycle?",
        wants_in=True,
        takes_word=True,
    ),
    HostState.SUSPECTED: HostTraits(
        "Its service is silent, and the witnesses are asked.",
        wants_in=True,
        takes_word=True,
    ),
    HostState.CONFIRMED: HostTraits(
        "All witnesses agree that it is dead, and the guard is asked.",
        wants_in=True,
        takes_word=True,
        would="fence it",
    ),
    HostState.FENCING: HostTraits("It is being switched off.", takes_word=True),
    HostState.FENCED: HostTraits(
        "It is off, and Nova is told so.",
        proven=True,
        would="evacuate its servers",
    ),
    HostState.EVACUATING: HostTraits(
        "Its servers are being recovered.",
        proven=True,
        with_servers=True,
        would="evacuate {}",
    ),
    HostState.RECOVERED: HostTraits(
        "All that was to be recovered is.",
        proven=True,
        accounted=True,
        over=True,
        view=View.NEVER,
    ),
    HostState.INCOMPLETE: HostTraits(
        "Some of its servers were not recovered.",
        proven=True,
        with_servers=True,
        accounted=True,
        over=True,
        view=View.WHEN_DUE,
    ),
    HostState.RETURNING: HostTraits(
        "It shows life, and is let in again.",
        over=True,
        view=View.WHEN_DUE,
        would="let it in again",
    ),
    HostState.CLOSED: HostTraits(
        "The host is back, or it was a false alarm: kept as history.",
        over=True,
        view=View.NEVER,
    ),
}


@dataclass(frozen=True)
class HostRecovery(WithState):
    """One death of one host.

    :ivar id: the key: the host's name and when the recovery began.
    :ivar stages: when each state was entered for the last time, by its word.
    :ivar last_beat: the last heartbeat, by its service record, of a host that was
        suspected before it was silent for down_time; None: it was silent.
    :ivar beat_due: when the next one was due, by Nova's clocks.
    :ivar off_at: when its fence device said off for the first time since then.
    :ivar admitted_at: when the guard let it be fenced, or a person ordered it; it
        counts against the guard's limits from then on.
    :ivar judged: a person who reset the guard knew of it: it counts no more.
    :ivar evidence: set from FENCED on, taken away when the host shows life.
    :ivar witnessed_at: the time of the evidence after which no witness saw it alive.
    :ivar forced_down_by_us: so that the force-down is lifted on return.
    :ivar disabled_by_us: so that the service is enabled on return.
    :ivar watched_at: since when its service is watched, before closed_at.
    :ivar closed_at: when force-down and disable were last seen to be done.
    :ivar quiet_since: the service's ``updated_at`` once nothing should write it.
    :ivar writes: how often it was written all the same, after the proof.
    :ivar next_try_at: when to ask witnesses or the fence device again.
    :ivar by_hand: ordered by a person: the recovery skips detection and guard.
    :ivar planned: where its servers are to go, by server, as a person has ordered or
        the first step that asked has planned.
    :ivar chosen: where a person has ordered them to go, by server, and nowhere else.
    :ivar old_requests: what its nova-compute may find in its queue when it returns.
    :ivar queues_emptied: a person has said so of both of its queues. It holds for the
        servers whose own queues_emptied says so.
    :ivar aborted: by whom and why it was stopped where it stood; "": it was not.
    :ivar flaps: it has died for the second time within the time that the options say.
    :ivar ended_at: when it was closed; None for as long as it is open.
    """

    DUE = "next_try_at"
    EVENTS = "host"
    HELD = HostPhase.HELD
    VOID = {
        None: ("reason", "detail", "phase"),
        HostState.FENCED: (
            *("watched_at", "closed_at", "quiet_since", "writes"),
            "queues_emptied",
        ),
        HostState.EVACUATING: ("watched_at",),
        HostState.RETURNING: ("queues_emptied",),
    }

    id: str
    host: str
    state: HostState
    started_at: float
    phase: HostPhase | None = field(default=None, kw_only=True)
    stages: Mapping[str, float] = field(default_factory=dict)
    admitted_at: float | None = age()
    evidence: Evidence | None = None
    witnessed_at: float | None = None
    last_beat: float | None = None
    beat_due: float | None = None
    off_at: float | None = age()
    forced_down_by_us: bool = False
    disabled_by_us: bool = False
    watched_at: float | None = age()
    closed_at: float | None = age()
    quiet_since: float | None = None
    writes: int = 0
    next_try_at: float = wait()
    by_hand: bool = False
    ended_at: float | None = age()
    aborted: str = ""
    planned: Mapping[str, str] = field(default_factory=dict)
    chosen: Mapping[str, str] = field(default_factory=dict)
    old_requests: tuple[OldRequest, ...] = inner()
    judged: bool = False
    flaps: bool = False
    queues_emptied: bool = False

    def has_been(self, state: HostState) -> bool:
        """Whether it has entered the state."""
        return state.value in self.stages

    @property
    def surely_dead(self) -> bool:
        """Whether there is proof of its death, and nothing has put that in doubt."""
        return self.evidence is not None

    @property
    def key(self) -> tuple[str, None]:
        """Whose an intent is: (Intent.recovery, Intent.server)."""
        return self.id, None

    @property
    def told(self) -> Mapping[str, Any]:
        """What every event about it says."""
        return {"host": self.host, "recovery": self.id}

    @property
    def ended_as(self) -> str | None:
        """The word of the last stage in which each server was accounted for."""
        ends = (HostState.RECOVERED.value, HostState.INCOMPLETE.value)
        reached = [end for end in ends if end in self.stages]
        return max(reached, key=self.stages.__getitem__, default=None)

    @property
    def outcome(self) -> str:
        """How far it came: of a closed one, what it was before."""
        over = self.state in (HostState.CLOSED, HostState.RETURNING)
        return (over and self.ended_as) or self.state.value
