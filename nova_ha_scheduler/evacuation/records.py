# SPDX-License-Identifier: Apache-2.0
"""What the journal keeps. Plain, frozen data; all times are seconds since the
epoch, UTC. Every enum's value is the word that is stored and shown.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nova_ha_scheduler.evacuation.effects import Effect as Effect
from nova_ha_scheduler.evacuation.effects import Intent as Intent
from nova_ha_scheduler.evacuation.effects import LateRequest as LateRequest
from nova_ha_scheduler.evacuation.effects import Outcome as Outcome
from nova_ha_scheduler.evacuation.effects import Result as Result
from nova_ha_scheduler.evacuation.evidence import Evidence
from nova_ha_scheduler.evacuation.orders import Command as Command
from nova_ha_scheduler.evacuation.orders import CommandKind as CommandKind
from nova_ha_scheduler.evacuation.pauses import Pause
from nova_ha_scheduler.evacuation.upkeep import Move, Window
from nova_ha_scheduler.reasons import Reason as Reason
from nova_ha_scheduler.reasons import Reasoned


class HostState(enum.Enum):
    """Where the recovery of a host stands; one function each in recovery.py."""

    SUSPECTED = "suspected"
    CONFIRMED = "confirmed"
    FENCING = "fencing"
    FENCED = "fenced"
    EVACUATING = "evacuating"
    RECOVERED = "recovered"
    INCOMPLETE = "incomplete"
    RETURNING = "returning"
    CLOSED = "closed"
    """Over: the host is back, or it was a false alarm. Kept as history."""


class ServerState(enum.Enum):
    """Where the recovery of a server stands; one function each in servers.py."""

    WAITING = "waiting"
    ASKED = "asked"
    MOVING = "moving"
    RECOVERED = "recovered"
    FAILED = "failed"
    LEFT = "left"

    @property
    def final(self) -> bool:
        """Whether the server is accounted for."""
        return self in (ServerState.RECOVERED, ServerState.FAILED, ServerState.LEFT)


@dataclass(frozen=True)
class HostRecovery(Reasoned):
    """One death of one host.

    :ivar id: the key: the host's name and when the recovery began.
    :ivar stages: when each state was entered for the last time, by its word.
    :ivar admitted_at: when the guard let it be fenced, or a person ordered it; it
        counts against the guard's limits from then on.
    :ivar judged: a person who reset the guard knew of it: it counts no more.
    :ivar evidence: set from FENCED on, taken away when the host shows life.
    :ivar witnessed_at: the time of the evidence after which no witness saw it alive.
    :ivar reason: why it does not go on, while it does not.
    :ivar forced_down_by_us: so that the force-down is lifted on return.
    :ivar disabled_by_us: so that the service is enabled on return.
    :ivar closed_at: when force-down and disable were last seen to be done.
    :ivar quiet_since: the service's ``updated_at`` once nothing should write it.
    :ivar writes: how often it was written all the same, after the proof.
    :ivar next_try_at: when to ask witnesses or the fence device again.
    :ivar by_hand: ordered by a person: the recovery skips detection and guard.
    :ivar planned: where its servers are to go, by server, as a person has ordered or
        the first step that asked has planned; see :mod:`.dispatch`.
    :ivar late: servers that were on their way to it when it died.
    :ivar aborted: by whom and why it was stopped where it stood; "": it was not.
    :ivar ended_at: when it was closed; None for as long as it is open.
    """

    id: str
    host: str
    state: HostState
    started_at: float
    stages: Mapping[str, float] = field(default_factory=dict)
    admitted_at: float | None = None
    evidence: Evidence | None = None
    witnessed_at: float | None = None
    forced_down_by_us: bool = False
    disabled_by_us: bool = False
    closed_at: float | None = None
    quiet_since: float | None = None
    writes: int = 0
    next_try_at: float = 0.0
    by_hand: bool = False
    ended_at: float | None = None
    aborted: str = ""
    planned: Mapping[str, str] = field(default_factory=dict)
    late: tuple[LateRequest, ...] = ()
    judged: bool = False

    @property
    def key(self) -> tuple[str, None]:
        """Whose an intent is: (Intent.recovery, Intent.server)."""
        return self.id, None

    @property
    def told(self) -> Mapping[str, Any]:
        """What every event about it says."""
        return {"host": self.host, "recovery": self.id}


@dataclass(frozen=True)
class ServerRecovery(Reasoned):
    """One server of one dead host. Its key is (recovery, server).

    :ivar recovery: HostRecovery.id.
    :ivar was_running: whether it ran when the host died: then it shall run again.
    :ivar attempts: how many times Nova was asked.
    :ivar baseline: the newest migration record that is not of our attempts; only
        records with a greater id are.
    :ivar leftover: the id of an older record that Nova had left accepted when it was
        asked: its conductor takes up that one, and leaves the new one.
    :ivar tried: destinations whose attempt failed.
    :ivar only: where a request that Nova has lost may still arrive: nowhere else.
    :ivar named: whether Nova was asked for the destination by name; else it is only
        where the planner has found room, until the record says where it goes.
    :ivar failback: whether it shall go home when the host has returned.
    :ivar request_id: Nova's, of the newest attempt; None if it was never learned.
    :ivar asked_at: of the newest attempt, as are the three below.
    :ivar moving_at: when the record was first seen.
    :ivar landed_at: when the record was first seen to have ended well.
    :ivar ended_at: when the state became final.
    :ivar not_before: no new attempt, and no new judgement, before then.
    """

    recovery: str
    server: str
    name: str
    source: str
    state: ServerState
    seen_at: float
    was_running: bool = True
    priority: int = 500
    attempts: int = 0
    baseline: int = 0
    leftover: int = 0
    tried: tuple[str, ...] = ()
    failback: bool = False
    only: str | None = None
    named: bool = True
    destination: str | None = None
    request_id: str | None = None
    asked_at: float | None = None
    moving_at: float | None = None
    landed_at: float | None = None
    ended_at: float | None = None
    not_before: float = 0.0

    def is_under_way(self, now: float) -> bool:
        """Whether its migration record will say how it goes on."""
        moving = self.state is ServerState.MOVING and self.landed_at is None
        return moving or (self.state is ServerState.ASKED and now < self.not_before)

    def is_lost(self, now: float) -> bool:
        """Whether Nova should have made a record of it by now."""
        return self.state is ServerState.ASKED and now >= self.not_before

    @property
    def key(self) -> tuple[str, str]:
        """Whose an intent is: (Intent.recovery, Intent.server)."""
        return self.recovery, self.server

    @property
    def settled(self) -> bool:
        """Whether it is recovered, or never was to be."""
        intended = self.reason is not None and self.reason.intended
        return self.state is ServerState.RECOVERED or intended

    @property
    def told(self) -> Mapping[str, Any]:
        """What every event about it says."""
        return {
            "host": self.source,
            "recovery": self.recovery,
            "server": self.server,
            "server_name": self.name,
            "source": self.source,
            "destination": self.destination or "",
            "request_id": self.request_id or "",
        }


class EventKind(enum.Enum):
    """What history and notifications tell of."""

    HOST_NOTIFIED = "host.notified"
    """Nova's notification that the host was forced down; ``at``: when it was sent."""
    HOST_SUSPECTED = "host.suspected"
    HOST_CLEARED = "host.cleared"
    HOST_HELD = "host.held"
    """It does not go on, for a reason."""
    HOST_CONFIRMED = "host.confirmed"
    HOST_FENCING = "host.fencing"
    HOST_FENCED = "host.fenced"
    """Known to be dead; ``servers`` lists the affected ones."""
    HOST_EVACUATING = "host.evacuating"
    HOST_RECOVERED = "host.recovered"
    HOST_INCOMPLETE = "host.incomplete"
    HOST_RETURNING = "host.returning"
    HOST_RETURNED = "host.returned"
    SERVER_WAITING = "server.waiting"
    SERVER_ASKED = "server.asked"
    SERVER_MOVING = "server.moving"
    SERVER_SLOW = "server.slow"
    SERVER_STRANDED = "server.stranded"
    """Its destination died in the middle, or Nova lost the request."""
    SERVER_CONFUSED = "server.confused"
    """A destination that died has returned, and broke it by an old request."""
    SERVER_RESET = "server.reset"
    """The same; it is well, and its state is put right."""
    SERVER_LANDED = "server.landed"
    SERVER_RECOVERED = "server.recovered"
    SERVER_FAILED = "server.failed"
    SERVER_LEFT = "server.left"
    MAINTENANCE_STARTING = "maintenance.starting"
    MAINTENANCE_OPEN = "maintenance.open"
    MAINTENANCE_DRAINED = "maintenance.drained"
    """Nothing more can leave the host now."""
    MAINTENANCE_ENDING = "maintenance.ending"
    MAINTENANCE_ENDED = "maintenance.ended"
    HOST_SEEN = "host.seen"
    """A protected host died under maintenance, and is left alone."""
    MOVE_WAITING = "move.waiting"
    MOVE_ASKED = "move.asked"
    MOVE_MOVING = "move.moving"
    MOVE_SLOW = "move.slow"
    MOVE_CONFIRMING = "move.confirming"
    MOVE_MOVED = "move.moved"
    MOVE_FAILED = "move.failed"
    MOVE_LEFT = "move.left"
    FAILBACK_BEGUN = "failback.begun"
    FAILBACK_ENDED = "failback.ended"
    GUARD_TRIPPED = "guard.tripped"
    GUARD_RESET = "guard.reset"
    BLIND = "detector.blind"
    SIGHTED = "detector.sighted"
    UNREADABLE = "cloud.unreadable"
    """Some objects that the cloud shows cannot be read; the reason names them."""
    READABLE = "cloud.readable"
    DEVICE_BROKEN = "fence_device.broken"
    DEVICE_WORKS = "fence_device.works"
    COMMAND_NOTED = "command.noted"
    """Somebody's word that a host is off is not used yet, for a reason."""
    METHOD_MISSING = "fencing_method.missing"
    """A protected host has no fencing method."""
    METHOD_FOUND = "fencing_method.found"
    """It has one now, or is not protected any more."""
    COMMAND_TAKEN = "command.taken"
    COMMAND_REFUSED = "command.refused"
    PAUSED = "pause.begun"
    RESUMED = "pause.ended"
    PAUSE_EXPIRED = "pause.expired"
    TRIGGER_ACTIVE = "trigger.active"
    """``how``: its name, with the machine's and the process's."""
    TRIGGER_REPLACED = "trigger.replaced"
    """The same, in the place of one that fell silent."""
    CLOCK_JUMPED = "clock.jumped"


