# SPDX-License-Identifier: Apache-2.0
"""The person whom the trigger calls for: does what docs/runbook.md says."""

from typing import TYPE_CHECKING

from nova_ha_scheduler.reasons import Reason
from nova_ha_scheduler.records.server_recovery import ServerRecovery
from tests.lib.stack import servers
from tests.lib.stack.deaths import Death

if TYPE_CHECKING:
    from tests.lib.stack.fleet import Fleet


class Operator:
    """Of a fleet."""

    def __init__(self, fleet: "Fleet") -> None:
        self._fleet = fleet
        self._reset_once: set[tuple[str, float | None]] = set()

    def see_through(self, death: Death, seconds: float) -> None:
        """Wait until the recoveries of hosts have ended, well or not.

        What takes long, and Nova works on no more, is reset; what may run though its
        evacuation failed is looked for, and then asked for again.
        """

        def end() -> bool:
            self.look_after(death)
            return death.has_ended

        fleet = self._fleet
        fleet.wait(f"the recovery of {death} ends", end, seconds)
        if stuck := [server for server in death.servers() if _is_halfway(server)]:
            for server in stuck:
                self._reset_once.discard(_attempt(server))  # it was done too early
                self._reset(server)
            why = "looked for on their destinations"
            for host in sorted({server.source for server in stuck}):
                fleet.trigger.nova_ha("retry", host, "--by", "tests", "--reason", why)
            fleet.wait(f"{death} is taken up again", lambda: not death.has_ended)
            fleet.wait(f"the recovery of {death} ends", end, seconds)

    def look_after(self, death: Death) -> None:
        """Reset what takes long, as Nova may work on it no more; and see to it that
        other hosts come back meanwhile."""
        self._fleet.hosts.look_after(*death.hosts)
        for server in death.servers():
            if server.reason is Reason.SLOW and not server.state.final:
                self._reset(server)

    def start_guests(self, host: str) -> None:
        """Start what a host that has been without power has not; return when it runs.

        What lies there half-way is not touched.
        """
        stack, facts = self._fleet.stack, self._fleet.facts()
        off = {
            server
            for server, shown in servers.servers(stack, host).items()
            if shown["status"] == "ACTIVE" and not shown["OS-EXT-STS:task_state"]
            if host not in facts.runs_at_last(server)
        }
        for server in off:
            stack.nova(
                "POST", f"/servers/{server}/action", {"reboot": {"type": "HARD"}}
            ).raise_for_status()

        def run() -> bool:
            now = self._fleet.facts()
            return all(host in now.runs_at_last(server) for server in off)

        self._fleet.wait(f"the servers of {host} run", run)

    def _reset(self, server: ServerRecovery) -> None:
        """Reset a server's state, as ``openstack server set --state error`` does, after
        a look at the host that it was on its way to; once for each attempt, as Nova
        works on the next."""
        stack, attempt = self._fleet.stack, _attempt(server)
        answer = stack.nova("GET", f"/servers/{server.server}")
        if attempt in self._reset_once or not answer.ok:
            return
        if answer.json()["server"]["OS-EXT-SRV-ATTR:host"] != server.source:
            return
        there = stack.machines.get(server.destination or "")
        if there and server.server in self._fleet.facts().guests[there.name]:
            there.destroy(server.server)
        action = {"os-resetState": {"state": "error"}}
        path = f"/servers/{server.server}/action"
        stack.nova("POST", path, action).raise_for_status()
        self._reset_once.add(attempt)


def _attempt(server: ServerRecovery) -> tuple[str, float | None]:
    """By which one evacuation of a server is told from the next."""
    return server.server, server.asked_at


def _is_halfway(server: ServerRecovery) -> bool:
    """Whether its evacuation has failed, and it may run; or Nova left it half-way."""
    left = server.reason is Reason.TASK_STATE and server.detail.startswith("rebuild")
    return server.reason is Reason.DISTURBED or left
