# SPDX-License-Identifier: Apache-2.0
"""All that the journal keeps, and what one step adds to it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from nova_ha_scheduler.records.commands import Command
from nova_ha_scheduler.records.effects import Intent, Outcome
from nova_ha_scheduler.records.events import Event
from nova_ha_scheduler.records.guard_record import GuardRecord
from nova_ha_scheduler.records.host_recovery import HostRecovery
from nova_ha_scheduler.records.maintenance_window import Window
from nova_ha_scheduler.records.move import Move
from nova_ha_scheduler.records.pauses import Pause
from nova_ha_scheduler.records.server_recovery import ServerRecovery


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
