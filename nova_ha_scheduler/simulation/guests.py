# SPDX-License-Identifier: Apache-2.0
"""What really runs, whatever Nova's record says.

A host that was without power comes back without its guests, which Nova still shows as
running. Its nova-compute looks at them in a while (sync_power_states), and stops by
itself what does not run.
"""

from typing import TYPE_CHECKING

from nova_ha_scheduler.cluster.errors import Refused
from nova_ha_scheduler.cluster.picture import Server
from nova_ha_scheduler.records.effects import OFF_BY_ITSELF, RUN, STOP

if TYPE_CHECKING:
    from nova_ha_scheduler.simulation.world import SimulatedWorld


_STATES = {"start": ("stopped",), "stop": ("active", "error")}
"""The vm_states from which Nova does it; a reboot, from any."""


class Guests:
    """
    :ivar off: those that went off with their host, and were not started since.
    :ivar stop_times: how long it takes to stop one, by name.
    """

    def __init__(self, world: "SimulatedWorld") -> None:
        self._world = world
        self.off: set[str] = set()
        self.stop_times: dict[str, float] = {}
        self._stop_at: dict[str, float] = {}
        self._cold: set[str] = set()
        self._sync_at: dict[str, float] = {}

    def power_cut(self, host: str) -> None:
        self._cold.add(host)
        self._sync_at.pop(host, None)

    def agent_starts(self, host: str) -> None:
        """nova-compute starts, and with it its periodic tasks."""
        if host in self._cold:
            self.off |= {s.uuid for s in self._of(host) if s.running}
        self._cold.discard(host)
        if self._world.nova.sync:
            self._sync_at[host] = self._world.time + self._world.nova.sync

    def advance(self) -> None:
        for uuid in [u for u, at in self._stop_at.items() if self._world.time >= at]:
            server = self._world.servers.get(uuid)
            if server is None or self._world.machines[server.host].beats:
                del self._stop_at[uuid]
                if server:
                    self._turn_off(uuid)
        due = [h for h, at in self._sync_at.items() if self._world.time >= at]
        for host in due:
            del self._sync_at[host]
            for server in self._of(host):
                idle = server.task_state is None and server.vm_state == "active"
                if server.uuid in self.off and idle:
                    values = {"vm_state": "stopped", "running": False}
                    self._world.set(server.uuid, **values)
                    self._world.log(f"nova: {host} stops {server.name}: it is off")

    def _turn_off(self, uuid: str) -> None:
        self._world.set(uuid, vm_state="stopped", task_state=None, running=False)

    def _of(self, host: str) -> list[Server]:
        found = (s for s in self._world.servers.values() if s.host == host)
        return sorted(found, key=lambda server: server.name)

    def runs(self, uuid: str) -> bool:
        shown = self._world.servers[uuid].running and uuid not in self.off
        return uuid in self._world.misread or shown

    def ordered(self, uuid: str) -> str:
        if uuid in self.off and self._world.servers[uuid].vm_state == "stopped":
            return OFF_BY_ITSELF
        return RUN if self._world.orders[uuid] else STOP

    def shown_on(self, hosts: frozenset[str]) -> dict[str, tuple[Server, ...]]:
        """Their servers, by host."""
        return {host: tuple(self._of(host)) for host in hosts}

    def switch(self, uuid: str, call: str, vm_state: str, running: bool) -> str:
        """Somebody starts, stops or reboots one."""
        server = self._world.servers[uuid]
        if call == "reboot" and uuid in self._world.misread:
            self._world.breaches.append(f"{server.name} was rebooted while it ran")
        elif server.vm_state not in _STATES.get(call, (server.vm_state,)):
            raise Refused(f"409 it is {server.vm_state}")
        elif server.task_state is not None and call in _STATES:
            raise Refused(f"409 it is {server.task_state}")
        if not self._world.machines[server.host].beats:
            raise Refused("409 its host is down")

        def effect() -> None:
            self._world.orders[uuid] = running
            self._world.log(f"nova: {call} {server.name}")
            if call == "stop" and (takes := self.stop_times.get(server.name)):
                self._world.set(uuid, task_state="powering-off")
                self._stop_at[uuid] = self._world.time + takes
            else:
                self._world.set(uuid, vm_state=vm_state, running=running)

        self._world.call(call, effect)
        return f"req-{call}-{server.name}"
