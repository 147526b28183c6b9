# SPDX-License-Identifier: Apache-2.0
"""How soon the servers of a dead host are up, by how Nova is asked for them.

Each part of Nova is a process, as are keystone, Placement, MariaDB and RabbitMQ
(tests/lib/stack); hypervisors, images, networks and volumes are stand-ins. A rebuild
takes three seconds. One host dies, with 30 servers, and five others take them:

one by one     a request after nova-api has answered the one before
all at once    16 at a time, whatever Nova can take
the trigger    nova-ha-evacuator, on Nova's notifications, with its default options

in turns, on the same cloud. All name the destinations, and spread the servers evenly.
Times are from the first request; processor time is that of all of Nova's processes.
"""

import concurrent.futures
import functools
import itertools
import os
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import requests

from bench.effort import Effort
from nova_ha_scheduler.journal.history import HistoryQuery
from nova_ha_scheduler.records.events import EventKind
from tests.lib.cloud.config import Conf
from tests.lib.errors import CloudError
from tests.lib.processes import members
from tests.lib.stack import servers
from tests.lib.stack.evacuator import Trigger
from tests.lib.stack.site import Layout, Pace
from tests.lib.stack.stack import Stack

SOURCE = "source"
DESTINATIONS = [f"destination{number}" for number in range(1, 6)]
REBUILD_SECONDS = 3.0
AT_ONCE = 16

ONE_BY_ONE, ALL_AT_ONCE, TRIGGER = "one by one", "all at once", "the trigger"

CONF: Conf = {
    "evacuation": {"follow_interval": 2, "settle": 30},
    "guard": {"max_hosts": 9, "max_zone_percent": 100, "max_cloud_percent": 100},
}
"""The defaults, where the stack's tests have others; and a whole cloud may die."""

_FIGURES = {
    "first_up": "first",
    "mean_up": "mean",
    "all_up": "last",
    "nova_cpu": "cpu",
}
"""What a figure compares, of each turn."""

_PATIENCE = 300.0


@dataclass(frozen=True)
class _Turn:
    """
    :ivar first, mean, last: seconds until servers were up.
    :ivar cpu: seconds of Nova's processors.
    :ivar told: seconds from the last one's being up until the history calls the host
        recovered; 0: nobody tells.
    """

    first: float
    mean: float
    last: float
    cpu: float
    told: float = 0.0


def measure(effort: Effort, say: Callable[[str], None] = print) -> dict[str, float]:
    """Print a line a turn; return the figures."""
    ways = (ONE_BY_ONE, ALL_AT_ONCE, TRIGGER)
    found: dict[str, list[_Turn]] = {way: [] for way in ways}
    zones = dict.fromkeys([SOURCE, *DESTINATIONS], "nfs-a")
    say("starting an OpenStack of processes ...")
    # As by default: requests that are fired at once wait long for each other.
    pace = Pace(rpc_response_timeout=60)
    with Stack(Layout(zones=zones, reserve=(), pace=pace)) as stack:
        for number in range(effort.turns):
            for way in ways if number % 2 == 0 else reversed(ways):
                turn = _turn(stack, way, f"{number}", effort.servers)
                found[way].append(turn)
                say(
                    f"{number + 1:3} {way:12} first up {turn.first:5.1f} s, mean "
                    f"{turn.mean:5.1f} s, all {turn.last:5.1f} s, Nova's CPU "
                    f"{turn.cpu:5.1f} s"
                )
        stack.stop()
        stack.remove()
    figures = {
        f"{figure}_ratio_{way.replace(' ', '_')}": _ratio(found[TRIGGER], turns, what)
        for way, turns in found.items()
        if way != TRIGGER
        for figure, what in _FIGURES.items()
    }
    told = statistics.median(turn.told for turn in found[TRIGGER])
    figures["last_up_to_recovered_s"] = told
    for name, figure in figures.items():
        say(f"{name:46}{figure:8.3f}")
    return {name: round(figure, 4) for name, figure in figures.items()}


def _ratio(ours: Iterable[_Turn], theirs: Iterable[_Turn], what: str) -> float:
    one, other = (
        statistics.median(float(getattr(turn, what)) for turn in turns)
        for turns in (ours, theirs)
    )
    return one / other


