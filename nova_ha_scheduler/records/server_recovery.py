# SPDX-License-Identifier: Apache-2.0
"""What the journal keeps of one server of a dead host."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nova_ha_scheduler.records.ages import age, wait
from nova_ha_scheduler.records.with_state import WithState


class ServerState(enum.Enum):
    """Where the recovery of a server stands; SERVER_STATES says what each means, and
    server_states.py whose function is where."""

    WAITING = "waiting"
    ASKED = "asked"
    MOVING = "moving"
    LANDED = "landed"
    RECOVERED = "recovered"
    FAILED = "failed"
    LEFT = "left"

    @property
    def under_way(self) -> bool:
        """Whether Nova was asked, and its end is not seen yet."""
        return not self.final and self is not ServerState.WAITING

    @property
    def final(self) -> bool:
        """Whether the server is accounted for."""
        return self.traits.final

    @property
    def traits(self) -> "ServerTraits":
        return SERVER_STATES[self]


@dataclass(frozen=True)
class ServerTraits:
    """What holds for a server in a state.

    :ivar means: a sentence for people.
    :ivar claims: it takes room at its destination that Placement may not show yet.
    :ivar final: it is accounted for.
    :ivar retried: nova-ha retry takes it up again.
    """

    means: str
    claims: bool = False
    final: bool = False
    retried: bool = False


SERVER_STATES: Mapping[ServerState, ServerTraits] = {
    ServerState.WAITING: ServerTraits("Nova was not asked for it yet."),
    ServerState.ASKED: ServerTraits("Nova was asked to evacuate it.", claims=True),
    ServerState.MOVING: ServerTraits("Nova evacuates it.", claims=True),
    ServerState.LANDED: ServerTraits(
        "Its evacuation has ended well, and it is checked."
    ),
    ServerState.RECOVERED: ServerTraits("It runs again, if it ran.", final=True),
    ServerState.FAILED: ServerTraits(
        "It was asked for in vain.", final=True, retried=True
    ),
    ServerState.LEFT: ServerTraits(
        "It is not to be evacuated, or cannot be.", final=True, retried=True
    ),
}


class ServerPhase(enum.Enum):
    """Where the recovery of a server stands within its state."""

    HELD = "held"
    """It does not go on; see the reason."""
    UNREADABLE = "unreadable"
    """What the cloud shows of it cannot be read."""
    BUSY = "busy"
    """It has a task state in which it is not asked for."""
    MISSING = "missing"
    """It is not shown where it was."""
    SLOW = "slow"
    DESTINATION_DOWN = "destination-down"
    STRANDED = "stranded"
    """Nobody works on its evacuation any more: its state is reset."""
    AS_INTENDED = "as-intended"
    """It was never to be recovered, or needs no recovery any more."""

    @property
    def busy(self) -> bool:
        """Whether its task state is in the way, or is not known."""
        return self in (ServerPhase.BUSY, ServerPhase.UNREADABLE)


_OF_ATTEMPT = (
    *("reason", "detail", "phase", "answer_lost"),
    *("moving_at", "landed_at", "ordered_at"),
)


@dataclass(frozen=True)
class ServerRecovery(WithState):
    """One server of one dead host. Its key is (recovery, server).

    :ivar recovery: HostRecovery.id.
    :ivar was_running: whether it shall run again: by how the dead host left it, and
        once that is known, by what its users have ordered last.
    :ivar attempts: how many times Nova was asked.
    :ivar baseline: the newest migration record that is not of our attempts; only
        records with a greater id are.
    :ivar leftover: the id of an older record that Nova had left accepted when it was
        asked: its conductor takes up that one, and leaves the new one.
    :ivar tried: destinations whose attempt failed.
    :ivar refused: destinations that Nova's scheduler does not take for it, for reasons
        of its own, since it was last asked for all of them.
    :ivar only: where a request that Nova has lost may still arrive: nowhere else.
    :ivar named: whether Nova was asked for the destination by name; else it is only
        where the planner has found room, until the record says where it goes.
    :ivar failback: whether it shall go home when the host has returned.
    :ivar request_id: Nova's, of the newest attempt; None if it was never learned.
    :ivar asked_at: of the newest attempt, as are the four below.
    :ivar answer_lost: the trigger was restarted before it had the answer to that.
    :ivar moving_at: when the record was first seen.
    :ivar landed_at: when the record was first seen to have ended well.
    :ivar ordered_at: when Nova has last said what its users have ordered of it, since
        it landed.
    :ivar ended_at: when the state became final.
    :ivar not_before: no new attempt, and no new judgement, before then.
    :ivar queues_emptied: a person has said so of both queues of its dead host, where
        an order of its owner lay by then.
    """

    DUE = "not_before"
    EVENTS = "server"
    HELD = ServerPhase.HELD
    VOID = {
        ServerState.ASKED: (*_OF_ATTEMPT, "request_id"),
        ServerState.MOVING: _OF_ATTEMPT,
    }

    recovery: str
    server: str
    name: str
    source: str
    state: ServerState
    seen_at: float
    phase: ServerPhase | None = field(default=None, kw_only=True)
    was_running: bool = True
    priority: int = 500
    attempts: int = 0
    baseline: int = 0
    leftover: int = 0
    tried: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    failback: bool = False
    only: str | None = None
    named: bool = True
    destination: str | None = None
    request_id: str | None = None
    asked_at: float | None = age()
    answer_lost: bool = False
    moving_at: float | None = age()
    landed_at: float | None = age()
    ordered_at: float | None = age()
    ended_at: float | None = None
    not_before: float = wait()
    queues_emptied: bool = False

    def is_under_way(self, now: float) -> bool:
        """Whether its migration record will say how it goes on."""
        moving = self.state is ServerState.MOVING
        return moving or (self.state is ServerState.ASKED and now < self.not_before)

    def is_lost(self, now: float) -> bool:
        """Whether Nova should have made a record of it by now."""
        return self.state is ServerState.ASKED and now >= self.not_before

    @property
    def key(self) -> tuple[str, str]:
        """Whose an intent is: (Intent.recovery, Intent.server)."""
        return self.recovery, self.server

    @property
    def has_landed(self) -> bool:
        """Whether its newest evacuation has ended well, as Nova says."""
        return self.landed_at is not None

    @property
    def settled(self) -> bool:
        """Whether it is recovered, or never was to be."""
        intended = self.phase is ServerPhase.AS_INTENDED
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
