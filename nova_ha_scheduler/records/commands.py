# SPDX-License-Identifier: Apache-2.0
"""What a person, or a cluster manager, orders."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

from nova_ha_scheduler.printable import flat
from nova_ha_scheduler.reasons import Reason


class CommandKind(enum.Enum):
    CONFIRM_FENCED = "confirm-fenced"
    EVACUATE = "evacuate"
    ABORT = "abort"
    RETRY = "retry"
    START_MAINTENANCE = "maintenance start"
    END_MAINTENANCE = "maintenance end"
    RESET_GUARD = "guard reset"

    @property
    def confirms(self) -> bool:
        """Whether who orders it gives their word that the host is off."""
        return self in (CommandKind.CONFIRM_FENCED, CommandKind.EVACUATE)


@dataclass(frozen=True)
class Command:
    """Written by the command line, read by the engine at its next step.

    One that confirms does so from ``at`` until ``expires_at``.

    :ivar id: the key.
    :ivar host: whom it is about; "" for what is about no host.
    :ivar answer: what came of it; "" until it was handled or has expired.
    :ivar waits: what a word that a step has seen is not used for yet.
        It may still be answered, and steers nothing.
    :ivar refusal: why it was refused, if it was.
    :ivar until, drain: of a maintenance that is to start.
    :ivar destinations: of an evacuation: the planned hosts, by server.
    :ivar bound: those are a person's choice: nowhere else.
    :ivar force: end the maintenance, also of a host that is down.
    :ivar queues_emptied: of a retry: whoever orders it says that both queues of the
        host are empty.
    """

    id: str
    kind: CommandKind
    host: str
    by: str
    reason: str
    at: float
    expires_at: float
    answer: str = ""
    refusal: Reason | None = None
    until: float | None = None
    drain: bool = False
    force: bool = False
    waits: str = ""
    destinations: Mapping[str, str] = field(default_factory=dict)
    bound: bool = False
    queues_emptied: bool = False

    def __post_init__(self) -> None:
        # An alert of Pacemaker's says what a node of the cluster has told it.
        for name in ("by", "reason"):
            object.__setattr__(self, name, flat(getattr(self, name)))

    def __str__(self) -> str:
        word = " (both of its queues are empty)" if self.queues_emptied else ""
        if self.bound:
            word = f" to {', '.join(sorted({*self.destinations.values()}))}"
        who = f"{self.kind.value}{word} by {self.by}"
        return f"{who}: {self.reason}" if self.reason else who
