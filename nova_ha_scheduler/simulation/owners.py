# SPDX-License-Identifier: Apache-2.0
"""What the owners of servers ask of Nova; a dead host has it in its queue.

nova-api sets the task state and sends the request; a host that is dead finds it when it
returns, after it has removed what was evacuated from it, and carries it out without a
look whose the server is by then.
"""

from typing import TYPE_CHECKING, Literal

from nova_ha_scheduler.cluster.errors import Refused
from nova_ha_scheduler.cluster.picture import Server

if TYPE_CHECKING:
    from nova_ha_scheduler.simulation.world import SimulatedWorld

Request = Literal["stop", "start", "reboot", "suspend", "pause", "rescue"]

_TASKS: dict[Request, str] = {
    "stop": "powering-off",
    "start": "powering-on",
    "reboot": "rebooting_hard",
    "suspend": "suspending",
    "pause": "pausing",
    "rescue": "rescuing",
}
_ENDS: dict[Request, str] = {
    "stop": "stopped",
    "suspend": "suspended",
    "pause": "paused",
    "rescue": "rescued",
}
"""The vm_state where it is done to a guest that is there; else active."""


def ordered(server: Server) -> bool:
    """Whether its users want it to run, by what was asked of it last."""
    state = server.task_state or ""
    if state.startswith(("reboot", "powering-on")):
        return True
    return server.running and state != "powering-off"


class Owners:
    def __init__(self, world: "SimulatedWorld") -> None:
        self._world = world
        self._queues: dict[str, list[tuple[str, Request]]] = {}

    def ask(self, uuid: str, what: Request) -> None:
        server = self._world.servers[uuid]
        if server.task_state is not None:
            raise Refused(f"409 it is in {server.vm_state}, {server.task_state}")
        self._world.set(uuid, task_state=_TASKS[what])
        if what in ("stop", "start", "reboot"):
            self._world.orders[uuid] = what != "stop"
        self._queues.setdefault(server.host, []).append((uuid, what))
        if self._world.machines[server.host].beats:
            self.agent_starts(server.host)

    def purge(self, host: str) -> None:
        self._queues.pop(host, None)

    def agent_starts(self, host: str) -> None:
        for uuid, what in self._queues.pop(host, []):
            if server := self._world.servers.get(uuid):
                self._carry_out(server, what, host)

    def _carry_out(self, server: Server, what: Request, host: str) -> None:
        world, state = self._world, server.task_state
        world.log(f"nova: {host} takes up what {server.name} was asked: {what}")
        expected = (_TASKS[what], None) if what == "stop" else (_TASKS[what],)
        if what == "reboot" and state not in expected:
            return
        moved = any(
            (r.server, r.source, r.kind) == (server.uuid, host, "evacuation")
            and r.status == "completed"
            for r in world.records
        )
        if server.host == host and not moved:
            ends = _ENDS.get(what, "active")
            runs = ends in ("active", "rescued", "paused")
            world.set(server.uuid, vm_state=ends, task_state=None, running=runs)
        elif what in ("start", "rescue", "reboot"):
            world.breaches.append(f"{server.name} is started on {host}, too")
        elif what == "stop" and state in expected:
            self._hide(server, vm_state="stopped", running=False)
        elif what == "suspend":
            self._hide(server, vm_state="error", task_state=None)
        elif what == "pause" and state is not None:
            self._hide(server, task_state=None)

    def _hide(self, server: Server, **values: object) -> None:
        """Show what is not so, whoever works on the server."""
        if server.running and values.get("vm_state"):
            self._world.misread.add(server.uuid)
        self._world.set(server.uuid, **values)
        self._world.evacuations.was_reset(server.uuid)
