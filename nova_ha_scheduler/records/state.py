# SPDX-License-Identifier: Apache-2.0
"""All that the journal keeps, and what one step adds to it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

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
        intents = {**self.intents, **{i.id: i for i in change.opened}}
        return State(
            intents={k: i for k, i in intents.items() if k not in ended},
            guard=change.guard or self.guard,
            **{kind.name: kind.merged(self, change) for kind in KINDS},
        )


@dataclass(frozen=True)
class Records:
    """Of each kind in KINDS, some."""

    hosts: tuple[HostRecovery, ...] = ()
    servers: tuple[ServerRecovery, ...] = ()
    commands: tuple[Command, ...] = ()
    pauses: tuple[Pause, ...] = ()
    windows: tuple[Window, ...] = ()
    moves: tuple[Move, ...] = ()


@dataclass(frozen=True)
class Change(Records):
    """What one step adds to the journal, in one transaction: records that are inserted
    or replaced, by their keys, and more.

    :ivar opened: new intents, in the order in which they are to be carried out.
    :ivar closed: outcomes: their intents are over.
    """

    opened: tuple[Intent, ...] = ()
    closed: tuple[Outcome, ...] = ()
    events: tuple[Event, ...] = ()
    guard: GuardRecord | None = None

    def __bool__(self) -> bool:
        return self != Change()


@dataclass(frozen=True)
class RecordKind:
    """A kind of record that is inserted or replaced by its key.

    :ivar name: the field of State, and of Records.
    :ivar over: whether a record has no place in the state any more.
    """

    name: str
    record: type[Any]
    key: Callable[[Any], Any] = attrgetter("key")
    over: Callable[[Any], Any] = lambda record: False

    def by_key(self, records: Iterable[Any]) -> dict[Any, Any]:
        """As they stand in the state."""
        return {self.key(record): record for record in records}

    def merged(self, state: State, change: Change) -> dict[Any, Any]:
        """What the state has of it after a change."""
        known: Mapping[Any, Any] = getattr(state, self.name)
        found = {**known, **self.by_key(getattr(change, self.name))}
        return {key: one for key, one in found.items() if not self.over(one)}


_ID = attrgetter("id")

KINDS = (
    RecordKind("hosts", HostRecovery, _ID),
    RecordKind("servers", ServerRecovery),
    RecordKind("commands", Command, _ID, attrgetter("answer")),
    RecordKind("pauses", Pause, _ID, lambda pause: pause.ended_at is not None),
    RecordKind("windows", Window, _ID),
    RecordKind("moves", Move),
)
"""A new kind is an entry here, a field of State and of Records, and what else
CONTRIBUTING.md lists. Intents, events and the guard's record are kept in ways of their
own."""
