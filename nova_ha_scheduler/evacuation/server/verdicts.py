# SPDX-License-Identifier: Apache-2.0
"""What may have become of a server that Nova was asked for: the verdict table.

The truth about an evacuation is its migration record, not the server's status, and not
a clock: as long as the record is unfinished, Nova works on it. Or it does so no more,
and shows no end of it: a destination that dies in the middle, or a conductor that does,
leaves the record unfinished for ever, and the server with a task state that keeps Nova
from evacuating it again. An administrator may reset that state; who does so while the
destination still works on the server lets it run twice. So this is done only

* once the destination is proven to have died after it was asked, or
* if it never took the server up, for a request that named it: nobody else can have got
  it.

Else a person decides, and resets it by hand. Whoever did it: a destination that lives
may take the request up at that very moment, or be at it still. So the new request names
the same one, which says so if it has the server.

:data:`TABLE` is read from its first row: the first that holds is the verdict.
"""

import enum
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from nova_ha_scheduler.cluster.picture import Migration, Server
from nova_ha_scheduler.evacuation.detection import suspicion, unreadable
from nova_ha_scheduler.evacuation.server import attempts, old_requests
from nova_ha_scheduler.evacuation.step import Step
from nova_ha_scheduler.reasons import Reason
from nova_ha_scheduler.records.effects import Effect, Outcome
from nova_ha_scheduler.records.server_recovery import ServerRecovery, ServerState

_RESET = "error"
"""The vm_state of a server whose state was reset; Nova's own failures end the record
before they set it."""

_UNHEARD = (
    "MessagingTimeout",
    "MessageDeliveryFailure",
    "DBConnectionError",
    "DBError",
    "UnexpectedTaskStateError",
    "Conflict updating instance",
)
"""By what nova-compute fails where Nova's own services did not answer it: exceptions of
oslo.messaging and oslo.db; and what Nova answers when the state that a server had was
reset under its hands."""

_BY_COMPUTE = "failed"
"""The status that nova-compute gives a record; a conductor, which finds no host for the
server, calls it "error"."""

_HAS_IT = "already exists"
"""From nova.exception.InstanceExists, which nova-compute raises where its hypervisor
has the guest that it is to make."""


class Verdict(enum.Enum):
    """What is done for the server; one function each in under_way.py."""

    FAILED = "the attempt has failed: ask again, at another host"
    FAILED_THERE = "the attempt has failed: ask again, at the same host alone"
    NEVER_ASKED = "Nova was not asked: it waits again"
    NEVER_GOT = "Nova has lost the request: ask again"
    WAS_RESET = "its state was reset: ask again"
    DISTURBED = "it may run in two places: a person has to look"
    ASK_WHY = "it has failed: ask Nova why"
    ADOPT = "there is a record: follow that"
    LANDED = "it has landed: check it"
    GONE = "it is not shown where it was"
    RESET = "nobody works on it any more: reset its state"
    DOWN = "its destination is down: wait until that is proven dead, or up"
    SLOW = "it takes long: tell it"
    UNREADABLE = "what is shown of it cannot be read: wait"
    WAIT = "it may still take effect, or show: wait"
    FOLLOW = "Nova works on it: follow it"


