# SPDX-License-Identifier: Apache-2.0
"""What the journal keeps of the maintenance of a host."""

import datetime
import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nova_ha_scheduler.records.ages import age, wait
from nova_ha_scheduler.records.with_state import WithState


class WindowState(enum.Enum):
    """Where a maintenance stands; WINDOW_STATES says what each means, and
    window_states.py has a function for each."""

    STARTING = "starting"
    OPEN = "open"
    ENDING = "ending"
    ENDED = "ended"

    @property
    def final(self) -> bool:
        """Whether the maintenance is at its end."""
        return self is WindowState.ENDED


WINDOW_STATES: Mapping[WindowState, str] = {
    WindowState.STARTING: "The flag is being set, and the service disabled.",
    WindowState.OPEN: "The host is left alone, and drained if that was ordered.",
    WindowState.ENDING: "What the maintenance has set is being undone.",
    WindowState.ENDED: "The host takes part again.",
}


class WindowPhase(enum.Enum):
    """Where a maintenance stands within its state."""

    UNREADABLE = "unreadable"
    """Of some servers that have left, it cannot be read whether they may return."""


@dataclass(frozen=True)
class Window(WithState):
    """One maintenance of one host.

    :ivar id: the key: the host's name, when it began, and that it is a maintenance.
    :ivar by, why: who ordered it, and their reason.
    :ivar until: when it ends by itself; None: not at all.
    :ivar drain: whether its servers shall leave.
    :ivar flagged_by_us, disabled_by_us: what is to be undone at the end.
    :ivar stages: when each state was entered for the last time, by its word.
    :ivar done_at: when each effect was last seen to be done, by its word.
    :ivar drained_at: when nothing more could leave; None while something moves.
    :ivar next_look_at: when to look at its servers again.
    :ivar next_try_at: when to ask Nova again for what it refused.
    :ivar forced: to be ended although the host is down.
    :ivar reason: why it does not go on, while it does not, or what was put right.
    """

    DUE = "next_try_at"
    EVENTS = "maintenance"
    VOID = {None: ("reason", "detail", "phase")}

    id: str
    host: str
    by: str
    why: str
    state: WindowState
    started_at: float
    phase: WindowPhase | None = field(default=None, kw_only=True)
    until: float | None = None
    drain: bool = False
    flagged_by_us: bool = False
    disabled_by_us: bool = False
    stages: Mapping[str, float] = field(default_factory=dict)
    done_at: Mapping[str, float] = field(default_factory=dict)
    drained_at: float | None = age()
    next_look_at: float = wait()
    next_try_at: float = wait()
    forced: bool = False
    ended_at: float | None = None

    @property
    def key(self) -> tuple[str, None]:
        """Whose an intent is: (Intent.recovery, Intent.server)."""
        return self.id, None

    @property
    def told(self) -> Mapping[str, Any]:
        """What every event about it says."""
        return {"host": self.host, "recovery": self.id}

    @property
    def words(self) -> str:
        """Since when, by whom and why."""
        since = datetime.datetime.fromtimestamp(self.started_at, datetime.UTC)
        return f"since {since:%Y-%m-%dT%H:%M:%SZ} by {self.by}: {self.why}"
