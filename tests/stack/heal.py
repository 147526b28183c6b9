# SPDX-License-Identifier: Apache-2.0
"""After a test: everything runs, nothing is held up, and no server is left."""

import functools
from collections.abc import Iterable

from tests.cloud.client import Client
from tests.stack.machines import Machine
from tests.stack.programs import Program


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


def open_hosts(client: Client, hosts: Iterable[str]) -> None:
    """Lift force-down, enable services, end maintenance; the hosts have to be up."""
    compute = client.openstack().compute
    for aggregate in compute.aggregates():
        if "ha:maintenance" in (aggregate.metadata or {}):
            for host in aggregate.hosts or []:
                compute.remove_host_from_aggregate(aggregate, host)
    for host in hosts:
        client.wait(f"{host} open", functools.partial(_opened, client, host), 120)


def _opened(client: Client, host: str) -> bool:
    """Nova refuses while nova-compute has not cleaned up after the evacuations."""
    answer = client.nova("GET", f"/os-services?binary=nova-compute&host={host}")
    (service,) = answer.json()["services"]
    changes: list[dict[str, object]] = []
    if service["forced_down"]:
        changes.append({"forced_down": False})
    if service["status"] != "enabled":
        changes.append({"status": "enabled"})
    path = f"/os-services/{service['id']}"
    return all(client.nova("PUT", path, change).ok for change in changes)
