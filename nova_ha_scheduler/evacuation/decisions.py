# SPDX-License-Identifier: Apache-2.0
"""What a decision was made on, kept so that it can be made again.

A step is a pure function: of the journal's state, the picture, what the executor
learned, the time and the options. :func:`.engine.again` runs the production step on
what was kept, and gives the same change, bit for bit, as long as the program is the
same.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from nova_ha_scheduler.cluster.picture import (
    Host,
    Migration,
    Picture,
    Scope,
    Server,
    Unconfirmed,
    Unread,
)
from nova_ha_scheduler.evacuation.options import Options
from nova_ha_scheduler.records.effects import Intent, Outcome
from nova_ha_scheduler.records.events import EventKind
from nova_ha_scheduler.records.guard_record import GuardRecord
from nova_ha_scheduler.records.state import KINDS, Change, Records, State

PROGRESS = frozenset(
    {
        EventKind.SERVER_MOVING,
        EventKind.SERVER_SLOW,
        EventKind.SERVER_LANDED,
        EventKind.SERVER_RECOVERED,
        EventKind.MOVE_MOVING,
        EventKind.MOVE_SLOW,
        EventKind.MOVE_CONFIRMING,
        EventKind.MOVE_MOVED,
    }
)
"""These tell what was seen of servers on their way; the other events of a step tell
what it decided. What a step did not tell is no decision either: that Nova notified,
that another trigger is active, that a fence device broke."""


@dataclass(frozen=True)
class Known(Records):
    """The journal's state, in lists, in its order; see records.State."""

    intents: tuple[Intent, ...] = ()
    guard: GuardRecord = GuardRecord()

    @classmethod
    def of(cls, state: State) -> "Known":
        found = {kind.name: tuple(getattr(state, kind.name).values()) for kind in KINDS}
        return cls(intents=tuple(state.intents.values()), guard=state.guard, **found)

    def state(self) -> State:
        found = {kind.name: kind.by_key(getattr(self, kind.name)) for kind in KINDS}
        intents = {intent.id: intent for intent in self.intents}
        return State(intents=intents, guard=self.guard, **found)


@dataclass(frozen=True)
class Seen:
    """A picture, in lists, in its order; see picture.Picture."""

    taken_at: float
    scope: Scope
    hosts: tuple[Host, ...]
    servers: tuple[Server, ...] = ()
    migrations: tuple[Migration, ...] = ()
    hosts_at: float | None = None
    unread: tuple[Unread, ...] = ()
    unconfirmed: tuple[Unconfirmed, ...] = ()

    @classmethod
    def of(cls, picture: Picture) -> "Seen":
        return cls(
            picture.taken_at,
            picture.scope,
            tuple(picture.hosts.values()),
            tuple(picture.servers.values()),
            picture.migrations,
            picture.hosts_at,
            picture.unread,
            picture.unconfirmed,
        )

    def picture(self) -> Picture:
        return Picture(
            self.taken_at,
            self.scope,
            {host.name: host for host in self.hosts},
            {server.uuid: server for server in self.servers},
            self.migrations,
            self.hosts_at,
            self.unread,
            self.unconfirmed,
        )


@dataclass(frozen=True)
class Decision:
    """One step that decided something.

    :ivar change: what it decided.
    """

    now: float
    options: Options
    known: Known
    seen: Seen
    change: Change
    outcomes: tuple[Outcome, ...] = ()
    running: frozenset[str] = frozenset()
    jump: float = 0.0
    outage: float = 0.0


def is_one(change: Change) -> bool:
    """Whether something was decided, about a server, a host or all of them."""
    return any(event.kind not in PROGRESS for event in change.events)


def made(
    state: State,
    picture: Picture,
    outcomes: Sequence[Outcome],
    running: frozenset[str],
    now: float,
    options: Options,
    change: Change,
    jump: float = 0.0,
    outage: float = 0.0,
) -> Decision:
    """A decision with all that it was made on; see Step."""
    known, seen = Known.of(state), Seen.of(picture)
    rest = tuple(outcomes), running, jump, outage
    return Decision(now, options, known, seen, change, *rest)
