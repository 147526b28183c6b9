# SPDX-License-Identifier: Apache-2.0
"""The step that ties it all together, and the object that repeats it."""

import itertools
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace

from oslo_log import log as logging

from nova_ha_scheduler.clock import Clock
from nova_ha_scheduler.cluster.picture import Picture, Scope
from nova_ha_scheduler.evacuation import decisions, dispatch, stopping
from nova_ha_scheduler.evacuation.decisions import Decision
from nova_ha_scheduler.evacuation.detection import (
    clock_changes,
    guard,
    lateness,
    scope,
    suspicion,
)
from nova_ha_scheduler.evacuation.detection.watchers import Watchers
from nova_ha_scheduler.evacuation.host import host_states, proof
from nova_ha_scheduler.evacuation.interfaces import Cloud, Executor, Journal
from nova_ha_scheduler.evacuation.maintenance import (
    drain,
    failback,
    move_dispatch,
    window_states,
)
from nova_ha_scheduler.evacuation.options import Options
from nova_ha_scheduler.evacuation.people import handling
from nova_ha_scheduler.evacuation.server import (
    old_requests,
    task_states,
    transitions,
)
from nova_ha_scheduler.evacuation.step import Step
from nova_ha_scheduler.reasons import Reason
from nova_ha_scheduler.records import pauses
from nova_ha_scheduler.records.effects import Effect, Intent, Outcome
from nova_ha_scheduler.records.host_recovery import HostRecovery
from nova_ha_scheduler.records.server_recovery import ServerRecovery, ServerState
from nova_ha_scheduler.records.state import Change, State

LOG = logging.getLogger(__name__)


def decide(step: Step) -> None:
    """One step: new suspicions, commands, every host's state, new evacuations; then,
    with the room that these leave, moves of servers that are well."""
    clock_changes.notice(step)
    suspicion.after_outage(step)
    stopping.expire(step)
    sighted = step.picture.hosts_at is None and suspicion.sighted(step)
    if sighted:
        suspicion.suspect(step)
        lateness.suspect(step)
        suspicion.leave_alone(step)
        suspicion.leave_disabled(step)
    handling.handle(step)
    window_states.advance(step)
    settled = suspicion.settled(step)
    step.may_fence = sighted and settled and guard.watch(step)
    for host in step.open_hosts():
        if sighted or not host.state.traits.wants_in:
            _advance(step, step.hosts[host.id])
    old_requests.follow(step)
    dispatch.dispatch(step)
    _move(step)
    handling.note(step)


def _move(step: Step) -> None:
    """Servers that are well move; a bug there holds up no recovery."""
    undo = step.savepoint()
    try:
        failback.follow(step)
        drain.follow_halted(step)
        move_dispatch.dispatch(step)
        drain.conclude(step)
    except Exception as error:  # nobody foresaw it
        undo()
        step.leaves_out_moves(error)


def again(decision: Decision) -> Change:
    """What the step decides on what was kept of it: the same, as long as the program
    is the same."""
    ids = [intent.id for intent in decision.change.opened]
    numbered = (f"new-{number}" for number in itertools.count(1))
    step = Step(
        decision.known.state(),
        decision.seen.picture(),
        decision.outcomes,
        decision.running,
        decision.now,
        decision.options,
        decision.jump,
        decision.outage,
        itertools.chain(ids, numbered).__next__,
    )
    decide(step)
    return step.change()


def _advance(step: Step, host: HostRecovery) -> None:
    """Run the state functions until the state stays; or one breaks, whose host then
    stays as it was before, and the others go on. So does one whose service cannot be
    read, which looks neither dead nor alive."""
    seen = step.seen(host)
    if seen is not None and seen.unreadable:
        step.postpone(host, Reason.SERVICE_UNREADABLE, seen.unreadable)
        return
    host = stopping.released(step, host)
    while True:
        undo = step.savepoint()
        try:
            new = host_states.FUNCTIONS[host.state](step, host)
        except Exception as error:  # nobody foresaw it
            undo()
            step.breaks(step.hosts[host.id], error)
            return
        step.put(new)
        if new.state is host.state or new.ended_at is not None:
            return
        host = new


