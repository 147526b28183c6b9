# SPDX-License-Identifier: Apache-2.0
"""How the simulated Nova evacuates.

The conductor chooses a host, or the one that was named, and claims it; without one,
the server is set to ERROR. For a moment it shows its final status while it is still
said to be on the dead host. The record is the truth, but one whose destination dies
stays as it is.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nova_ha_scheduler.cluster.errors import Refused
from nova_ha_scheduler.cluster.model import Migration, Server
from nova_ha_scheduler.rules.model import Operation

if TYPE_CHECKING:
    from nova_ha_scheduler.simulation.world import SimulatedWorld


@dataclass
class Evacuation:
    """One that Nova works on."""

    record: int
    server: str
    destination: str | None
    orig_state: str
    schedule_at: float
    ends_at: float | None = None
    failing: bool = False

    @property
    def at_work(self) -> bool:
        """Whether it is on its way; else it was lost before it got to its host."""
        return self.schedule_at < float("inf")


class Evacuations:
    def __init__(self, world: "SimulatedWorld") -> None:
        self._world = world
        self._under_way: list[Evacuation] = []

    def advance(self) -> None:
        for evacuation in list(self._under_way):
            self._work_on(evacuation)

    def agent_starts(self, name: str) -> None:
        for evacuation in [e for e in self._under_way if e.destination == name]:
            if evacuation.ends_at is not None:
                self._under_way.remove(evacuation)  # its record says so to nobody

    def works_on(self, uuid: str) -> bool:
        return any(e.server == uuid and e.at_work for e in self._under_way)

    def ask(self, uuid: str, destination: str | None, ours: bool) -> None:
        server = self._world.servers.get(uuid)
        if server is None:
            raise Refused("404 the server could not be found")
        if ours:
            self._judge(server, destination)
        source = self._world.shown(server.host)
        if source.up:
            raise Refused(f"400 the compute service of {source.name} is still in use")
        if server.task_state is not None or server.vm_state not in (
            "active",
            "stopped",
            "error",
        ):
            raise Refused(f"409 it is in {server.vm_state}, {server.task_state}")
        number = len(self._world.records) + 1
        self._world.records.append(
            Migration(number, uuid, server.host, destination, "accepted")
        )
        at = self._world.time + self._world.nova.schedule
        if self._world.lost_requests.get(server.name, 0) > 0:
            self._world.lost_requests[server.name] -= 1
            at = float("inf")
        evacuation = Evacuation(number, uuid, destination, server.vm_state, at)
        self._under_way.append(evacuation)
        self._world.set(uuid, task_state="rebuilding")
        self._world.log(f"nova: evacuate {server.name} to {destination} accepted")

    def _work_on(self, evacuation: Evacuation) -> None:
        if evacuation.ends_at is None:
            if self._world.time >= evacuation.schedule_at:
                self._schedule(evacuation)
            return
        assert evacuation.destination is not None
        destination = self._world.machines[evacuation.destination]
        if not destination.powered:
            self._under_way.remove(evacuation)
        elif not destination.beats:
            evacuation.ends_at += 1
        elif self._world.time >= evacuation.ends_at:
            if evacuation.failing:
                self._fail(evacuation, "failed")
            else:
                self._land(evacuation)
        elif self._world.time >= evacuation.ends_at - 1:
            # Final status, no task state, and still on the dead host.
            self._world.set(evacuation.server, vm_state="active", task_state=None)

    def _schedule(self, evacuation: Evacuation) -> None:
        server = self._world.servers[evacuation.server]
        # Nova's conductor takes up the first that it finds, not that of the request.
        evacuation.record = next(
            record.id
            for record in self._world.records
            if (record.server, record.status) == (server.uuid, "accepted")
        )
        wanted = evacuation.destination
        fitting = [
            name
            for name, machine in sorted(self._world.machines.items())
            if wanted in (None, name)
            and not self._world.no_valid_host(server, machine, Operation.EVACUATE)
        ]
        if not fitting:
            self._world.log(f"nova: no valid host for {server.name}")
            self._fail(evacuation, "error")
            return
        chosen = fitting[0]
        self._world.claim(server, chosen, -1)
        evacuation.destination = chosen
        time = self._world.rebuild_times.get(server.name, self._world.nova.rebuild)
        evacuation.ends_at = self._world.time + time
        if self._world.failing.get(server.name, 0) > 0:
            self._world.failing[server.name] -= 1
            evacuation.failing = True
        self._world.mark(evacuation.record, "pre-migrating", chosen)

    def _fail(self, evacuation: Evacuation, status: str) -> None:
        server = self._world.servers[evacuation.server]
        if evacuation.ends_at is not None and evacuation.destination:
            self._world.claim(server, evacuation.destination, +1)
        self._world.set(server.uuid, vm_state="error", task_state=None, running=False)
        self._world.mark(evacuation.record, status)
        self._under_way.remove(evacuation)

    def _land(self, evacuation: Evacuation) -> None:
        server = self._world.servers[evacuation.server]
        destination = evacuation.destination or ""
        source = server.host
        if server.extra_specs.get("ha:recovery") != "recreate":
            self._world.judge_disk(server, source, destination)
        stopped = evacuation.orig_state == "stopped" or (
            self._world.nova.leaves_stopped and evacuation.orig_state != "error"
        )
        self._world.set(
            server.uuid,
            host=server.host
            if server.name in self._world.landing_lies
            else destination,
            vm_state="stopped" if stopped else "active",
            task_state=None,
            running=not stopped,
        )
        self._world.mark(evacuation.record, "done")
        self._under_way.remove(evacuation)

    def _judge(self, server: Server, destination: str | None) -> None:
        world = self._world
        world.asks.append((server.uuid, server.host))
        if world.machines[server.host].powered:
            world.crimes.append(f"{server.name} evacuated while {server.host} was on")
        if any(
            r.server == server.uuid and r.source == server.host and r.status == "done"
            for r in world.records
        ):
            world.crimes.append(f"{server.name} evacuated twice")
        for earlier in [e for e in self._under_way if e.server == server.uuid]:
            place = earlier.destination
            if place != destination and (not place or world.machines[place].powered):
                world.crimes.append(f"{server.name} may land on {place}, too")
