# SPDX-License-Identifier: Apache-2.0
"""After a test: everything runs, nothing is held up, and no server is left."""

import functools
import time
from collections.abc import Iterable

from tests.lib.cloud.client import Client
from tests.lib.stack.machines import Machine
from tests.lib.stack.programs import Program

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


def open_hosts(client: Client, machines: Iterable[Machine]) -> None:
    """Lift force-down, enable services, end maintenance; the hosts have to be on."""
    compute = client.openstack().compute
    for aggregate in compute.aggregates():
        if "ha:maintenance" in (aggregate.metadata or {}):
            for host in aggregate.hosts or []:
                compute.remove_host_from_aggregate(aggregate, host)
    cleaning_up = CleaningUp(_STARTS_IN)
    for machine in machines:
        opens = functools.partial(_opens, client, machine, cleaning_up)
        client.wait(f"{machine.name} open", opens)


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


def _opens(client: Client, machine: Machine, cleaning_up: CleaningUp) -> bool:
    """Nova refuses to lift force-down before nova-compute has cleaned up; and of a host
    that is enabled while it is down Placement is never told."""
    answer = client.nova("GET", f"/os-services?binary=nova-compute&host={machine.name}")
    (service,) = answer.json()["services"]
    path = f"/os-services/{service['id']}"
    if service["forced_down"]:
        if not client.nova("PUT", path, {"forced_down": False}).ok:
            cleaning_up.awaited(machine, machine.name)
        return False
    if service["state"] == "up" and service["status"] != "enabled":
        client.nova("PUT", path, {"status": "enabled"})
        return False
    return bool(service["state"] == "up")