def _turn(stack: Stack, way: str, name: str, number: int) -> _Turn:
    stack.heal()
    ids = servers.by_name(stack, SOURCE) if servers.boot(stack, SOURCE, number) else []
    stack.rebuild_seconds(REBUILD_SECONDS)
    compute, trigger = stack.gates["compute"], None
    if way == TRIGGER:
        trigger = stack.trigger(f"{name}-{time.time():.0f}", CONF)
        trigger.service().start()
    del compute.requests[:]
    stack.machines[SOURCE].kill()
    cpu = _cpu(stack)
    if way == TRIGGER:
        stack.wait("the first request", functools.partial(_first, stack), _PATIENCE)
        cpu = _cpu(stack)
    else:
        _force_down(stack)
        cpu = _cpu(stack)
        _ask(stack, ids, 1 if way == ONE_BY_ONE else AT_ONCE)
    ups = _follow(stack, number)
    cpu = _cpu(stack) - cpu
    told = 0.0
    if trigger:
        recovered = functools.partial(_recovered, trigger)
        told = stack.wait("the end in the history", recovered, _PATIENCE) - ups[-1]
        for service in trigger.services.values():
            service.kill()
    first = _first(stack)
    assert first is not None
    mean = statistics.mean(ups)
    return _Turn(ups[0] - first, mean - first, ups[-1] - first, cpu, told)


def _recovered(trigger: Trigger) -> float | None:
    """When the history has called the host recovered."""
    query = HistoryQuery(host=SOURCE, outcome=EventKind.HOST_RECOVERED.value)
    return next((event.at for _, event in trigger.history().events(query)), None)


def _first(stack: Stack) -> float | None:
    """When the first evacuation was asked for."""
    asked = (r.at for r in stack.gates["compute"].requests if '"evacuate"' in r.body)
    return next(asked, None)


def _force_down(stack: Stack) -> None:
    (service,) = stack.openstack().compute.services(host=SOURCE, binary="nova-compute")
    answer = stack.nova("PUT", f"/os-services/{service.id}", {"forced_down": True})
    answer.raise_for_status()


def _ask(stack: Stack, ids: Sequence[str], at_once: int) -> None:
    """Through the proxy that the trigger's requests pass."""
    url, session = f"{stack.gates['compute'].url}/v2.1/servers", requests.Session()
    headers = {"X-Auth-Token": stack.token, "OpenStack-API-Version": "compute 2.94"}

    def ask(server: str, there: str) -> None:
        body = {"evacuate": {"host": there}}
        place = f"{url}/{server}/action"
        answer = session.post(place, json=body, headers=headers, timeout=_PATIENCE)
        answer.raise_for_status()

    with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
        list(pool.map(ask, ids, itertools.cycle(DESTINATIONS)))


def _follow(stack: Stack, number: int) -> list[float]:
    """When each was up, by its migration record, in order."""
    ups: dict[str, float] = {}
    path = f"/os-migrations?migration_type=evacuation&source_compute={SOURCE}"

    def ended() -> bool:
        time.sleep(0.25)
        found = _records(stack.nova("GET", path))
        for record in found:
            if record["status"] in ("error", "failed"):
                raise CloudError(f"an evacuation has failed: {record}")
            if record["status"] in ("done", "completed"):
                ups.setdefault(record["instance_uuid"], time.time())
        return len(ups) == number

    began = time.time()
    stack.wait("all servers up", ended, _PATIENCE)
    assert min(ups.values()) >= began
    return sorted(ups.values())


def _records(answer: requests.Response) -> list[dict[str, Any]]:
    answer.raise_for_status()
    return list(answer.json()["migrations"])


def _cpu(stack: Stack) -> float:
    """Seconds of processor time that Nova's living processes have taken."""
    groups = [program.pid for program in stack.compute.programs.values()]
    groups += [m.pid for m in stack.machines.values() if m.name != SOURCE]
    pids = {pid for group in groups for pid in members(group)}
    return sum(map(_taken, pids)) / os.sysconf("SC_CLK_TCK")


def _taken(pid: int) -> int:
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])