TROUBLES = (
    EventKind.HOST_HELD,
    EventKind.HOST_INCOMPLETE,
    EventKind.SERVER_FAILED,
    EventKind.SERVER_CONFUSED,
    EventKind.GUARD_TRIPPED,
    EventKind.BLIND,
    EventKind.UNREADABLE,
    EventKind.DEVICE_BROKEN,
    EventKind.METHOD_MISSING,
    EventKind.COMMAND_REFUSED,
    EventKind.TRIGGER_REPLACED,
    EventKind.CLOCK_JUMPED,
)
"""What an operator should hear of."""


@dataclass(frozen=True)
class Event:
    """One line of history.

    :ivar recovery: HostRecovery.id, Window.id, or "".
    :ivar server: a UUID, for the events of a server.
    :ivar server_name: its name, for people.
    :ivar source, destination: from where to where.
    :ivar how: the effect's method, the evidence, or who commanded.
    :ivar reason: a whole sentence.
    :ivar servers: UUIDs, for HOST_FENCED.
    """

    kind: EventKind
    at: float
    host: str = ""
    recovery: str = ""
    server: str = ""
    server_name: str = ""
    source: str = ""
    destination: str = ""
    how: str = ""
    reason: str = ""
    request_id: str = ""
    servers: tuple[str, ...] = ()

    def __str__(self) -> str:
        whom = self.server_name or self.host
        what = f"{self.kind.value} {whom}".rstrip()
        return ": ".join(filter(None, (what, self.how, self.reason)))


