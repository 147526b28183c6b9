# SPDX-License-Identifier: Apache-2.0
"""What proves that a host is dead; without it nobody is evacuated."""

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nova_ha_scheduler.records.commands import Command
    from nova_ha_scheduler.records.effects import Outcome


class Proof(enum.Enum):
    """How a host is known to be dead. There is no third way."""

    POWER_OFF = "power-off observed by"
    CONFIRMATION = "word of"


@dataclass(frozen=True)
class Evidence:
    """The proof of one death.

    :ivar by: the fencing method, or whose word it is.
    :ivar detail: what the device answered, or the reason that was given.
    """

    proof: Proof
    by: str
    at: float
    detail: str = ""

    @classmethod
    def word_of(cls, command: "Command") -> "Evidence":
        """What a person, or a cluster manager, has said."""
        return cls(Proof.CONFIRMATION, command.by, command.at, command.reason)

    @classmethod
    def seen_in(cls, outcome: "Outcome | None") -> "Evidence | None":
        """What the fence device answered, if that is that the power is off."""
        if outcome is None or not outcome.ok:
            return None
        return cls(Proof.POWER_OFF, outcome.by, outcome.at, outcome.detail)

    def __str__(self) -> str:
        return f"{self.proof.value} {self.by}: {self.detail}"
