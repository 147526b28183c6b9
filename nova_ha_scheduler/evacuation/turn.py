# SPDX-License-Identifier: Apache-2.0
"""One step's workbench: what is known when it starts, and what it decides."""

from collections.abc import Sequence
from dataclasses import replace

from oslo_utils import uuidutils

from nova_ha_scheduler.evacuation.cloud import Host, Picture
from nova_ha_scheduler.evacuation.options import Options
from nova_ha_scheduler.evacuation.records import (
    Change,
    Command,
    Effect,
    Event,
    EventKind,
    HostRecovery,
    HostState,
    Intent,
    Outcome,
    Reason,
    Result,
    ServerRecovery,
    ServerState,
    State,
)

RESTARTED = "the trigger was restarted before it learned the result"


class Turn:
    """The functions of a step read and write it; :meth:`change` is their sum.

    Intents of an earlier life of the trigger, which nobody carries out any more, end
    here with Result.UNKNOWN: whoever wanted them looks before repeating anything.
    """

    def __init__(
        self,
        state: State,
        picture: Picture,
        outcomes: Sequence[Outcome],
        running: frozenset[str],
        now: float,
        options: Options,
    ) -> None:
        self.picture, self.now, self.options = picture, now, options
        self.hosts_at = (
            picture.taken_at if picture.hosts_at is None else picture.hosts_at
        )
        self.hosts = dict(state.hosts)
        self.servers = dict(state.servers)
        self.commands = dict(state.commands)
        self.guard = state.guard
        self._before = state
        known = {outcome.intent.id for outcome in outcomes}
        lost = (
            Outcome(intent, Result.UNKNOWN, now, RESTARTED)
            for intent in state.intents.values()
            if intent.id not in running and intent.id not in known
        )
        self._outcomes = [*outcomes, *lost]
        ended = {outcome.intent.id for outcome in self._outcomes}
        self._pending = [i for i in state.intents.values() if i.id not in ended]
        self._opened: list[Intent] = []
        self._events: list[Event] = []
        self._answered: list[Command] = []

    # What is known.

    def seen(self, host: HostRecovery) -> Host | None:
        """The host in the picture; None if its service was deleted."""
        return self.picture.hosts.get(host.host)

    def looked_at(self, host: HostRecovery) -> bool:
        """Whether the picture shows the servers and records of the host."""
        return host.host in self.picture.scope.hosts

    def outcome(
        self, recovery: str, effect: Effect, server: str | None = None
    ) -> Outcome | None:
        """What was learned in this step about an effect that a recovery wanted."""
        key = recovery, effect, server
        return next((o for o in self._outcomes if _key(o.intent) == key), None)

    def check_of(self, host: str) -> Outcome | None:
        """What a periodic check of a fence device found."""
        checks = (o for o in self._outcomes if not o.intent.recovery)
        found = (o for o in checks if o.intent.host == host and o.detail != RESTARTED)
        return next(found, None)

    def pending(self, recovery: str, effect: Effect, server: str | None = None) -> bool:
        """Whether such an intent is being carried out."""
        key = recovery, effect, server
        return any(_key(intent) == key for intent in self._pending)

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

    # What is decided.

    def put(self, record: HostRecovery | ServerRecovery) -> None:
        if isinstance(record, HostRecovery):
            self.hosts[record.id] = record
        else:
            self.servers[record.recovery, record.server] = record

    def enter(self, host: HostRecovery, state: HostState) -> HostRecovery:
        """The host in a new state, with nothing in its way."""
        return replace(
            host,
            state=state,
            stages={**host.stages, state.value: self.now},
            reason=None,
            detail="",
        )

    def hold(
        self, host: HostRecovery, reason: Reason, detail: str = ""
    ) -> HostRecovery:
        """The host, which does not go on; it is told once for each reason."""
        if (host.reason, host.detail) != (reason, detail):
            self.tell(EventKind.HOST_HELD, host, reason=reason.sentence(detail))
        return replace(host, reason=reason, detail=detail)

    def intend(
        self,
        effect: Effect,
        host: str,
        recovery: str = "",
        server: str | None = None,
        destination: str | None = None,
        text: str = "",
    ) -> None:
        """Want an effect; it is journalled, and then carried out, after the step."""
        id = uuidutils.generate_uuid()
        intent = Intent(id, effect, host, self.now, recovery, server, destination, text)
        self._opened.append(intent)
        self._pending.append(intent)

    def tell(
        self,
        kind: EventKind,
        about: HostRecovery | ServerRecovery | None = None,
        *,
        host: str = "",
        how: str = "",
        reason: str = "",
        servers: tuple[str, ...] = (),
    ) -> None:
        """Add a line to the history."""
        event = Event(
            kind, self.now, host=host, how=how, reason=reason, servers=servers
        )
        if isinstance(about, HostRecovery):
            event = replace(event, host=about.host, recovery=about.id)
        elif about is not None:
            event = replace(
                event,
                host=about.source,
                recovery=about.recovery,
                server=about.server,
                server_name=about.name,
                source=about.source,
                destination=about.destination or "",
                request_id=about.request_id or "",
            )
        self._events.append(event)

    def end(
        self,
        server: ServerRecovery,
        state: ServerState,
        reason: Reason | None = None,
        detail: str = "",
    ) -> ServerRecovery:
        """The server in a final state."""
        server = replace(
            server, state=state, reason=reason, detail=detail, ended_at=self.now
        )
        sentence = reason.sentence(detail) if reason else ""
        self.tell(EventKind(f"server.{state.value}"), server, reason=sentence)
        return server

    def answer(self, command: Command, kind: EventKind, text: str) -> None:
        """Settle a command."""
        del self.commands[command.id]
        self._answered.append(replace(command, answer=text))
        how = f"{command.kind.value} by {command.by}: {command.reason}"
        self.tell(kind, host=command.host, how=how, reason=text)

    def change(self) -> Change:
        """What the step adds to the journal."""
        before = self._before
        return Change(
            hosts=tuple(h for h in self.hosts.values() if before.hosts.get(h.id) != h),
            servers=tuple(
                s for key, s in self.servers.items() if before.servers.get(key) != s
            ),
            opened=tuple(self._opened),
            closed=tuple(self._outcomes),
            events=tuple(self._events),
            commands=tuple(self._answered),
            guard=self.guard if self.guard != before.guard else None,
        )


def _key(intent: Intent) -> tuple[str, Effect, str | None]:
    return intent.recovery, intent.effect, intent.server
