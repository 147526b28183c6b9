# SPDX-License-Identifier: Apache-2.0
"""How many servers can have a place at all: an exact solver's answer (HiGHS).

Of the most urgent servers as many as can be; with that kept, of the next; and so on:
what nova_ha_scheduler.planner.packing looks for, too.
"""

from collections.abc import Sequence

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array, vstack

from nova_ha_scheduler.cluster.picture import Host, Server


def most_placed(
    hosts: Sequence[Host], classes: Sequence[Sequence[Server]]
) -> list[int]:
    """How many of each class.

    :param hosts: all may take any of the servers, groups and room apart.
    :param classes: servers that are equally urgent, the most urgent class first.
    :raises RuntimeError: the solver did not come to its end.
    """
    servers = [server for alike in classes for server in alike]
    limits = _limits(hosts, servers)
    found: list[int] = []
    for number, _ in enumerate(classes):
        before = sum(map(len, classes[:number]))
        wanted = np.zeros((len(servers), len(hosts)))
        wanted[before : before + len(classes[number])] = 1
        row = wanted.reshape(1, -1)
        answer = milp(
            -row[0],
            integrality=np.ones(row.size),
            bounds=Bounds(0, 1),
            constraints=limits,
        )
        if answer.status != 0:
            raise RuntimeError(f"the solver gave up: {answer.message}")
        found.append(round(-answer.fun))
        limits = [*limits, LinearConstraint(row, lb=found[-1])]
    return found


def _limits(hosts: Sequence[Host], servers: Sequence[Server]) -> list[LinearConstraint]:
    """On the variables "server s goes to host h", in this order."""
    one = np.eye(len(hosts))
    rows = [np.kron(np.eye(len(servers)), np.ones(len(hosts)))]
    most = [np.ones(len(servers))]
    for what in sorted({what for server in servers for what in server.needs}):
        rows.append(np.kron([server.needs.get(what, 0) for server in servers], one))
        most.append(np.array([(host.free or {}).get(what, 0) for host in hosts]))
    for group in sorted({server.group for server in servers if server.group}):
        rows.append(np.kron([server.group == group for server in servers], one))
        most.append(np.ones(len(hosts)))
    table = vstack([csr_array(row) for row in rows])
    return [LinearConstraint(table, ub=np.concatenate(most))]
