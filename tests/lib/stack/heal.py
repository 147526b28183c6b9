# SPDX-License-Identifier: Apache-2.0
"""After a test: everything runs, nothing is held up, and no server is left."""

import datetime
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from tests.lib.stack.machines import Machine
from tests.lib.stack.programs import Program

if TYPE_CHECKING:  # whose import patches all of Python for Nova
    from tests.lib.cloud.client import Client

_STARTS_IN = 20.0
"""Seconds from the start of a nova-compute until it has deleted what was evacuated."""


def revive(programs: Iterable[Program], machines: Iterable[Machine]) -> None:
    """Let all programs and hosts run, whatever was done to them."""
    for program in programs:
        if program.alive:
            program.thaw()
        else:
            program.start()
    for machine in machines:
        machine.lie(None)
        machine.thaw()
        machine.start("heal")


def open_hosts(client: "Client", machines: Iterable[Machine]) -> None:
    """Lift force-down, enable services, end maintenance; the hosts have to be on."""
    compute = client.openstack().compute
    for aggregate in compute.aggregates():
        if "ha:maintenance" in (aggregate.metadata or {}):
            for host in aggregate.hosts or []:
                compute.remove_host_from_aggregate(aggregate, host)
    cleaning_up = CleaningUp(_STARTS_IN)
    for machine in machines:
        opening = _Opening(client, machine, cleaning_up)
        client.wait(f"{machine.name} open", opening.done)


def heard_at(shown: str | None) -> float:
    """When Nova last wrote a service's record, by ``updated_at``; 0.0: never."""
    if not shown:
        return 0.0
    return datetime.datetime.fromisoformat(f"{shown}+00:00").timestamp()


class CleaningUp:
    """A nova-compute deletes at its start what was evacuated from its host and has
    ended by then: what ended later keeps the host closed until the next start."""

    def __init__(self, seconds: float) -> None:
        """:param seconds: how long a wait may go on."""
        self._seconds = seconds
        self._since: dict[str, float] = {}

    def awaited(self, machine: Machine, key: str) -> None:
        """Call it while a host is kept closed: its nova-compute is started again when
        that goes on.

        :param key: by which one wait is told from another.
        """
        now = time.monotonic()
        if now > self._since.setdefault(key, now) + self._seconds:
            self._since[key] = now
            machine.crash()
            machine.start("clean up")


class _Opening:
    """Of one host. Nova refuses to lift force-down before nova-compute has cleaned up;
    and of a host that is enabled while it is down Placement is never told."""

    def __init__(
        self, client: "Client", machine: Machine, cleaning_up: CleaningUp
    ) -> None:
        self._client, self._machine = client, machine
        self._cleaning_up = cleaning_up
        self._since = machine.started_at

    def done(self) -> bool:
        """Whether Nova has heard of the host since its start, and since the last order:
        a heartbeat from before a power cut calls it up for a moment more."""
        name = self._machine.name
        path = f"/os-services?binary=nova-compute&host={name}"
        (service,) = self._client.nova("GET", path).json()["services"]
        if service["status"] == "UNKNOWN":
            return False  # Nova cannot ask its cell's database, and says no more
        if service["forced_down"]:
            if not self._order(service, {"forced_down": False}):
                self._cleaning_up.awaited(self._machine, name)
            return False
        if service["state"] == "up" and service["status"] != "enabled":
            self._order(service, {"status": "enabled"})
            return False
        is_heard = heard_at(service["updated_at"]) > self._since
        return is_heard and service["state"] == "up"

    def _order(self, service: dict[str, str], body: dict[str, object]) -> bool:
        path = f"/os-services/{service['id']}"
        done = bool(self._client.nova("PUT", path, body).ok)
        self._since = time.time()
        return done
