# SPDX-License-Identifier: Apache-2.0
"""One step's workbench: what is known when it starts, and what it decides."""

import copy
import enum
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypedDict, TypeVar, Unpack

from oslo_utils import uuidutils

from nova_ha_scheduler.cluster.picture import Host, Picture
from nova_ha_scheduler.evacuation.options import Options
from nova_ha_scheduler.reasons import Reason, filled
from nova_ha_scheduler.records.commands import Command
from nova_ha_scheduler.records.effects import Effect, Intent, Outcome, Result
from nova_ha_scheduler.records.events import Event, EventKind
from nova_ha_scheduler.records.host_recovery import HostPhase, HostRecovery
from nova_ha_scheduler.records.maintenance_window import Window
from nova_ha_scheduler.records.move import Move
from nova_ha_scheduler.records.old_request import OldRequest
from nova_ha_scheduler.records.pauses import Pause, holding
from nova_ha_scheduler.records.server_recovery import ServerRecovery
from nova_ha_scheduler.records.state import KINDS, Change, State

Record = HostRecovery | ServerRecovery | OldRequest | Window | Move
Held = TypeVar("Held", HostRecovery, Window)
Wanting = TypeVar("Wanting", HostRecovery, ServerRecovery, Window, Move)

_NUMBERED = re.compile(r"\S*\d\S*")
"""A word with a number in it: a duration, an address, a request's id. What devices,
witnesses and Nova answer has another one each time."""

_DECIDED = (
    *(kind.name for kind in KINDS),
    *("guard", "picture", "may_fence", "_opened", "_pending", "_events", "_answered"),
)
"""What the functions of a step change: with records that are never changed."""

_RESTARTED = "the trigger was restarted before it learned the result"


_KIND_OF = {kind.record: kind for kind in KINDS}


class Told(TypedDict, total=False):
    """What an event says beyond whom it is about; see records.Event."""

    host: str
    recovery: str
    how: str
    reason: str
    servers: tuple[str, ...]
    server: str
    server_name: str
    source: str
    destination: str


