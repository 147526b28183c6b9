# SPDX-License-Identifier: Apache-2.0
"""What surrounds the engine: the world, the clock, the journal, the executor.

Production, the simulated world of the scenarios, and ``nova-ha simulate`` are
implementations of these.
"""

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from nova_ha_scheduler.cluster.picture import Picture, Scope
from nova_ha_scheduler.printable import flat
from nova_ha_scheduler.records.effects import Intent, Outcome
from nova_ha_scheduler.records.pauses import Pause
from nova_ha_scheduler.records.state import Change, State

NO_DEVICE = "manual"
"""The fencing method of hosts that have none: nothing of theirs can be broken."""


class Cloud(Protocol):
    """OpenStack. Every method may block. Of them, a step needs observe() alone.

    An effect raises Refused for a definite no (a 4xx answer). Whatever else it raises
    means "unknown": it may have happened, the engine looks before it repeats.
    """

    def observe(self, scope: Scope) -> Picture:
        """:raises CloudUnreachable: if any part of it could not be had."""

    def carry_out(self, intent: Intent) -> str | None:
        """Ask Nova for an effect on a server or on a compute service.

        An evacuation is asked for without force: Nova's filters judge the destination.

        :returns: Nova's request id, for an effect on a server.
        """

    def runs(self, server: str) -> bool:
        """Whether its hypervisor says that it runs, whatever Nova's record says.

        :raises CloudUnreachable: it could not be asked.
        """

    def ordered(self, server: str) -> str:
        """What its users have ordered last: effects.RUN or STOP, or that it is
        OFF_BY_ITSELF since; "": Nova does not say so.

        :raises CloudUnreachable: it could not be asked.
        """

    def explain(self, server: str, request_id: str) -> str:
        """Why Nova has failed to do what it was asked for, on one line; "": it does not
        say so.

        :raises CloudUnreachable: it could not be asked.
        """


class Power(enum.Enum):
    ON = "on"
    OFF = "off"
    UNKNOWN = "unknown"
    """The device does not answer, or not clearly."""
    FED = "fed"
    """The same of the device that tells of the host itself; an outlet that feeds it is
    on, and may be switched off."""


@dataclass(frozen=True)
class PowerReport:
    """:ivar by: the method that observed it. :ivar detail: what it answered."""

    power: Power
    by: str
    detail: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "detail", flat(self.detail))


class Fencing(Protocol):
    """The fence devices of all protected hosts."""

    def power_off(self, host: str) -> PowerReport:
        """Switch it off and watch until it is off. "Already off" is success.

        Anything but Power.OFF, and any exception, means: not fenced. An exception's
        text goes into the history: no credentials in it.
        """

    def power(self, host: str) -> PowerReport:
        """Look, and change nothing."""

    def check(self, host: str) -> PowerReport:
        """Look whether each device of the host would serve, and change nothing.

        UNKNOWN: one of them would not; the detail says which.
        """

    def lacks(self, host: str) -> str:
        """Why there is no method to fence a host, as a sentence; "": there is one."""


class WitnessVerdict(enum.Enum):
    DEAD = "dead"
    ALIVE = "alive"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Testimony:
    """:ivar witness: its name. :ivar detail: what it saw."""

    witness: str
    verdict: WitnessVerdict
    detail: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "detail", flat(self.detail))


class Witnesses(Protocol):
    """All configured witnesses beside Nova's own word."""

    def testify(self, host: str, since: float = 0.0) -> Sequence[Testimony]:
        """Ask all; an empty answer (none is configured) is agreement.

        :param since: only what was seen after that counts; seconds since the epoch.
        """


class World(Cloud, Fencing, Witnesses, Protocol):
    """All three in one."""


class Journal(Protocol):
    """Durable memory. One engine writes at a time; the command line adds commands,
    and begins and ends pauses."""

    def load(self, admitted_since: float) -> State:
        """All that is open, and the recoveries admitted since then."""

    def pauses(self) -> Sequence[Pause]:
        """Those that were not ended, as of now."""

    def commit(self, change: Change) -> None:
        """All of it or nothing; on return it is durable."""


class Executor(Protocol):
    """Carries intents out, beside the engine."""

    def submit(self, intent: Intent) -> None:
        """Return at once."""

    def outcomes(self) -> Sequence[Outcome]:
        """What has ended since the last call."""

    def running(self) -> frozenset[str]:
        """Ids of the intents that were submitted here and have not ended."""
