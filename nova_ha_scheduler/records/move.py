# SPDX-License-Identifier: Apache-2.0
"""What the journal keeps of the move of a server that is well."""

import enum
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field
from typing import Any

from nova_ha_scheduler.cluster.picture import MoveKind
from nova_ha_scheduler.records.ages import age, wait
from nova_ha_scheduler.records.with_state import WithState


class MoveState(enum.Enum):
    """Where a move stands; MOVE_STATES says what each means, and move_states.py and
    halting.py have a function for each."""

    WAITING = "waiting"
    STOPPING = "stopping"
    ASKED = "asked"
    MOVING = "moving"
    CONFIRMING = "confirming"
    STARTING = "starting"
    MOVED = "moved"
    FAILED = "failed"
    LEFT = "left"

    @property
    def final(self) -> bool:
        """Whether the move is at its end."""
        return MOVE_STATES[self].final


@dataclass(frozen=True)
class MoveTraits:
    """What holds for a move in a state.

    :ivar means: a sentence for people.
    :ivar final: the move is at its end.
    """

    means: str
    final: bool = False


MOVE_STATES: Mapping[MoveState, MoveTraits] = {
    MoveState.WAITING: MoveTraits("Nova was not asked for it yet."),
    MoveState.STOPPING: MoveTraits(
        "It cannot be moved while it runs, and is being stopped for the move."
    ),
    MoveState.ASKED: MoveTraits("Nova was asked to migrate it."),
    MoveState.MOVING: MoveTraits("Nova migrates it."),
    MoveState.CONFIRMING: MoveTraits(
        "A cold one has arrived, and its source is being cleaned."
    ),
    MoveState.STARTING: MoveTraits(
        "It was stopped for the move, which is over, and is being started."
    ),
    MoveState.MOVED: MoveTraits("It has left its source.", final=True),
    MoveState.FAILED: MoveTraits("It was asked for in vain.", final=True),
    MoveState.LEFT: MoveTraits("It is not to be moved, or cannot be.", final=True),
}


class MovePhase(enum.Enum):
    """Where a move stands within its state."""

    HELD = "held"
    """It does not go on; see the reason."""
    BUSY = "busy"
    """The server has a task state that keeps Nova from moving it."""
    NO_ROOM = "no-room"
    SOURCE_DOWN = "source-down"
    PAUSED = "paused"
    UNCONFIRMED = "unconfirmed"
    """It has left its source, and whoever asked for that has to confirm it."""
    COMING_BACK = "coming-back"
    """It has left its source, and is sent back, or is being resized."""
    SLOW = "slow"
    """It is on its way, for so long that nobody waits for it."""
    NOT_STARTED = "not-started"
    """It was stopped for the move, and does not start; that was told."""
    GONE = "gone"
    """It is not on its source any more."""

    @property
    def busy(self) -> bool:
        """As of a server of a dead host."""
        return self is MovePhase.BUSY

    @property
    def away(self) -> bool:
        """Whether the server waits on another host."""
        return self in (MovePhase.UNCONFIRMED, MovePhase.COMING_BACK)

    @property
    def stuck(self) -> bool:
        """Whether it waits for something that may never come."""
        return self in (
            MovePhase.NO_ROOM,
            MovePhase.SOURCE_DOWN,
            MovePhase.PAUSED,
            MovePhase.UNCONFIRMED,
        )


_OF_ATTEMPT = (
    "reason",
    "detail",
    "phase",
    "answer_lost",
    "moving_at",
    "copying_at",
    "forced_at",
)


@dataclass(frozen=True)
class Move(WithState):
    """One server on its way off a host, or home to one. Its key is (job, server).

    :ivar job: Window.id, or the HostRecovery.id after which it goes home.
    :ivar home: the only destination, of one that goes home.
    :ivar kind: of the newest attempt.
    :ivar attempts: how many times Nova was asked.
    :ivar baseline: only migration records with a greater id count; None: which, the
        first look will show.
    :ivar tried: destinations whose attempt failed.
    :ivar request_id: Nova's, of the newest attempt; None if it was never learned.
    :ivar asked_at: of the newest attempt, as is moving_at: when its record was seen.
    :ivar answer_lost: the trigger was restarted before it had the answer to that.
    :ivar copying_at: when a live one was first seen to copy memory: those of one host
        wait for each other in Nova; forced_at: when Nova was asked to end it by force.
    :ivar stop_at: when Nova was asked to stop it for the move, which it is once in a
        maintenance; None: it was not.
    :ivar before_stop: when Nova had last written the server's record until then, by
        Nova's own clock.
    :ivar halted: it was stopped for the move, and is to be started again.
    :ivar start_at: since when that is wanted; starts: how many times Nova was asked.
    :ivar arrived_at: when a cold one was first seen to wait for its confirmation.
    :ivar not_before: no new attempt, and no new judgement, before then.
    :ivar ended_at: when the state became final.
    """

    DUE = "not_before"
    EVENTS = "move"
    HELD = MovePhase.HELD
    VOID = {
        MoveState.ASKED: (*_OF_ATTEMPT, "request_id"),
        MoveState.MOVING: _OF_ATTEMPT,
    }

    job: str
    server: str
    name: str
    source: str
    state: MoveState
    seen_at: float = age(MISSING)
    phase: MovePhase | None = field(default=None, kw_only=True)
    home: str | None = None
    kind: MoveKind | None = None
    priority: int = 500
    attempts: int = 0
    baseline: int | None = None
    tried: tuple[str, ...] = ()
    destination: str | None = None
    request_id: str | None = None
    asked_at: float | None = age()
    answer_lost: bool = False
    moving_at: float | None = age()
    copying_at: float | None = age()
    forced_at: float | None = age()
    stop_at: float | None = age()
    before_stop: float | None = None
    halted: bool = False
    start_at: float | None = age()
    starts: int = 0
    arrived_at: float | None = age()
    not_before: float = wait()
    ended_at: float | None = age()

    @property
    def key(self) -> tuple[str, str]:
        """Whose an intent is: (Intent.recovery, Intent.server)."""
        return self.job, self.server

    @property
    def stop_asked(self) -> bool:
        """Whether Nova was asked to stop it for the move."""
        return self.stop_at is not None

    @property
    def under_way(self) -> bool:
        """Whether Nova was asked, and its end is not seen yet."""
        return not self.state.final and self.state is not MoveState.WAITING

    @property
    def told(self) -> Mapping[str, Any]:
        """What every event about it says."""
        return {
            "host": self.home or self.source,
            "recovery": self.job,
            "server": self.server,
            "server_name": self.name,
            "source": self.source,
            "destination": self.destination or "",
            "request_id": self.request_id or "",
        }