class Facts:
    """What is known in a step of a server that Nova was asked for; each is worked out
    once, and none changes anything.

    :ivar record: of the journal, in the state ASKED or MOVING.
    :ivar newest: the migration record of its newest evacuation, if there is one yet.
    """

    def __init__(
        self, step: Step, record: ServerRecovery, newest: Migration | None
    ) -> None:
        self.step, self.record, self.newest = step, record, newest
        self.asked = record.state is ServerState.ASKED

    @cached_property
    def answer(self) -> Outcome | None:
        """What was learned in this step of the request."""
        effect = Effect.EVACUATE
        return self.step.outcome(self.record, effect) if self.asked else None

    # Its migration record.

    @property
    def failed(self) -> bool:
        return self.newest is not None and self.newest.failed

    @cached_property
    def why_failed(self) -> str | None:
        """As far as Nova says that; None: it was not asked for that yet."""
        assert self.newest is not None
        return attempts.why(self.step, self.record, self.newest)

    @cached_property
    def had_it(self) -> str:
        """The destination had the server already, in words: its nova-compute died and
        was started again after the server was up there, and before Nova knew; or its
        hypervisor still has the guest of an earlier death."""
        if not self.failed or _HAS_IT not in (self.why_failed or ""):
            return ""
        there = self.newest and self.newest.destination
        return f"{there or 'its destination'} had it already"

    @cached_property
    def disturbed(self) -> str:
        """An old request has made an error of it, in words."""
        if self.newest is None or not self.failed:
            return ""
        return old_requests.disturbed(self.step, self.record, self.newest)

    @cached_property
    def may_have_it(self) -> str | None:
        """The destination that may run the server, though the evacuation has failed."""
        if self.newest is None or not self.failed:
            return None
        there, said = self.newest.destination, self.why_failed or ""
        unheard = any(words in said for words in _UNHEARD)
        if self.newest.status == _BY_COMPUTE:
            unheard = unheard or said == attempts.unexplained(self.newest)
        dead = there and suspicion.proven_dead(self.step, there)
        return there if unheard and there and not dead else None

    # The server.

    @cached_property
    def too_early(self) -> bool:
        """Whether the request may still take effect, or does not show yet."""
        step, record = self.step, self.record
        pending = step.pending(record, Effect.EVACUATE)
        shown = record.source in step.picture.scope.hosts
        return pending or not shown or step.picture.taken_at < record.not_before

    @cached_property
    def unreadable(self) -> str:
        """What of it cannot be read, in words."""
        return unreadable.why(self.step, self.record)

    @property
    def vanished(self) -> bool:
        """Whether it is neither on the dead host nor, as far as its record says,
        anywhere else: it was deleted, or has landed since the record was read."""
        listed = self.record.source in self.step.picture.scope.hosts
        return listed and self.record.server not in self.step.picture.servers

    @property
    def idle(self) -> bool:
        """Whether no task state keeps Nova from evacuating it."""
        server = self.step.picture.servers.get(self.record.server)
        return server is None or server.task_state is None

    @cached_property
    def shown(self) -> Server | None:
        """It, where the picture shows it on the dead host."""
        picture, record = self.step.picture, self.record
        server = picture.servers.get(record.server)
        if server is None or server.unreadable or server.host != record.source:
            return None
        return server if record.source in picture.scope.hosts else None

    @cached_property
    def was_reset(self) -> bool:
        """Whether its state was reset, by the trigger or by a person who was told that
        it takes long.

        Nothing is left to reset where the destination died between the server's last
        word and its record's: Nova says first that the server is up, and then where.
        Nor where nova-compute took the task state away by itself, as a conductor did
        not answer when it began: its record is never touched then.
        """
        if self.shown is None or self.shown.task_state is not None:
            return False
        in_error = self.shown.vm_state == _RESET
        if self.record.reason is Reason.STRANDED:
            untouched = self.newest is not None and self.newest.status == "accepted"
            if untouched and not self.step.pending(self.record, Effect.RESET_STATE):
                return True
            return in_error or self.destination_dead
        return self.record.reason is Reason.SLOW and in_error

    # Its destination.

    @cached_property
    def destination(self) -> str | None:
        """Where it goes for sure: what the planner thought of a host that the scheduler
        was free to choose says nothing."""
        if self.newest is not None and self.newest.destination:
            return self.newest.destination
        return self.record.destination if self.record.named else None

    @property
    def named(self) -> bool:
        """Whether it can only arrive at the destination that the request has named."""
        if self.newest is None:
            return self.record.named
        return self.newest.status == "accepted" and bool(self.newest.destination)

    @cached_property
    def destination_dead(self) -> bool:
        there = self.destination
        return there is not None and (
            suspicion.proven_dead(self.step, there) is not None
        )

    @property
    def destination_up(self) -> bool:
        seen = self.step.picture.hosts.get(self.destination or "")
        return seen is not None and seen.heard

    # The time.

    @property
    def late(self) -> bool:
        """Whether it takes longer than evacuations do."""
        began = self.record.moving_at or self.record.asked_at or self.step.now
        return self.step.now - began >= self.step.options.slow_after

    @property
    def unsaid(self) -> bool:
        """Whether nothing was told of it that holds still."""
        over = {None, Reason.CANNOT_BE_READ}
        if self.back:
            over.add(Reason.DESTINATION_DOWN)
        return self.record.reason in over

    @property
    def back(self) -> bool:
        """Whether its destination, which was down, is up."""
        return self.shown is not None and self.destination_up


