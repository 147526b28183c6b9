# SPDX-License-Identifier: Apache-2.0
"""What the trigger does to the world, and what became of it."""

import enum
from dataclasses import dataclass

RUN, STOP = "run", "stop"
"""What users order of a server."""

OFF_BY_ITSELF = "off by itself"
"""Nova itself has stopped a server since, as it did not run any more."""


class Effect(enum.Enum):
    """What can be asked of the world."""

    TESTIFY = "testify"
    """Ask the witnesses."""
    TESTIFY_AGAIN = "testify again"
    """Ask them anew, after a power-off, by what they have seen since."""
    CHECK_POWER = "check power"
    """Ask the fence device for the power state."""
    CHECK_LATE = "check late"
    """The same for a host that has missed a heartbeat. Its answer is no proof."""
    FENCE = "fence"
    FORCE_DOWN = "force down"
    DISABLE = "disable"
    EVACUATE = "evacuate"
    ASK_WHY = "ask why"
    """Ask Nova why an attempt has failed."""
    RESET_STATE = "reset state"
    """Give up an evacuation that Nova shows no end of: the server is in error then."""
    SET_ACTIVE = "set active"
    """Show a server as active, without a task state: it is well, and Nova says
    something else."""
    LOOK = "look"
    """Ask a server's hypervisor whether it runs: Nova's record may be wrong."""
    ASK_ORDERS = "ask orders"
    """Ask Nova what a server's users have ordered last: RUN or STOP, or whether it is
    OFF_BY_ITSELF since."""
    START = "start"
    STOP = "stop"
    REBOOT = "reboot"
    """Start a server anew that Nova holds for broken: it starts no such server."""
    LIFT_FORCE_DOWN = "lift force-down"
    ENABLE = "enable"
    FLAG = "flag"
    """Tag the host as under maintenance."""
    UNFLAG = "unflag"
    LIVE_MIGRATE = "live migrate"
    COLD_MIGRATE = "cold migrate"
    FORCE_COMPLETE = "force complete"
    """Have a live migration ended that does not end by itself."""
    STOP_TO_MOVE = "stop to move"
    """Stop a server that cannot be moved while it runs: a beginning, unlike STOP."""
    CONFIRM = "confirm"
    """Confirm a cold migration, after which nothing of it is left on the source."""


@dataclass(frozen=True)
class Intent:
    """An effect that is wanted, journalled before it is carried out.

    :ivar id: the key; never used twice.
    :ivar recovery: HostRecovery.id, Window.id, or a Move's job; "" for a periodic check
        of a fence device, and for a question about a host that is late.
    :ivar server: for the effects on a server.
    :ivar destination: for EVACUATE, LIVE_MIGRATE and COLD_MIGRATE.
    :ivar text: the disabled_reason for DISABLE; the request's id for ASK_WHY; the
        migration record's id for FORCE_COMPLETE; for TESTIFY_AGAIN, since when, in
        seconds since the epoch; for CHECK_LATE, and for TESTIFY before there is a
        recovery, the host's last heartbeat and when the next one was due.
    """

    id: str
    effect: Effect
    host: str
    at: float
    recovery: str = ""
    server: str | None = None
    destination: str | None = None
    text: str = ""


class Result(enum.Enum):
    OK = "ok"
    REFUSED = "refused"
    """A definite no: the effect did not happen."""
    UNKNOWN = "unknown"
    """A lost connection, a time-out, an error 500: it may have happened."""
    FED = "fed"
    """Of CHECK_POWER: as unknown; an outlet of the host is on, and may be switched."""
    WITHHELD = "withheld"
    """It was never begun: a pause, an abort, a doubt, or its destination's end came
    first."""
    LOST = "lost"
    """As unknown: the trigger was restarted before it learned the result. Perhaps it
    was never begun."""


@dataclass(frozen=True)
class Outcome:
    """What became of an intent.

    :ivar result: for CHECK_POWER, CHECK_LATE and FENCE, OK means "observed to be off";
        for TESTIFY, "every witness says dead"; for TESTIFY_AGAIN, "none says alive";
        for LOOK, "it runs".
    :ivar detail: a sentence: what the device answered, why Nova refused, or failed; for
        ASK_ORDERS, RUN, STOP, OFF_BY_ITSELF, or "".
    :ivar by: the fencing method.
    :ivar request_id: Nova's.
    """

    intent: Intent
    result: Result
    at: float
    detail: str = ""
    by: str = ""
    request_id: str | None = None

    @property
    def ok(self) -> bool:
        return self.result is Result.OK

    @property
    def refused(self) -> bool:
        return self.result is Result.REFUSED

    @property
    def fed(self) -> bool:
        return self.result is Result.FED

    @property
    def lost(self) -> bool:
        return self.result is Result.LOST

    @property
    def withheld(self) -> bool:
        return self.result is Result.WITHHELD
