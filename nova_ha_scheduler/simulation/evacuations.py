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
from nova_ha_scheduler.planner import triage
from nova_ha_scheduler.rules import vocabulary
from nova_ha_scheduler.rules.terms import Operation
from nova_ha_scheduler.simulation.machines import NO_VALID_HOST

if TYPE_CHECKING:
    from nova_ha_scheduler.simulation.world import SimulatedWorld


_CLEANED = ("accepted", "pre-migrating", "done")

_ITS_OWN = "libvirtError"
"""Of a guest that could not be started."""

_NO_NEUTRON = "ConnectFailure"
"""Of a conductor that neutron does not answer."""


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
        self.lags: dict[str, float] = {}
        """How long the state of a server stays behind the record of a failure."""
        self.unsupported: set[str] = set()
        """Servers that Nova does not evacuate, for what no list of its shows."""
        self._unsaid: list[tuple[float, str, str]] = []
        self._mute: set[str] = set()
        """Those of whose failure nova-compute has said nothing yet."""
        self.leftovers: set[tuple[str, str]] = set()
        """(uuid, host): guests that are off, of evacuations that died with it."""

    def advance(self) -> None:
        self._say()
        for evacuation in list(self._under_way):
            self._work_on(evacuation)

    def explain(self, uuid: str) -> str:
        """Why its newest request has failed, as far as Nova has written that down."""
        return "" if uuid in self._mute else self._world.failures.get(uuid, "")

    def _say(self) -> None:
        """Nova ends a record before it writes the server's state."""
        for one in [one for one in self._unsaid if one[0] <= self._world.time]:
            self._unsaid.remove(one)
            _, uuid, source = one
            self._mute.discard(uuid)
            if server := self._world.servers.get(uuid):
                running = server.running and server.host != source
                state = {"vm_state": "error", "task_state": None, "running": running}
                self._world.set(uuid, **state)

    def agent_starts(self, name: str) -> None:
        for evacuation in [e for e in self._under_way if e.destination == name]:
            if evacuation.queued:
                self._take_up(evacuation)
            elif evacuation.ends_at is not None:
                self._under_way.remove(evacuation)  # its record says so to nobody

    def clean_up(self, name: str) -> None:
        """nova-compute removes what was evacuated from its host, which has its room
        back then, and not before."""
        world = self._world
        for record in [r for r in world.records if r.source == name]:
            if record.status in _CLEANED:
                world.mark(record.id, "completed")
                server = world.servers.get(record.server)
                if server and server.host != name and record.status == "done":
                    world.claim(server, name, +1)

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
        self._refuse(evacuation, server, name)
        for other in others:
            other.torn = True

    def _refuse(self, evacuation: Evacuation, server: Server | None, name: str) -> None:
        """nova-compute does not find the task state that it expects, and starts
        nothing."""
        self._under_way.remove(evacuation)
        self._world.mark(evacuation.record, "failed", name)
        if server is None:
            return
        self._world.claim(server, name, +1)
        self._world.log(f"nova: {name} takes up the old request for {server.name}")
        self._world.set(
            server.uuid, vm_state="error", task_state="rebuilding", running=False
        )

    def _is_begun(self, evacuation: Evacuation) -> bool:
        """Whether its destination works on an earlier request for the server."""
        others = (e for e in self._under_way if e is not evacuation)
        whose = evacuation.server, evacuation.destination
        return any((e.server, e.destination) == whose and e.ends_at for e in others)

    def purge(self, name: str) -> None:
        """Somebody empties the queue of a host."""
        here = [e for e in self._under_way if e.queued and e.destination == name]
        self._under_way = [e for e in self._under_way if e not in here]

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
        if uuid in self.unsupported:
            raise Refused("409 Feature not supported with instances that have shares.")
        if server.vm_state not in triage.EVACUABLE:
            raise Refused(f"409 it is in {server.vm_state}")
        number = len(self._world.records) + 1
        self._world.records.append(
            Migration(
                number,
                uuid,
                server.host,
                destination,
                "accepted",
                changed_at=self._world.nova_time,
            )
        )
        at = self._world.time + self._world.nova.schedule
        if self._world.lost_requests.get(server.name, 0) > 0:
            self._world.lost_requests[server.name] -= 1
            at = float("inf")
        delay = self._world.held_up.pop(server.name, 0.0)
        evacuation = Evacuation(number, uuid, destination, server.vm_state, at + delay)
        if delay > 0:
            evacuation.held_up = True
            evacuation.record = self._first_accepted(uuid, number)
        self._under_way.append(evacuation)
        self._world.failures.pop(uuid, None)
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
        elif self._world.time >= evacuation.ends_at - 1 and not (
            evacuation.torn or evacuation.failing
        ):
            # Final status, no task state, and still on the dead host.
            self._world.set(evacuation.server, vm_state="active", task_state=None)

    def _schedule(self, evacuation: Evacuation) -> None:
        server = self._world.servers[evacuation.server]
        if self._world.conductor_fails.get(server.name, 0) > 0:
            self._world.conductor_fails[server.name] -= 1
            self._world.failures[server.uuid] = _NO_NEUTRON
            self._under_way.remove(evacuation)
            return
        if not evacuation.held_up:
            first = self._first_accepted(server.uuid, evacuation.record)
            evacuation.record = first
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

    def _first_accepted(self, uuid: str, own: int) -> int:
        """Which record Nova's conductor takes up for a request, whichever its is.

        :param own: what it has if there is none, as its record was given up meanwhile.
        """
        accepted = (
            record.id
            for record in self._world.records
            if (record.server, record.status) == (uuid, "accepted")
        )
        return next(accepted, own)

    def _begin(self, evacuation: Evacuation, server: Server, chosen: str) -> None:
        gone = server.host not in (chosen, self._source(evacuation))
        if evacuation.held_up and gone and server.task_state != "rebuilding":
            self._refuse(evacuation, server, chosen)
            return
        time = self._world.rebuild_times.get(server.name, self._world.nova.rebuild)
        evacuation.ends_at = self._world.time + time
        if evacuation.held_up:
            # It expects this state, whoever's request has set it.
            evacuation.torn = server.task_state != "rebuilding"
            evacuation.held_up = False
        has_it = chosen in (self._torn.get(server.uuid), server.host)
        has_it = has_it or (server.uuid, chosen) in self.leftovers
        if has_it or self._is_begun(evacuation):
            evacuation.failing, evacuation.ends_at = True, self._world.time + 2
            evacuation.torn = False
            self._world.failures[server.uuid] = f"{server.name} already exists"
        elif self._world.failing.get(server.name, 0) > 0:
            self._world.failing[server.name] -= 1
            why = self._world.breaking.pop(server.name, None)
            evacuation.failing = True
            self._world.failures[server.uuid] = _ITS_OWN if why is None else why
            if why is not None:
                self._torn[server.uuid] = chosen
        self._world.mark(evacuation.record, "pre-migrating", chosen)

    def _source(self, evacuation: Evacuation) -> str:
        return self._world.records[evacuation.record - 1].source

    def _fail(self, evacuation: Evacuation, status: str) -> None:
        server = self._world.servers[evacuation.server]
        if evacuation.ends_at is not None and evacuation.destination:
            self._world.claim(server, evacuation.destination, +1)
        source = self._source(evacuation)
        self._world.mark(evacuation.record, status)
        self._under_way.remove(evacuation)
        due = self._world.time + self.lags.pop(server.name, 0.0)
        self._unsaid.append((due, server.uuid, source))
        if status == "failed":
            self._mute.add(server.uuid)
        self._say()

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
        if self._world.records[evacuation.record - 1].status == "completed":
            self._world.claim(server, source, +1)  # its host has cleaned up before
        if server.name not in self._world.landing_untold:
            self._world.mark(evacuation.record, "done")
        self._under_way.remove(evacuation)

    def _judge(self, server: Server, destination: str | None) -> None:
        world = self._world
        world.asks.append((server.uuid, server.host))
        if world.machines[server.host].powered:
            world.breaches.append(f"{server.name} evacuated while {server.host} was on")
        if (server.task_state or "").startswith("rebuild"):
            world.breaches.append(f"{server.name} asked for while Nova works on it")
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
