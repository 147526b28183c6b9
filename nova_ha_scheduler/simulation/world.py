# SPDX-License-Identifier: Apache-2.0
"""The simulated world: an implementation of the engine's World.

It behaves as Nova was measured to: services are down by age of the heartbeat or by
force-down; an evacuation without a valid host sets the server to ERROR; for a moment
a server shows its final status while it is still said to be on the dead host; the
migration record is the truth; 'done' records keep a force-down from being lifted.

It also watches what the trigger must never do; see :attr:`SimulatedWorld.breaches`.
"""

from collections.abc import Callable
from dataclasses import replace

from nova_ha_scheduler.cluster.errors import CloudUnreachable, Refused
from nova_ha_scheduler.cluster.picture import (
    UNCONFIRMED,
    Host,
    Migration,
    MoveKind,
    Picture,
    Scope,
    Server,
    Unconfirmed,
)
from nova_ha_scheduler.evacuation.options import Options
from nova_ha_scheduler.planner import ground
from nova_ha_scheduler.records.effects import Effect, Intent
from nova_ha_scheduler.rules.terms import Operation
from nova_ha_scheduler.simulation import owners
from nova_ha_scheduler.simulation.devices import Devices
from nova_ha_scheduler.simulation.evacuations import Evacuations
from nova_ha_scheduler.simulation.guests import Guests
from nova_ha_scheduler.simulation.machines import Machine, Nova
from nova_ha_scheduler.simulation.migrations import Migrations


