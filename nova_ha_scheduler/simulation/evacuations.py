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
from nova_ha_scheduler.cluster.picture import Migration, Server
from nova_ha_scheduler.rules import vocabulary
from nova_ha_scheduler.rules.terms import Operation
from nova_ha_scheduler.simulation.machines import NO_VALID_HOST

if TYPE_CHECKING:
    from nova_ha_scheduler.simulation.world import SimulatedWorld


_ITS_OWN = "libvirtError"
"""Of a guest that could not be started."""


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
    queued: bool = False
    """Whether its request lies in the queue of a destination that is off."""
    held_up: bool = False
    """Whether its request waits for a destination that is busy."""
    torn: bool = False
    """Whether the server was changed under its hands."""

    @property
    def at_work(self) -> bool:
        """Whether it is on its way; else it was lost before it got to its host."""
        return self.schedule_at < float("inf")


class Evacuations:
    def __init__(self, world: "SimulatedWorld") -> None:
        self._world = world
        self._under_way: list[Evacuation] = []
        self._torn: dict[str, str] = {}
        """Where servers run, whatever Nova says."""
        self.leftovers: set[tuple[str, str]] = set()
        """(uuid, host): guests that are off, of evacuations that died with it."""

    def advance(self) -> None:
        for evacuation in list(self._under_way):
            self._work_on(evacuation)

    def agent_starts(self, name: str) -> None:
        for evacuation in [e for e in self._under_way if e.destination == name]:
            if evacuation.queued:
                self._take_up(evacuation)
            elif evacuation.ends_at is not None:
                self._under_way.remove(evacuation)  # its record says so to nobody

    def _take_up(self, evacuation: Evacuation) -> None:
        """nova-compute finds a request in its queue; the record is its own from then
        on, whoever has got it meanwhile."""
        server = self._world.servers.get(evacuation.server)
        name = evacuation.destination or ""
        others = [e for e in self._under_way if e.server == evacuation.server]
        others.remove(evacuation)
        if server and server.task_state == "rebuilding" and not others:
            evacuation.queued = False
            self._begin(evacuation, server, name)
            return
        self._under_way.remove(evacuation)
        self._world.mark(evacuation.record, "failed", name)
        if server is None:
            return
        self._world.claim(server, name, +1)
        self._world.log(f"nova: {name} takes up the old request for {server.name}")
        self._world.set(
            server.uuid, vm_state="error", task_state="rebuilding", running=False
        )
        for other in others:
            other.torn = True

    def _is_begun(self, evacuation: Evacuation) -> bool:
        """Whether its destination works on an earlier request for the server."""
        others = (e for e in self._under_way if e is not evacuation)
        whose = evacuation.server, evacuation.destination
        return any((e.server, e.destination) == whose and e.ends_at for e in others)

    def works_on(self, uuid: str) -> bool:
        mine = (e for e in self._under_way if e.server == uuid)
        return any(e.at_work and not (e.queued or e.held_up) for e in mine)

    def was_reset(self, uuid: str) -> None:
        """Who has its request takes it up all the same."""
        for evacuation in self._under_way:
            if evacuation.server == uuid and evacuation.at_work:
                evacuation.torn = True

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
        delay = self._world.held_up.pop(server.name, 0.0)
        evacuation = Evacuation(number, uuid, destination, server.vm_state, at + delay)
        if delay > 0:
            evacuation.held_up, evacuation.record = True, self._first_accepted(uuid)
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
        if evacuation.queued:
            return
        if not destination.powered:
            self._under_way.remove(evacuation)
        elif not destination.beats:
            evacuation.ends_at += 1
        elif self._world.time >= evacuation.ends_at:
            if evacuation.torn:
                self._tear(evacuation)
            elif evacuation.failing:
                self._fail(evacuation, "failed")
            else:
                self._land(evacuation)
        elif self._world.time >= evacuation.ends_at - 1 and not evacuation.torn:
            # Final status, no task state, and still on the dead host.
            self._world.set(evacuation.server, vm_state="active", task_state=None)

    def _schedule(self, evacuation: Evacuation) -> None:
        server = self._world.servers[evacuation.server]
        if not evacuation.held_up:
            evacuation.record = self._first_accepted(server.uuid)
        wanted = evacuation.destination
        fitting = [
            name
            for name, machine in sorted(self._world.machines.items())
            if wanted in (None, name)
            and not self._world.no_valid_host(server, machine, Operation.EVACUATE)
        ]
        if not fitting:
            self._world.log(f"nova: no valid host for {server.name}")
            self._world.failures[evacuation.server] = NO_VALID_HOST
            self._fail(evacuation, "error")
            return
        if self._world.giving_up.get(server.name, 0) > 0:
            self._world.giving_up[server.name] -= 1
            self._world.set(server.uuid, task_state=None)
            self._under_way.remove(evacuation)
            return
        evacuation.destination = chosen = fitting[0]
        self._world.claim(server, chosen, -1)
        if self._world.machines[chosen].powered:
            self._begin(evacuation, server, chosen)
        else:
            evacuation.queued, evacuation.ends_at = True, float("inf")

    def _first_accepted(self, uuid: str) -> int:
        """Which record Nova's conductor takes up for a request, whichever its is."""
        return next(
            record.id
            for record in self._world.records
            if (record.server, record.status) == (uuid, "accepted")
        )

    def _begin(self, evacuation: Evacuation, server: Server, chosen: str) -> None:
        time = self._world.rebuild_times.get(server.name, self._world.nova.rebuild)
        evacuation.ends_at = self._world.time + time
        if evacuation.held_up:
            # It expects this state, whoever's request has set it.
            evacuation.torn = server.task_state != "rebuilding"
            evacuation.held_up = False
        has_it = self._torn.get(server.uuid) == chosen
        has_it = has_it or (server.uuid, chosen) in self.leftovers
        if has_it or self._is_begun(evacuation):
            evacuation.failing, evacuation.ends_at = True, self._world.time + 2
            self._world.failures[server.uuid] = f"{server.name} already exists"
        elif self._world.failing.get(server.name, 0) > 0:
            self._world.failing[server.name] -= 1
            why = self._world.breaking.pop(server.name, None)
            evacuation.failing = True
            self._world.failures[server.uuid] = _ITS_OWN if why is None else why
            if why is not None:
                self._torn[server.uuid] = chosen
        self._world.mark(evacuation.record, "pre-migrating", chosen)

    def _fail(self, evacuation: Evacuation, status: str) -> None:
        server = self._world.servers[evacuation.server]
        if evacuation.ends_at is not None and evacuation.destination:
            self._world.claim(server, evacuation.destination, +1)
        self._world.set(server.uuid, vm_state="error", task_state=None, running=False)
        self._world.mark(evacuation.record, status)
        self._under_way.remove(evacuation)

    def _tear(self, evacuation: Evacuation) -> None:
        """It has started the server, but Nova does not take its word for it."""
        server, host = evacuation.server, evacuation.destination or ""
        self._torn[server] = host
        self._world.failures[server] = "Conflict updating instance"
        self._world.claim(self._world.servers[server], host, +1)
        self._world.mark(evacuation.record, "failed", host)
        self._under_way.remove(evacuation)

    def _land(self, evacuation: Evacuation) -> None:
        server = self._world.servers[evacuation.server]
        destination = evacuation.destination or ""
        source = server.host
        if not vocabulary.disposable(server.extra_specs):
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
        if server.name not in self._world.landing_untold:
            self._world.mark(evacuation.record, "done")
        self._under_way.remove(evacuation)

    def _judge(self, server: Server, destination: str | None) -> None:
        world = self._world
        world.asks.append((server.uuid, server.host))
        if world.machines[server.host].powered:
            world.breaches.append(f"{server.name} evacuated while {server.host} was on")
        if any(
            r.server == server.uuid and r.source == server.host and r.status == "done"
            for r in world.records
        ):
            world.breaches.append(f"{server.name} evacuated twice")
        if self._torn.get(server.uuid, destination) != destination:
            words = f"{server.name} runs on {self._torn[server.uuid]}, too"
            world.breaches.append(words)
        for earlier in [e for e in self._under_way if e.server == server.uuid]:
            place = earlier.destination
            if place != destination and (not place or world.machines[place].powered):
                world.breaches.append(f"{server.name} may land on {place}, too")
