# SPDX-License-Identifier: Apache-2.0
"""How the simulated Nova moves servers that are well.

A live migration leaves the server where it was until it is completed. A cold one is
finished when the server is on its destination; its room on the source is taken until
it is confirmed. When the source's nova-compute starts again, what was half-way live
is an error, and the server is where it was.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nova_ha_scheduler.cluster.errors import Refused
from nova_ha_scheduler.cluster.picture import Migration, MoveKind, Server
from nova_ha_scheduler.rules import vocabulary
from nova_ha_scheduler.rules.terms import Operation
from nova_ha_scheduler.simulation.machines import NO_VALID_HOST

if TYPE_CHECKING:
    from nova_ha_scheduler.simulation.world import SimulatedWorld

_STATES = {MoveKind.LIVE: ("active", "paused"), MoveKind.COLD: ("active", "stopped")}
_OPERATIONS = {
    MoveKind.LIVE: Operation.LIVE_MIGRATE,
    MoveKind.COLD: Operation.COLD_MIGRATE,
}


@dataclass
class Moving:
    """One that Nova works on."""

    record: int
    server: str
    kind: MoveKind
    source: str
    destination: str
    vm_state: str
    next_at: float
    step: Callable[["Moving"], None]
    claimed: bool = False
    failing: bool = False


class Migrations:
    def __init__(self, world: "SimulatedWorld") -> None:
        self._world = world
        self._under_way: list[Moving] = []
        self.times: dict[str, float] = {}
        self.gives_up: dict[str, float] = {}
        """After how long Nova gives the live migration of a server up, by name."""

    def ask(self, kind: MoveKind, uuid: str, destination: str, ours: bool) -> None:
        world = self._world
        server = world.servers.get(uuid)
        if server is None:
            raise Refused("404 the server could not be found")
        if server.vm_state not in _STATES[kind] or server.task_state is not None:
            raise Refused(f"409 it is in {server.vm_state}, {server.task_state}")
        refused = server.refused_live if kind is MoveKind.LIVE else server.refused_cold
        if refused:
            raise Refused(f"409 {refused}")
        if kind is MoveKind.COLD and not world.shown(server.host).up:
            raise Refused(f"400 the compute service of {server.host} is down")
        if ours:
            self._judge(server.name, destination)
        number = len(world.records) + 1
        status = "accepted" if kind is MoveKind.LIVE else "pre-migrating"
        source = server.host
        world.records.append(
            Migration(
                number, uuid, source, destination, status, kind.value, world.nova_time
            )
        )
        at = world.time + world.nova.schedule
        state = server.vm_state
        self._under_way.append(
            Moving(number, uuid, kind, source, destination, state, at, self._schedule)
        )
        task = "migrating" if kind is MoveKind.LIVE else "resize_prep"
        world.set(uuid, task_state=task)
        world.log(f"nova: {kind.value} of {server.name} to {destination} accepted")

    def _judge(self, name: str, destination: str) -> None:
        machine = self._world.machines[destination]
        if vocabulary.MAINTENANCE in machine.facts.flags:
            self._world.breaches.append(
                f"{name} moves to {destination}, under maintenance"
            )

    def force(self, uuid: str, record: int) -> None:
        """A live one that copies memory arrives soon; its guest pauses for that."""
        found = [m for m in self._under_way if (m.server, m.record) == (uuid, record)]
        if not found:
            raise Refused("404 there is no such migration under way")
        (moving,) = found
        if moving.kind is not MoveKind.LIVE or not moving.claimed:
            raise Refused("400 it is not running")
        moving.next_at = min(moving.next_at, self._world.time + 1)
        self._world.log(f"nova: force {self._world.servers[uuid].name} to complete")

    def confirm(self, uuid: str) -> None:
        server, moving = self._resized(uuid)
        moving.step, moving.next_at = self._confirmed, self._world.time + 1
        self._world.mark(moving.record, "confirming")
        self._world.log(f"nova: confirm {server.name}")

    def revert(self, uuid: str) -> None:
        """Somebody sends it back; nobody asks the scheduler."""
        server, moving = self._resized(uuid)
        moving.step, moving.next_at = self._reverted, self._world.time + 5
        self._world.set(uuid, task_state="resize_reverting")
        self._world.mark(moving.record, "reverting")
        self._world.log(f"nova: revert {server.name}")

    def _resized(self, uuid: str) -> tuple[Server, Moving]:
        """A server that waits for a confirmation or a revert, and its move.

        :raises Refused: it does not.
        """
        server = self._world.servers[uuid]
        found = [m for m in self._under_way if m.server == uuid]
        if server.vm_state != "resized" or not found:
            raise Refused(f"409 it is in {server.vm_state}")
        (moving,) = found
        return server, moving

    def advance(self) -> None:
        for moving in list(self._under_way):
            if not self._alive(moving):
                continue
            if moving.claimed and moving.kind is MoveKind.LIVE:
                # nova-compute writes into the record how much memory is copied.
                self._world.mark(moving.record, "running")
            if self._world.time >= moving.next_at:
                moving.step(moving)

    def _alive(self, moving: Moving) -> bool:
        hosts = (moving.source, moving.destination)
        scheduling = not moving.claimed
        return scheduling or all(self._world.machines[h].beats for h in hosts)

    def agent_starts(self, name: str) -> None:
        for moving in list(self._under_way):
            half_way = moving.claimed and moving.kind is MoveKind.LIVE
            if moving.source == name and half_way:
                self._fail(moving, "error")

    def _schedule(self, moving: Moving) -> None:
        world, name = self._world, moving.destination
        server = world.servers[moving.server]
        operation = _OPERATIONS[moving.kind]
        if world.no_valid_host(server, world.machines[name], operation):
            world.log(f"nova: no valid host for {server.name}")
            world.failures[moving.server] = NO_VALID_HOST
            self._fail(moving, "error")
            return
        world.claim(server, name, -1)
        moving.claimed = True
        if world.failing.get(server.name, 0) > 0:
            world.failing[server.name] -= 1
            world.failures.pop(server.uuid, None)
            moving.failing = True
        world.mark(
            moving.record, "running" if moving.kind is MoveKind.LIVE else "migrating"
        )
        moving.step = self._arrive
        moving.next_at = world.time + self.times.get(server.name, world.nova.rebuild)
        after = self.gives_up.get(server.name)
        if moving.kind is MoveKind.LIVE and after is not None:
            moving.step, moving.next_at = self._give_up, world.time + after

    def _arrive(self, moving: Moving) -> None:
        world = self._world
        if moving.failing:
            self._fail(moving, "failed")
            return
        server = world.servers[moving.server]
        world.judge_disk(server, moving.source, moving.destination)
        live = moving.kind is MoveKind.LIVE
        state = server.vm_state if live else "resized"
        world.set(server.uuid, host=moving.destination, vm_state=state, task_state=None)
        if live:
            world.claim(server, moving.source, +1)
            self._under_way.remove(moving)
        moving.step = lambda moving: None
        world.mark(moving.record, "completed" if live else "finished")

    def _give_up(self, moving: Moving) -> None:
        """It has taken too long: libvirt aborts it, which Nova takes for an error of
        the server, though it runs on (Nova 34)."""
        self._fail(moving, "error")
        self._world.set(moving.server, vm_state="error")

    def _confirmed(self, moving: Moving) -> None:
        world = self._world
        world.claim(world.servers[moving.server], moving.source, +1)
        world.set(moving.server, vm_state=moving.vm_state)
        world.mark(moving.record, "confirmed")
        self._under_way.remove(moving)

    def _reverted(self, moving: Moving) -> None:
        world, was = self._world, moving.vm_state
        world.claim(world.servers[moving.server], moving.destination, +1)
        world.set(moving.server, host=moving.source, vm_state=was, task_state=None)
        world.mark(moving.record, "reverted")
        self._under_way.remove(moving)

    def _fail(self, moving: Moving, status: str) -> None:
        world = self._world
        if moving.claimed:
            world.claim(world.servers[moving.server], moving.destination, +1)
        if moving.server in world.servers:
            world.set(moving.server, task_state=None)
        world.mark(moving.record, status)
        self._under_way.remove(moving)