class Step:
    """The functions of a step read and write it; :meth:`change` is their sum.

    Intents of an earlier life of the trigger, which nobody carries out any more, end
    here with Result.LOST: whoever wanted them looks before repeating anything.

    :ivar may_fence: whether the guard admits another host in this step.
    :ivar broken: what of the step broke and is left out, and why: bugs.
    :ivar jump: by how many seconds the clock was set since the last step.
    :ivar outage: for how many seconds nothing could be seen, or written down, before.
    :ivar shown: what the cloud shows; in :attr:`picture`, hosts with a maintenance of
        ours are flagged from its first moment to its last.
    """

    hosts: dict[str, HostRecovery]
    servers: dict[tuple[str, str], ServerRecovery]
    commands: dict[str, Command]
    pauses: dict[str, Pause]
    windows: dict[str, Window]
    moves: dict[tuple[str, str], Move]

    def __init__(
        self,
        state: State,
        picture: Picture,
        outcomes: Sequence[Outcome],
        running: frozenset[str],
        now: float,
        options: Options,
        jump: float = 0.0,
        outage: float = 0.0,
        new_id: Callable[[], str] = uuidutils.generate_uuid,
    ) -> None:
        """:param new_id: gives the ids of intents."""
        self.jump, self.outage, self._new_id = jump, outage, new_id
        self.shown, self.now, self.options = picture, now, options
        for kind in KINDS:
            setattr(self, kind.name, dict(getattr(state, kind.name)))
        self.guard = state.guard
        self.picture = picture.under_maintenance(self._maintained())
        self.may_fence = False
        self.broken: dict[str, Exception] = {}
        self._before = state
        known = {outcome.intent.id for outcome in outcomes}
        lost = (
            Outcome(intent, Result.LOST, now, _RESTARTED)
            for intent in state.intents.values()
            if intent.id not in running and intent.id not in known
        )
        self._closed = [*outcomes, *lost]
        self._outcomes = {_key(o.intent): o for o in reversed(self._closed)}
        ended = {outcome.intent.id for outcome in self._closed}
        self._pending = {_key(i) for i in state.intents.values() if i.id not in ended}
        self._opened: list[Intent] = []
        self._spare_ids: list[str] = []
        self._events: list[Event] = []
        self._answered: list[Command] = []

    # What is known.

    def seen(self, host: HostRecovery) -> Host | None:
        """The host in the picture; None if its service was deleted."""
        return self.picture.host(host.host)

    def looked_at(self, host: HostRecovery) -> bool:
        """Whether the picture shows the servers and records of the host."""
        return host.host in self.picture.scope.hosts

    def outcome(self, about: Record, effect: Effect) -> Outcome | None:
        """What was learned in this step about an effect that a recovery wanted."""
        return self._outcomes.get((*about.key, effect))

    def check_of(self, host: str) -> Outcome | None:
        """What a periodic check of a fence device found."""
        found = self.learned_alone(Effect.CHECK_POWER)
        return next((o for o in found if o.intent.host == host and not o.lost), None)

    def learned_alone(self, *effects: Effect) -> list[Outcome]:
        """What was learned in this step about effects that no recovery wanted."""
        alone = (o for o in self._closed if not o.intent.recovery)
        return [o for o in alone if o.intent.effect in effects]

    def pending_alone(self, server: str, effect: Effect) -> bool:
        """Whether such an effect on a server is being carried out."""
        return ("", server, effect) in self._pending

    def pending(self, about: Record, effect: Effect) -> bool:
        """Whether such an intent is being carried out."""
        return (*about.key, effect) in self._pending

    def pauses_on(self, host: str) -> list[Pause]:
        """What holds a host, by its zone in the picture; the oldest first."""
        zones = self.picture.zones_of(host)
        return holding(self.pauses.values(), host, zones, self.now)

    def open_hosts(self) -> list[HostRecovery]:
        """The recoveries that are not over, by host."""
        still = (h for h in self.hosts.values() if h.ended_at is None)
        return sorted(still, key=lambda h: h.host)

    def recovery_of(self, host: str) -> HostRecovery | None:
        """The open recovery of a host."""
        return next((h for h in self.open_hosts() if h.host == host), None)

    def servers_of(self, host: HostRecovery) -> list[ServerRecovery]:
        """The servers of a recovery: higher priority first, then by name."""
        found = (s for s in self.servers.values() if s.recovery == host.id)
        return sorted(found, key=lambda s: (-s.priority, s.name, s.server))

    def open_windows(self) -> list[Window]:
        """The maintenances that are not over, by host."""
        still = (w for w in self.windows.values() if w.ended_at is None)
        return sorted(still, key=lambda w: w.host)

    def window_of(self, host: str) -> Window | None:
        """The maintenance of a host that is not over."""
        return next((w for w in self.open_windows() if w.host == host), None)

    def moves_of(self, job: str) -> list[Move]:
        """The moves of a job: higher priority first, then by name."""
        found = (m for m in self.moves.values() if m.job == job)
        return sorted(found, key=lambda m: (-m.priority, m.name, m.server))

    def _maintained(self) -> set[str]:
        return {window.host for window in self.open_windows()}

    def is_newer(self, at: float) -> bool:
        """Whether the picture's hosts were seen after that; what is still to come was
        written before the clock was set back."""
        return self.shown.hosts_seen_at > at or at > self.now

    # What is decided.

    def put(self, record: Record) -> None:
        if isinstance(record, OldRequest):
            host = self.hosts[record.recovery]
            which = record.key, record.what
            others = (o for o in host.old_requests if (o.key, o.what) != which)
            record = replace(host, old_requests=(*others, record))
        kind = _KIND_OF[type(record)]
        getattr(self, kind.name)[kind.key(record)] = record
        if isinstance(record, Window):
            self.picture = self.shown.under_maintenance(self._maintained())

    def enter(
        self,
        record: Wanting,
        state: enum.Enum,
        how: str = "",
        reason: str = "",
        servers: tuple[str, ...] = (),
        **kept: Any,
    ) -> Wanting:
        """The record in a new state, which is told, with the reason that it has if
        there is no other; see :meth:`.WithState.entered`."""
        record = self.set(record, state, **kept)
        kind = EventKind(f"{record.EVENTS}.{state.value}")
        why = reason or record.sentence
        self.tell(kind, record, how=how, reason=why, servers=servers)
        return record

    def set(self, record: Wanting, state: enum.Enum, **kept: Any) -> Wanting:
        """The same, without a word."""
        return record.entered(state, self.now, **kept)

    def hold(
        self, host: Held, why: Reason, detail: str = "", phase: enum.Enum | None = None
    ) -> Held:
        """The host, which does not go on; it is told once for each reason, whatever
        numbers are in it."""
        told, said = (_NUMBERED.sub("", text) for text in (host.detail, detail))
        if (host.reason, told) != (why, said):
            self.tell(EventKind.HOST_HELD, host, reason=why.sentence(detail))
        return host.because(why, detail, phase)

    def intend(
        self,
        effect: Effect,
        host: str,
        about: Record | None = None,
        destination: str | None = None,
        text: str = "",
        server: str | None = None,
    ) -> None:
        """Want an effect; it is journalled, and then carried out, after the step."""
        id = self._spare_ids.pop(0) if self._spare_ids else self._new_id()
        now = self.now
        recovery, server = about.key if about else ("", server)
        intent = Intent(id, effect, host, now, recovery, server, destination, text)
        self._opened.append(intent)
        self._pending.add(_key(intent))

    def ensure(
        self,
        record: Wanting,
        effect: Effect,
        host: str,
        every: float | None = None,
        text: str = "",
        at_once: bool = False,
    ) -> Wanting:
        """The record, for which an effect is wanted until it shows: once it is due, and
        while none is being carried out.

        :param every: seconds after which it is due again, as the picture may be older
            than what was done; None: whoever hears the answer says when.
        :param at_once: it is due whatever was said before.
        """
        due = at_once or self.now >= getattr(record, record.DUE)
        if not due or self.pending(record, effect):
            return record
        self.intend(effect, host, record, text=text)
        if every is None:
            return record
        return record.put_off(self.now + every)

    def tell(
        self, kind: EventKind, about: Record | None = None, **told: Unpack[Told]
    ) -> None:
        """Add a line to the history."""
        everything = {**told, **(about.told if about else {})}
        host, server = everything.get("host", ""), everything.get("server", "")
        everything["reason"] = filled(everything.get("reason", ""), host, server)
        self._events.append(Event(kind, self.now, **everything))

    def settle(
        self,
        command: Command,
        answer: str,
        refusal: Reason | None = None,
    ) -> None:
        """A command is done, or refused, and that is told."""
        del self.commands[command.id]
        answer = filled(answer, command.host)
        self._answered.append(replace(command, answer=answer, refusal=refusal))
        kind = EventKind.COMMAND_REFUSED if refusal else EventKind.COMMAND_TAKEN
        self.tell(kind, host=command.host, how=str(command), reason=answer)

    def refuse(self, command: Command, why: Reason, detail: str = "") -> None:
        self.settle(command, why.sentence(detail), why)

    def breaks(self, host: HostRecovery, error: Exception) -> None:
        """A host is held up by a bug."""
        self.broken[f"host {host.host}"] = error
        self.postpone(host, Reason.BROKEN, f"{type(error).__name__}: {error}")

    def leaves_out(self, window: Window, error: Exception) -> None:
        """A maintenance stays as it was, for a bug."""
        self.broken[f"the maintenance of host {window.host}"] = error
        self._leave_open(window)

    def leaves_out_moves(self, error: Exception) -> None:
        """All moves stay as they were, for a bug."""
        self.broken["the moves"] = error
        drained = {window.id for window in self.open_windows()}
        found = {m.key for m in self.moves.values() if m.job not in drained}
        self._closed = [
            outcome
            for outcome in self._closed
            if (outcome.intent.recovery, outcome.intent.server) not in found
        ]

    def postpone(self, host: HostRecovery, why: Reason, detail: str) -> None:
        """A host is held up."""
        self._leave_open(host)
        self.put(self.hold(host, why, detail, HostPhase.BROKEN))

    def _leave_open(self, record: HostRecovery | Window) -> None:
        """What was learned for it is not settled: the next step has it once more, as a
        result that was lost."""
        self._closed = [o for o in self._closed if o.intent.recovery != record.id]

    def savepoint(self) -> Callable[[], None]:
        """:returns: what undoes all that is decided from now on."""
        kept = {name: copy.copy(getattr(self, name)) for name in _DECIDED}

        def undo() -> None:
            self._spare_ids += [i.id for i in self._opened[len(kept["_opened"]) :]]
            for name, value in kept.items():
                setattr(self, name, value)

        return undo

    def change(self) -> Change:
        """What the step adds to the journal."""
        changed: dict[str, list[Any]] = {}
        for kind in KINDS:
            before = getattr(self._before, kind.name)
            now = getattr(self, kind.name)
            changed[kind.name] = [r for k, r in now.items() if before.get(k) != r]
        changed["commands"][:0] = self._answered
        return Change(
            opened=tuple(self._opened),
            closed=tuple(self._closed),
            events=tuple(self._events),
            guard=self.guard if self.guard != self._before.guard else None,
            **{name: tuple(found) for name, found in changed.items()},
        )


def _key(intent: Intent) -> tuple[str, str | None, Effect]:
    return intent.recovery, intent.server, intent.effect