@dataclass(frozen=True)
class GuardRecord:
    """The guard's memory; there is one.

    :ivar tripped_until: nothing is fenced before then; None: it is not tripped.
    :ivar tripped_at: since when.
    :ivar counted: the hosts that counted when it tripped, or since.
    :ivar reason: the sentence that says which limit, and how far over it.
    :ivar blind_since: since when all services are silent, if they are.
    :ivar sighted_at: when that ended, or the clock was set: silence counts from then.
    :ivar left_alone: hosts that are down under maintenance, of which that was told.
    """

    tripped_until: float | None = None
    reason: str = ""
    blind_since: float | None = None
    sighted_at: float | None = None
    left_alone: tuple[str, ...] = ()
    tripped_at: float | None = None
    counted: tuple[str, ...] = ()


@dataclass(frozen=True)
class State:
    """All that the journal knows and the engine needs.

    :ivar hosts: open recoveries, and those that the guard's window still counts.
    :ivar servers: all servers of the open recoveries, by (recovery, server).
    :ivar intents: those without an outcome.
    :ivar commands: those without an answer.
    :ivar pauses: those that were not ended, also if their time is over.
    :ivar windows: the maintenances that are not over, by id.
    :ivar moves: all of those maintenances, and of jobs that are not at their end, by
        (job, server).
    """

    hosts: Mapping[str, HostRecovery] = field(default_factory=dict)
    servers: Mapping[tuple[str, str], ServerRecovery] = field(default_factory=dict)
    intents: Mapping[str, Intent] = field(default_factory=dict)
    commands: Mapping[str, Command] = field(default_factory=dict)
    guard: GuardRecord = GuardRecord()
    pauses: Mapping[str, Pause] = field(default_factory=dict)
    windows: Mapping[str, Window] = field(default_factory=dict)
    moves: Mapping[tuple[str, str], Move] = field(default_factory=dict)

    def after(self, change: "Change") -> "State":
        """The state with a change in it; what has ended is still there."""
        ended = {outcome.intent.id for outcome in change.closed}
        commands = {**self.commands, **{c.id: c for c in change.commands}}
        intents = {**self.intents, **{i.id: i for i in change.opened}}
        pauses = {**self.pauses, **{p.id: p for p in change.pauses}}
        return State(
            hosts={**self.hosts, **{h.id: h for h in change.hosts}},
            servers={**self.servers, **{s.key: s for s in change.servers}},
            intents={k: i for k, i in intents.items() if k not in ended},
            commands={k: c for k, c in commands.items() if not c.answer},
            guard=change.guard or self.guard,
            pauses={k: p for k, p in pauses.items() if p.ended_at is None},
            windows={**self.windows, **{w.id: w for w in change.windows}},
            moves={**self.moves, **{m.key: m for m in change.moves}},
        )


@dataclass(frozen=True)
class Change:
    """What one step adds to the journal, in one transaction.

    :ivar hosts, servers, commands, pauses, windows, moves: to be inserted or replaced,
        by their keys.
    :ivar opened: new intents, in the order in which they are to be carried out.
    :ivar closed: outcomes: their intents are over.
    """

    hosts: tuple[HostRecovery, ...] = ()
    servers: tuple[ServerRecovery, ...] = ()
    opened: tuple[Intent, ...] = ()
    closed: tuple[Outcome, ...] = ()
    events: tuple[Event, ...] = ()
    commands: tuple[Command, ...] = ()
    guard: GuardRecord | None = None
    pauses: tuple[Pause, ...] = ()
    windows: tuple[Window, ...] = ()
    moves: tuple[Move, ...] = ()

    def __bool__(self) -> bool:
        return self != Change()