class Engine:
    """Repeats the step on a journal: see, decide, write down, act."""

    def __init__(
        self,
        cloud: Cloud,
        clock: Clock,
        journal: Journal,
        executor: Executor,
        options: Options,
        keep: Callable[[Decision], None] | None = None,
    ) -> None:
        """:param keep: gets each decision, when it is under way."""
        self._keep = keep
        self._cloud, self._clock = cloud, clock
        self._journal, self._executor = journal, executor
        self._options = options
        self._watchers = Watchers(options.device_check_interval)
        self.devices, self.unread = self._watchers.devices, self._watchers.unread
        self._picture: Picture | None = None
        self._listed_at = 0.0
        self._offset: float | None = None
        """Between the clock and what nobody can set."""
        self._outage = 0.0
        self.left_out: Mapping[str, Exception] = {}
        """What of the newest step broke, by its name: bugs."""
        self._learned: list[Outcome] = []
        """What was not written down yet: the journal may have failed."""
        self.state = State()

    def use(self, options: Options, changed: Collection[str] = ()) -> None:
        """Go by other options from the next step on.

        :param changed: hosts whose fence device is another one, or is asked in another
            way; it is checked soon.
        """
        self._options = options
        self.devices.use(options.device_check_interval, changed)

    def step(self, look: bool = True, outage: float = 0.0) -> Change:
        """One step; what it decided is journalled, then handed to the executor.

        :param look: take a new picture; without, only what the executor learned is
            new. A picture costs a fixed number of requests.
        :param outage: seconds for which cloud, message bus or journal were out of order
            before this step.
        :raises CloudUnreachable: if there is no picture; nothing was lost.
        """
        self._outage = max(self._outage, outage)
        ahead = self._ahead()
        window = self._options.remembered + max(0.0, ahead)  # as it was written
        self.state = self._journal.load(self._clock.now() - window)
        # A picture of before the clock was set is of another time.
        look = look or ahead != 0.0
        if look or self._picture is None:
            self._picture = self._look()
        if not ahead and self._ahead():
            self._picture = self._look()
        running = self._executor.running()
        self._learned += self._executor.outcomes()
        now = self._clock.now()
        outcomes = [o for o in self._learned if o.intent.id in self.state.intents]
        offset = now - self._clock.steady()
        jump = self._jump(offset)
        known = self.state, self._picture, outcomes, running, now, self._options
        step = Step(*known, jump, self._outage if look else 0.0)
        decide(step)
        self._log_broken(step)
        decided = step.change()
        change = self._write_down(step)
        self._learned.clear()
        self._offset = offset
        self._outage = 0.0 if look else self._outage
        for intent in change.opened:
            self._executor.submit(intent)
        if self._keep and decisions.is_one(decided):
            self._keep(decisions.made(*known, decided, jump, step.outage))
        return change

    def _write_down(self, step: Step) -> Change:
        """What the step decided, and what its watchers tell and ask.

        :raises JournalError: then they have told and asked nothing.
        """
        undo = self._watchers.savepoint()
        try:
            self._watchers.watch(step)
            change = step.change()
            if change:
                self._journal.commit(change)
        except Exception:
            undo()
            raise
        self.state = self.state.after(change) if change else self.state
        return change

    @property
    def seen_at(self) -> float | None:
        """Of when the newest picture of the cloud is."""
        return self._picture.taken_at if self._picture else None

    def _log_broken(self, step: Step) -> None:
        """Say where it happened, once."""
        for name, error in step.broken.items():
            if name not in self.left_out:
                LOG.error("The step of %s failed", name, exc_info=error)
        self.left_out = step.broken

    def _ahead(self) -> float:
        """By how much the clock has been set by now."""
        return self._jump(self._clock.now() - self._clock.steady())

    def _jump(self, offset: float) -> float:
        """By how much the clock was set since the last step; what the clocks may
        differ by is none."""
        jump = offset - self._offset if self._offset is not None else 0.0
        return jump if abs(jump) > max(1.0, self._options.clock_skew) else 0.0

    def withholds(self, intent: Intent) -> bool:
        """Whether what was decided before is not begun any more: a person has stopped
        it, it was decided on what is too old, or in doubt by now, its destination is
        closed, its host or its destination is under maintenance, or somebody else
        evacuates the server; asks the journal.

        To be called just before the effect, from any thread.
        """
        if intent.effect not in stopping.NOT_WHEN_STOPPED:
            return False
        recovery, now = self.state.hosts.get(intent.recovery), self._clock.now()
        if recovery is not None and recovery.aborted:
            return True
        if proof.is_outdated(recovery, intent, now, self._options):
            return True
        if intent.effect is Effect.EVACUATE and not self._is_still_to_move(intent):
            return True
        if self._is_maintained(intent):
            return True
        known = self._journal.pauses()
        return any(
            pauses.holding(known, host, self._zones_of(host), now)
            for host in self._held_by_pauses_of(intent)
        )

    def _held_by_pauses_of(self, intent: Intent) -> set[str]:
        """The hosts whose pauses hold an effect up: its own, and the home to which a
        server returns."""
        move = self.state.moves.get((intent.recovery, intent.server or ""))
        return {intent.host, move.home} if move and move.home else {intent.host}

    def _zones_of(self, host: str) -> Collection[str]:
        return self._picture.zones_of(host) if self._picture else ()

    def _is_still_to_move(self, intent: Intent) -> bool:
        """Whether nobody has asked Nova for the server meanwhile, and its destination
        still takes it."""
        server, picture = intent.server or "", self._picture
        record = self.state.servers.get((intent.recovery, server))
        if record is None or record.state is not ServerState.ASKED or picture is None:
            return False
        shown = picture.servers.get(server)
        if shown is not None and task_states.is_rebuild(shown.task_state):
            return False
        there = intent.destination
        return not (there and suspicion.is_closed(picture, self.state, there))

    def _is_maintained(self, intent: Intent) -> bool:
        """Whether a maintenance has begun meanwhile: of the host that is to be
        recovered, or of the one to which a server is to move."""
        hosts = {intent.destination} if intent.destination else set()
        if intent.effect in (Effect.FENCE, Effect.EVACUATE):
            hosts.add(intent.host)
        windows = self.state.windows.values()
        if any(w.host in hosts and w.ended_at is None for w in windows):
            return True
        shown = self._picture.hosts if self._picture else {}
        found = (shown[name] for name in hosts if name in shown)
        return any(suspicion.under_maintenance(host) for host in found)

    def priority(self, intent: Intent) -> int:
        """Of the server that an effect is about; to be called from any thread."""
        server = self.state.servers.get((intent.recovery, intent.server or ""))
        return server.priority if server else 0

    def scheduling(self) -> frozenset[str]:
        """The servers that Nova was asked for, and that no destination has claimed, as
        the newest picture shows."""
        going = (s for s in self.state.servers.values() if s.state.under_way)
        return frozenset(s.server for s in going if not self._is_claimed(s))

    def _is_claimed(self, server: ServerRecovery) -> bool:
        if self._picture is None:
            return False
        newest = transitions.new_record(self._picture, server)
        return newest is not None and newest.claimed

    def _look(self) -> Picture:
        servers_only = self._watchers.reboots.hosts
        picture = self._cloud.observe(replace(self.scope(), servers_only=servers_only))
        picture = self.devices.doubt(picture)
        if not picture.scope.followed:
            self._listed_at = picture.taken_at
        if self._picture is None or picture.scope.overview:
            self._watchers.beats.hear(picture)
            return picture
        return picture.with_hosts_of(self._picture)

    @property
    def hosts(self) -> Collection[str]:
        """Those of the newest picture; none before the first."""
        return self._picture.hosts if self._picture else ()

    def heard_at(self, host: str) -> float | None:
        """When the newest picture shows a sign of life of a host; None: it shows none
        at all."""
        seen = self._picture.hosts.get(host) if self._picture else None
        return seen.updated_at or None if seen else None

    def wants_look(self) -> bool:
        """Whether the next step needs to see more than the newest picture shows."""
        if self._picture is None:
            return True
        wanted, shown = self.scope(), self._picture.scope
        return not (
            wanted.hosts <= shown.hosts
            and wanted.followed <= shown.hosts | shown.followed
            and wanted.landed <= shown.landed
            and wanted.destinations <= shown.destinations
            and wanted.leaving <= shown.leaving
        )

    @property
    def hurries(self) -> bool:
        """Whether a host is late, and it is worth a look whether it still is."""
        return self._watchers.late.hurries

    def rests(self) -> bool:
        """Whether there is no hurry; see :func:`.scope.rests`."""
        return scope.rests(self.state, self._clock.now())

    def scope(self) -> Scope:
        """What the next picture has to show, by what the journal knows."""
        seen_at = self._picture.hosts_seen_at if self._picture else 0.0
        times = self._clock.now(), seen_at, self._listed_at
        return scope.wanted(self.state, self._options, *times, self._endangered)

    def _endangered(self) -> frozenset[str]:
        if self._picture is None:
            return frozenset()
        return suspicion.endangered(self._picture, self._options)