@dataclass(frozen=True)
class VerdictRow:
    """
    :ivar name: what has happened, in words.
    :ivar scenario: one that comes to this row, below tests/scenarios.
    :ivar because: the behaviour of Nova that makes this a row of its own; "": none.
    """

    name: str
    holds: Callable[[Facts], object]
    verdict: Verdict
    scenario: str
    because: str = ""


TABLE = (
    # What was said.
    VerdictRow(
        "Nova refuses",
        lambda f: f.answer and f.answer.refused,
        Verdict.FAILED,
        "evacuation-refused",
    ),
    VerdictRow(
        "the trigger has withheld it",
        lambda f: f.answer and f.answer.withheld,
        Verdict.NEVER_ASKED,
        "pause-while-an-evacuation-waits",
    ),
    VerdictRow(
        "a record is there",
        lambda f: f.asked and f.newest,
        Verdict.ADOPT,
        "dead-host",
        "nova-api writes the record before it answers",
    ),
    VerdictRow(
        "failed: the destination had it",
        lambda f: f.had_it,
        Verdict.DISTURBED,
        "already-there",
        "InstanceExists: that host alone can say whether it still has it",
    ),
    VerdictRow(
        "failed: an old request has disturbed it",
        lambda f: f.disturbed,
        Verdict.DISTURBED,
        "late-request-in-the-middle",
        "a host that returns writes itself into the record, and fails it, while the "
        "new destination works on the server",
    ),
    VerdictRow(
        "failed: why is not known yet",
        lambda f: f.failed and f.why_failed is None,
        Verdict.ASK_WHY,
        "failed-and-nova-says-why",
        "the record has failed before the instance action says why",
    ),
    VerdictRow(
        "failed: the destination may have it",
        lambda f: f.may_have_it,
        Verdict.FAILED_THERE,
        "unheard-in-the-middle",
        "where Nova's own services did not answer nova-compute, it gives up without a "
        "look at the guest that it may have made",
    ),
    VerdictRow("failed", lambda f: f.failed, Verdict.FAILED, "rebuild-fails-for-ever"),
    VerdictRow(
        "landed", lambda f: f.newest and f.newest.landed, Verdict.LANDED, "dead-host"
    ),
    VerdictRow(
        "it may still show",
        lambda f: f.asked and f.too_early,
        Verdict.WAIT,
        "lost-request",
    ),
    VerdictRow(
        "it cannot be read",
        lambda f: f.unreadable,
        Verdict.UNREADABLE,
        "unreadable-while-it-moves",
    ),
    # What silence means.
    VerdictRow(
        "it is not there any more",
        lambda f: not f.asked and f.vanished,
        Verdict.GONE,
        "landed-and-untold",
        "Nova saves where a server is before it ends the record",
    ),
    VerdictRow(
        "its state was reset",
        lambda f: f.was_reset,
        Verdict.WAS_RESET,
        "destination-agent-restarts",
        "a reset server has no task state, and the old request may still be worked on",
    ),
    VerdictRow(
        "no record, and no task state",
        lambda f: f.asked and f.idle,
        Verdict.NEVER_GOT,
        "lost-request",
        "nova-api sets the task state before it writes the record",
    ),
    VerdictRow(
        "its destination is dead",
        lambda f: f.shown and f.destination_dead,
        Verdict.RESET,
        "destination-dies",
        "the record of an evacuation whose destination dies is never ended",
    ),
    VerdictRow(
        "its destination is down",
        lambda f: f.shown and f.destination and not f.destination_up,
        Verdict.DOWN,
        "destination-dies-unfenced",
    ),
    VerdictRow(
        "its destination has never heard of it",
        lambda f: f.shown and f.destination and f.late and f.named,
        Verdict.RESET,
        "conductor-loses-request",
        "nova-compute leaves a record accepted until it begins",
    ),
    VerdictRow(
        "it takes long",
        lambda f: (
            f.late and f.unsaid and (not f.asked or (f.shown and f.destination is None))
        ),
        Verdict.SLOW,
        "slow-rebuild",
    ),
    VerdictRow("Nova works on it", lambda f: True, Verdict.FOLLOW, "slow-rebuild"),
)


def judge(facts: Facts) -> VerdictRow:
    """The first row of the table that holds."""
    return next(row for row in TABLE if row.holds(facts))