class SimulatedWorld(Devices):
    def __init__(
        self,
        machines: dict[str, Machine],
        servers: dict[str, Server],
        nova: Nova,
        options: Options,
        log: Callable[[str], None],
        time: float = 0.0,
    ) -> None:
        self.machines, self.servers, self.nova = machines, servers, nova
        self._options, self.log = options, log
        self.time = self._began = time
        self.records: list[Migration] = []
        self.rebuild_times: dict[str, float] = {}
        self.failing: dict[str, int] = {}
        self.lost_answers: dict[str, int] = {}
        self.lost_requests: dict[str, int] = {}
        self.held_up: dict[str, float] = {}
        self.broken_calls: dict[str, int] = {}
        self.refused_calls: dict[str, int] = {}
        self.api_up = self.bus_up = True
        self.breaking: dict[str, str] = {}
        self.giving_up: dict[str, int] = {}
        self.conductor_fails: dict[str, int] = {}
        self.landing_lies: set[str] = set()
        self.landing_untold: set[str] = set()
        self.misread: set[str] = set()
        """Servers that run, of which Nova's record says that they do not."""
        self.evacuations = Evacuations(self)
        self.moves = Migrations(self)
        self.owners, self.guests = owners.Owners(self), Guests(self)
        self.missing: dict[str, str] = {}
        self.unreadable: dict[str, str] = {}
        self.failures: dict[str, str] = {}
        """What Nova says of the newest one, by server."""
        self.orders = {u: owners.ordered(server) for u, server in servers.items()}
        """Whether a server is to run, by what its users have ordered last."""
        self.filtered: set[tuple[str, str]] = set()
        """(host, uuid): what a filter of Nova's refuses that nobody else knows."""
        self.asks: list[tuple[str, str]] = []
        self.observations = self.omissions = 0
        self.ahead = self.nova_ahead = 0.0
        """By how much the clocks of the trigger's host and of Nova's were set."""
        self.breaches: list[str] = []
        """Split brains, lost disks, repeated evacuations, opened locks."""

    # Time.

    def advance(self, now: float) -> None:
        """Let everything happen that is due."""
        self.time = now
        for name, machine in sorted(self.machines.items()):
            if machine.agent_at is not None and now >= machine.agent_at:
                self._agent_starts(name, machine)
            if machine.cleanup_at is not None and now >= machine.cleanup_at:
                self._clean_up(name, machine)
            due = (now - self._began - machine.phase) % self.nova.report_interval == 0
            if machine.beats and self.bus_up and due:
                machine.seen_at = self.nova_time
                machine.host = replace(machine.host, updated_at=self.nova_time)
        self.evacuations.advance()
        self.moves.advance()
        self.guests.advance()

    @property
    def nova_time(self) -> float:
        return self.time + self.nova_ahead

    def _agent_starts(self, name: str, machine: Machine) -> None:
        machine.agent, machine.agent_at = True, None
        self.log(f"nova: nova-compute of {name} starts")
        machine.cleanup_at = self.time + self.nova.cleanup
        self.evacuations.agent_starts(name)
        self.moves.agent_starts(name)
        self.guests.agent_starts(name)

    def _clean_up(self, name: str, machine: Machine) -> None:
        machine.cleanup_at = None
        self.evacuations.clean_up(name)
        self.owners.agent_starts(name)

    def no_valid_host(
        self, server: Server, machine: Machine, operation: Operation
    ) -> bool:
        source, host = self.shown(server.host), self.shown(machine.host.name)
        request = ground.request_for(server, source, self._options, operation)
        return (
            not host.up
            or host.disabled
            or (host.name, server.uuid) in self.filtered
            or ground.refusal(request, host, self._options) is not None
            or machine.has_no_room_for(server)
            or server.availability_zone not in (None, host.availability_zone)
            or self._group_refuses(server, host.name)
        )

    def _group_refuses(self, server: Server, host: str) -> bool:
        if not server.group:
            return False
        others = self._group_hosts(server)
        return host in others if server.group_apart else bool(others - {host})

    def _group_hosts(self, server: Server) -> frozenset[str]:
        alike = (s for s in self.servers.values() if s.group == server.group)
        return frozenset(s.host for s in alike if s.uuid != server.uuid)

    def claim(self, server: Server, host: str, sign: int) -> None:
        """:param sign: -1: it is there from now on; +1: no more."""
        machine = self.machines[host]
        machine.claim(server) if sign < 0 else machine.release(server)

    def delete(self, uuid: str) -> None:
        """Nothing of a server is left anywhere."""
        server = self.servers.pop(uuid)
        left = (r for r in self.records if (r.server, r.status) == (uuid, "done"))
        for host in {server.host, *(r.source for r in left)} & self.machines.keys():
            self.claim(server, host, +1)

    def judge_disk(self, server: Server, source: str, destination: str) -> None:
        """Whether the destination sees its disk."""
        zones = self.machines[source].facts.zones
        if zones and zones != self.machines[destination].facts.zones:
            self.breaches.append(f"{server.name} lost its disk on {destination}")

    def set(self, server: str, **values: object) -> None:
        if values.get("running"):
            self.guests.off.discard(server)
        changed = {"changed_at": self.nova_time, **values}
        self.servers[server] = replace(self.servers[server], **changed)  # type: ignore[arg-type]

    def mark(self, record: int, status: str, destination: str | None = None) -> None:
        old = self.records[record - 1]
        self.records[record - 1] = replace(
            old,
            status=status,
            destination=destination or old.destination,
            changed_at=self.nova_time,
        )

    # Cloud.

    def shown(self, name: str) -> Host:
        machine = self.machines[name]
        age = abs(self.nova_time - machine.seen_at)
        up = age <= self.nova.service_down_time and not machine.host.forced_down
        return replace(
            machine.host,
            up=up,
            facts=machine.facts,
            free=dict(machine.room),
            providers=machine.providers.now,
        )

    def _garbled(self, server: Server) -> Server:
        """A server as far as it can be read."""
        if not (why := self.unreadable.get(server.uuid, "")):
            return server
        return replace(server, unreadable=why, vm_state="", task_state=None)

    def observe(self, scope: Scope) -> Picture:
        if not self.api_up:
            raise CloudUnreachable("the API does not answer")
        self.observations += 1
        servers = {
            s.uuid: replace(
                self._garbled(s),
                group_hosts=self._group_hosts(s) if s.group else frozenset(),
                missing=(
                    tuple(filter(None, [self.missing.get(s.name)]))
                    if s.uuid in scope.landed
                    else None
                ),
            )
            for s in self.servers.values()
            if s.host in scope.listed or s.uuid in scope.landed
        }
        shown = self.machines if scope.overview else ()
        hosts = {name: self.shown(name) for name in shown}
        hosts = {n: replace(h, unfenceable=self.lacks(n)) for n, h in hosts.items()}
        if not scope.destinations:
            hosts = {n: replace(h, free=None) for n, h in hosts.items()}
        sources = scope.hosts | scope.followed
        records = tuple(
            r
            for r in self.records
            if r.source in (sources if r.kind == "evacuation" else scope.leaving)
        )
        unconfirmed = tuple(
            Unconfirmed(r, self.servers[r.server])
            for r in records
            if r.kind != "evacuation" and r.status in UNCONFIRMED
        )
        if self.omissions and scope.listed:
            self.omissions -= 1
            servers, records, unconfirmed = {}, (), ()
        now = self.time + self.ahead
        seen = now, scope, hosts, servers, records
        servers_only = self.guests.shown_on(scope.servers_only)
        return Picture(*seen, unconfirmed=unconfirmed, servers_only=servers_only)

    def call(self, name: str, effect: Callable[[], None]) -> None:
        """Carry out an API call, unless it is to break, or its answer to be lost."""
        if not self.api_up:
            raise ConnectionError("connection refused")
        if self.broken_calls.get(name, 0) > 0:
            self.broken_calls[name] -= 1
            raise ConnectionError("500 Internal Server Error")
        if self.refused_calls.get(name, 0) > 0:
            self.refused_calls[name] -= 1
            raise Refused(f"403 policy does not allow {name} to be performed")
        effect()
        if self.lost_answers.get(name, 0) > 0:
            self.lost_answers[name] -= 1
            raise ConnectionError("the connection was lost before the answer")

    def _write(self, host: str, **values: object) -> None:
        machine = self.machines[host]
        machine.host = replace(machine.host, updated_at=self.nova_time, **values)  # type: ignore[arg-type]
        words = ", ".join(f"{k}={v}" for k, v in values.items())
        self.log(f"nova: service {host}: {words}")

    def carry_out(self, intent: Intent) -> str | None:
        host, server = intent.host, intent.server or ""
        calls: dict[Effect, Callable[[], str | None]] = {
            Effect.FORCE_DOWN: lambda: self.force_down(host),
            Effect.LIFT_FORCE_DOWN: lambda: self.lift_force_down(host),
            Effect.DISABLE: lambda: self.disable(host, intent.text),
            Effect.ENABLE: lambda: self.enable(host),
            Effect.EVACUATE: lambda: self.evacuate(server, intent.destination),
            Effect.RESET_STATE: lambda: self.reset_state(server, True),
            Effect.SET_ACTIVE: lambda: self.set_active(server),
            Effect.START: lambda: self.start(server),
            Effect.STOP: lambda: self.stop(server),
            Effect.STOP_TO_MOVE: lambda: self.stop(server),
            Effect.REBOOT: lambda: self.reboot(server),
            Effect.FLAG: lambda: self.flag(host, True),
            Effect.UNFLAG: lambda: self.flag(host, False),
            Effect.LIVE_MIGRATE: lambda: self._move(MoveKind.LIVE, intent),
            Effect.COLD_MIGRATE: lambda: self._move(MoveKind.COLD, intent),
            Effect.CONFIRM: lambda: self._confirm(server),
            Effect.FORCE_COMPLETE: lambda: self._force(server, int(intent.text)),
        }
        return calls[intent.effect]()

    def runs(self, server: str) -> bool:
        self.call("look", lambda: None)
        return self.guests.runs(server)

    def ordered(self, server: str) -> str:
        self.call("orders", lambda: None)
        return self.guests.ordered(server)

    def explain(self, server: str, request_id: str) -> str:
        words = ""

        def effect() -> None:
            nonlocal words
            words = self.evacuations.explain(server)

        self.call("explain", effect)
        return words

    def force_down(self, host: str) -> None:
        self.call("force_down", lambda: self._write(host, forced_down=True))

    def lift_force_down(self, host: str) -> None:
        if any(r.source == host and r.status == "done" for r in self.records):
            raise Refused("`done` evacuation records remain")
        self.call("lift", lambda: self._write(host, forced_down=False))

    def disable(self, host: str, reason: str) -> None:
        self.call(
            "disable",
            lambda: self._write(host, disabled=True, disabled_reason=reason),
        )

    def enable(self, host: str) -> None:
        if self.machines[host].flagged:
            self.breaches.append(f"{host} was enabled under maintenance")
        if self.machines[host].beats and not self.shown(host).up:
            self.breaches.append(f"Placement is not told that {host} is enabled")
        self.call(
            "enable", lambda: self._write(host, disabled=False, disabled_reason="")
        )

    def flag(self, host: str, flagged: bool) -> None:
        """Put it into the aggregate that the trigger has made, or take it out."""

        def effect() -> None:
            self.machines[host].flagged = flagged
            self.log(f"nova: {host} {'flagged' if flagged else 'unflagged'}")

        self.call("flag" if flagged else "unflag", effect)

    def _move(self, kind: MoveKind, intent: Intent) -> str:
        server, destination = intent.server or "", intent.destination or ""
        self.call(kind.value, lambda: self.moves.ask(kind, server, destination, True))
        return f"req-{len(self.records)}"

    def _force(self, server: str, record: int) -> str:
        self.call("force", lambda: self.moves.force(server, record))
        return f"req-force-{self.servers[server].name}"

    def _confirm(self, server: str) -> str:
        self.call("confirm", lambda: self.moves.confirm(server))
        return f"req-confirm-{self.servers[server].name}"

    def evacuate(self, server: str, destination: str | None) -> str:
        self.call("evacuate", lambda: self.evacuations.ask(server, destination, True))
        return f"req-{len(self.records)}"

    def reset_state(self, uuid: str, by_trigger: bool) -> str:
        """As an administrator does; who works on the server does not hear of it."""
        server = self.servers[uuid]
        if by_trigger and self.evacuations.works_on(uuid):
            self.breaches.append(f"{server.name} was reset while Nova worked on it")

        def effect() -> None:
            self.set(uuid, vm_state="error", task_state=None)
            self.evacuations.was_reset(uuid)
            self.log(f"nova: reset {server.name}")

        self.call("reset", effect)
        return f"req-reset-{server.name}"

    def set_active(self, uuid: str) -> str:
        """As an administrator does; Nova then looks at its power, in minutes."""
        server = self.servers[uuid]
        if self.evacuations.works_on(uuid):
            self.breaches.append(f"{server.name} was reset while Nova worked on it")

        def effect() -> None:
            self.set(uuid, vm_state="active", task_state=None, running=True)
            self.misread.discard(uuid)
            self.log(f"nova: set {server.name} active")

        self.call("reset", effect)
        return f"req-reset-{server.name}"

    def start(self, server: str) -> str:
        return self.guests.switch(server, "start", "active", running=True)

    def stop(self, server: str) -> str:
        return self.guests.switch(server, "stop", "stopped", running=False)

    def reboot(self, server: str) -> str:
        """A hard one, which Nova allows in any state."""
        return self.guests.switch(server, "reboot", "active", running=True)
