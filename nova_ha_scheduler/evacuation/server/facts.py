# SPDX-License-Identifier: Apache-2.0
"""What is known of a server that Nova was asked for: the verdict table goes by that."""

from functools import cached_property

from nova_ha_scheduler.cluster.picture import Migration, Server
from nova_ha_scheduler.evacuation.detection import suspicion, unreadable
from nova_ha_scheduler.evacuation.server import (
    attempts,
    failures,
    old_requests,
    task_states,
)
from nova_ha_scheduler.evacuation.step import Step
from nova_ha_scheduler.records.effects import Effect, Outcome
from nova_ha_scheduler.records.server_recovery import (
    ServerPhase,
    ServerRecovery,
    ServerState,
)

_RESET = "error"
"""The vm_state of a server whose state was reset; Nova's own failures end the record
before they set it."""


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
        if not self.failed or failures.HAS_IT not in (self.why_failed or ""):
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
        unheard = any(words in said for words in failures.UNHEARD)
        if self.newest.status == failures.BY_COMPUTE:
            unheard = unheard or said == attempts.unexplained(self.newest)
        dead = there and suspicion.proven_dead(self.step, there)
        return there if unheard and there and not dead else None

    @cached_property
    def given_up(self) -> str:
        """Why Nova's conductor has given the request up, as of this step's answer; "":
        it has not, or the destination may have got the request all the same."""
        outcome = self.step.outcome(self.record, Effect.ASK_WHY)
        if outcome is None or not outcome.ok or not (self.named and self._arrived_once):
            return ""
        unheard = any(words in outcome.detail for words in failures.UNHEARD)
        return "" if unheard else outcome.detail

    @property
    def to_ask_whether(self) -> bool:
        """Whether Nova is to be asked for that now: nobody has begun for a while."""
        due = self.step.now >= self.record.not_before
        known = self.record.request_id is not None and not self.asked
        named = self.named and self._arrived_once
        return due and known and named and self.destination_up

    @property
    def _arrived_once(self) -> bool:
        """Whether its request has one record. One that has arrived twice has two; what
        Nova says of it may be about either, while the other goes on."""
        record = self.record
        found = (
            migration
            for migration in self.step.picture.migrations
            if migration.kind == "evacuation" and migration.id > record.baseline
        )
        whose = record.server, record.source
        return sum((m.server, m.source) == whose for m in found) <= 1

    @cached_property
    def refused_there(self) -> str | None:
        """The host that was named, and that Nova's scheduler does not take for it.

        Nobody has worked on the server then: the conductor sets it to error.
        """
        if self.newest is None or self.newest.status != failures.BY_CONDUCTOR:
            return None
        said, there = self.why_failed or "", self.newest.destination
        silent = said == attempts.unexplained(self.newest)
        scheduled = silent or failures.NO_HOST in said
        return there if scheduled and there != self.record.only else None

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
        """Whether Nova shows no work on an evacuation of it; another task state may be
        what its host has left it with."""
        server = self.step.picture.servers.get(self.record.server)
        return server is None or not task_states.is_rebuild(server.task_state)

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
        if self.record.phase is ServerPhase.STRANDED:
            untouched = self.newest is not None and self.newest.status == "accepted"
            if untouched and not self.step.pending(self.record, Effect.RESET_STATE):
                return True
            return in_error or self.destination_dead
        return self.record.phase is ServerPhase.SLOW and in_error

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
        over = {None, ServerPhase.UNREADABLE}
        if self.back:
            over.add(ServerPhase.DESTINATION_DOWN)
        return self.record.phase in over

    @property
    def back(self) -> bool:
        """Whether its destination, which was down, is up."""
        return self.shown is not None and self.destination_up
