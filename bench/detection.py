# SPDX-License-Identifier: Apache-2.0
"""From a power cut to the first server's being asked for, and what quiet times cost.

About every 45 seconds a host that has servers loses its power, at a random moment;
those before it return meanwhile. Nova and the trigger have the options that they have
by default, except for the guard, which lets one host after the other die, and for hosts
that flap. After that, with all hosts back, the trigger's requests are counted where
they arrive.

Either a real Nova in this process, a real Redfish service, and nova-ha-evacuator in
processes of their own; or, with --stack, what the full stack's tests are on, where all
are processes. There hosts hang, too: they keep their power and say nothing, and neither
ping nor tcp reaches them. Two witnesses are asked then, with suspect_by_witnesses.

In the short form, heartbeats come every 3 seconds and looks every second, and one host
dies.
"""

import contextlib
import functools
import random
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from tests.lib.cloud import Cloud, CloudError  # isort: skip  (prepares the process)

from bench.effort import Effort
from nova_ha_scheduler.journal.history import History, HistoryQuery
from nova_ha_scheduler.records.host_recovery import HostState
from tests.lib import redfish, rig
from tests.lib.cloud.client import Client
from tests.lib.cloud.config import Conf, merge
from tests.lib.errors import ProgramError
from tests.lib.stack import servers, site
from tests.lib.stack.cables import Cables
from tests.lib.stack.evacuator import Trigger
from tests.lib.stack.stack import Stack

HOSTS = [f"host{number}" for number in range(1, 9)]
ZONE = "nfs-a"

TRIGGER: Conf = {
    # Each host that dies is meant to.
    "guard": {"max_hosts": 100, "max_zone_percent": 100, "max_cloud_percent": 100},
    "return": {"flapping_within": 0},
}

_BEATS = 5
"""Heartbeats that each host has before the first one dies: its rhythm is known."""

_QUIET_LOOKS = 12
"""So many looks are counted."""

_SERVERS = 2
"""On each host that has some at the beginning: two hosts of a zone."""

_PATIENCE = 240.0


@dataclass(frozen=True)
class _Pace:
    """:ivar beat: seconds between two heartbeats; poll: between two looks; every:
    between two power cuts, at least; settles: before quiet times are counted.
    :ivar conf: of the trigger."""

    beat: int
    poll: float
    every: float
    settles: float
    conf: Conf


_DEFAULT = _Pace(10, 10.0, 45.0, 100.0, {})
_QUICK = _Pace(
    3,
    1.0,
    5.0,
    10.0,
    {"detection": {"poll_interval": 1, "off_time": 1, "reboot_looks": 1}},
)


class _Site(Protocol):
    """What dies, and who sees to it."""

    @property
    def client(self) -> Client: ...

    def history(self) -> History: ...

    def asked(self, since: float) -> list[tuple[float, str, str]]:
        """The trigger's requests: when, the method, the path."""
        ...

    def cut(self, host: str) -> None: ...

    def back(self, host: str) -> None: ...


def measure(effort: Effort, say: Callable[[str], None] = print) -> dict[str, float]:
    """Print a line a power cut; return the figures."""
    measured = _on_the_stack if effort.stack else _in_one_process
    figures = measured(effort, say)
    for name, figure in figures.items():
        say(f"{name:46}{figure:8.3f}")
    return {name: round(figure, 4) for name, figure in figures.items()}


def _in_one_process(effort: Effort, say: Callable[[str], None]) -> dict[str, float]:
    pace = _QUICK if effort.quick else _DEFAULT
    say(f"starting a cloud of {len(HOSTS)} hosts ...")
    with _cloud(pace) as found:
        seconds = [*_deaths(found, found.cut, pace, effort.cuts, say)]
        return _figures("power_cut", seconds) | {
            "quiet_requests_per_look": _quiet(found, pace)
        }


def _on_the_stack(effort: Effort, say: Callable[[str], None]) -> dict[str, float]:
    layout, pace = site.Layout(pace=site.NOVAS), _DEFAULT
    say(f"starting an OpenStack of processes, with {len(layout.zones)} hosts ...")
    with Stack(layout) as stack, Cables(layout.zones) as cables:
        _apart(stack, pace)
        for host in ("a1", "a2", "b1", "b2"):
            servers.boot(stack, host, _SERVERS)
        with _Processes.running(stack, cables, TRIGGER) as found:
            time.sleep(_BEATS * pace.beat)
            seconds = [*_deaths(found, found.cut, pace, effort.cuts, say)]
            figures = _figures("stack_power_cut", seconds)
            figures["stack_quiet_requests_per_look"] = _quiet(found, pace)
        more: Conf = {
            "witnesses": {"enabled": "ping, tcp", "address": cables.address},
            "detection": {"suspect_by_witnesses": True},
        }
        with _Processes.running(stack, cables, merge(TRIGGER, more)) as found:
            time.sleep(_BEATS * pace.beat)
            say("hosts hang, and keep their power:")
            seconds = [*_deaths(found, found.hang, pace, effort.hangs, say)]
            figures |= _figures("stack_hung_host", seconds)
    stack.remove()
    return figures


def _figures(what: str, seconds: list[float]) -> dict[str, float]:
    return {
        f"{what}_to_evacuate_median_s": statistics.median(seconds),
        f"{what}_to_evacuate_worst_s": max(seconds),
    }


# In one process.


@dataclass
class _Requests:
    """The trigger's, as they arrive."""

    seen: list[tuple[float, str, str]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def middleware(self, service: str, application: Any) -> Any:
        def noted(environ: Mapping[str, Any], start: Any) -> Any:
            if environ.get("HTTP_USER_AGENT", "").startswith("nova-ha"):
                what = environ["REQUEST_METHOD"], environ.get("PATH_INFO", "")
                with self._lock:
                    self.seen.append((time.time(), *what))
            return application(environ, start)

        return noted

    def since(self, at: float) -> list[tuple[float, str, str]]:
        with self._lock:
            return [each for each in self.seen if each[0] >= at]


@dataclass(frozen=True)
class _OneProcess:
    client: Cloud
    requests: _Requests
    bmcs: redfish.Bmcs
    trigger: rig.Trigger

    def history(self) -> History:
        return self.trigger.history()

    def asked(self, since: float) -> list[tuple[float, str, str]]:
        return self.requests.since(since)

    def cut(self, host: str) -> None:
        self.client.crash(host)
        self.bmcs.cut(host)

    def back(self, host: str) -> None:
        self.bmcs.switch_on(host)
        self.client.revive(host)


@contextlib.contextmanager
def _cloud(pace: _Pace) -> Iterator[_OneProcess]:
    with contextlib.ExitStack() as stack:
        temporary = tempfile.TemporaryDirectory(prefix="nova-ha-bench-")
        folder = Path(stack.enter_context(temporary))
        bmcs = stack.enter_context(redfish.bmcs(folder, HOSTS, seconds=0))
        requests = _Requests()
        nova: Conf = {"DEFAULT": {"report_interval": pace.beat}}
        zones = dict.fromkeys(HOSTS, ZONE)
        made = Cloud(
            folder / "cloud",
            {"cell1": HOSTS},
            zones,
            nova,
            middleware=requests.middleware,
        )
        cloud = stack.enter_context(made)
        cloud.aggregate("protected", {"ha": "true", "storage_zone": ZONE}, HOSTS)
        flavor = cloud.flavor("ha", {"ha": "true"})
        for host in HOSTS[:2]:
            for number in range(_SERVERS):
                cloud.create(f"{host}-{number}", flavor, host=host)
        trigger = rig.Trigger(folder, cloud.clouds_yaml, {**TRIGGER, **pace.conf})
        bmcs.fencing_file(trigger.fencing_file)
        stack.enter_context(trigger.running())
        time.sleep(_BEATS * pace.beat)
        yield _OneProcess(cloud, requests, bmcs, trigger)


# All are processes.


@dataclass(frozen=True)
class _Processes:
    client: Stack
    cables: Cables
    trigger: Trigger

    @classmethod
    @contextlib.contextmanager
    def running(
        cls, stack: Stack, cables: Cables, conf: Conf
    ) -> Iterator["_Processes"]:
        """With a trigger that has all options by default, but for those."""
        trigger = stack.trigger(f"bench-{time.monotonic_ns()}", conf, pace={})
        trigger.service().start()
        yield cls(stack, cables, trigger)
        trigger.stop()

    def history(self) -> History:
        return self.trigger.history()

    def asked(self, since: float) -> list[tuple[float, str, str]]:
        gates = (self.client.gates[name] for name in ("compute", "placement"))
        return [
            (request.at, request.method, request.path.partition("?")[0])
            for gate in gates
            for request in list(gate.requests)
            if request.at >= since and "nova-ha" in request.agent
        ]

    def cut(self, host: str) -> None:
        self.cables.pull(host)
        self.client.machines[host].kill()

    def hang(self, host: str) -> None:
        self.cables.pull(host)
        self.client.machines[host].freeze()

    def back(self, host: str) -> None:
        self.client.machines[host].start()
        self.cables.plug(host)


def _apart(stack: Stack, pace: _Pace) -> None:
    """Have the hosts' heartbeats come one after the other, as those of hosts do that
    were not started in one moment."""
    for machine in stack.machines.values():
        machine.crash()
        machine.start()
        time.sleep(pace.beat / len(stack.machines))
    stack.wait_up(stack.machines)


# On either.


def _deaths(
    found: _Site,
    dies: Callable[[str], None],
    pace: _Pace,
    many: int,
    say: Callable[[str], None],
) -> Iterator[float]:
    """Seconds from each death to the first server's being asked for.

    :param dies: what happens to a host.
    """
    dice, client = random.Random(many), found.client
    for number in range(many):
        began, ready = time.time(), functools.partial(_next, client)
        host = client.wait("a host to die", ready, _PATIENCE)
        time.sleep(dice.uniform(0, pace.beat))
        died = time.time()
        dies(host)
        asked = functools.partial(_first_action, found, died)
        passed = client.wait(f"an evacuation from {host}", asked, _PATIENCE) - died
        say(f"{number + 1:3} {host:8}{passed:6.1f} s")
        yield passed
        ended = functools.partial(_recovered, found, host)
        client.wait(f"{host} recovered", ended, _PATIENCE)
        found.back(host)
        time.sleep(max(0.0, began + pace.every - time.time()))


def _first_action(found: _Site, since: float) -> float | None:
    """When a server was asked for: nothing else is asked of servers here."""
    time.sleep(0.2)
    actions = (
        at
        for at, method, path in found.asked(since)
        if method == "POST" and path.endswith("/action") and "/servers/" in path
    )
    return min(actions, default=None)


def _next(client: Client) -> str | None:
    """The host with most servers of those that are up and in use; all are well."""
    time.sleep(1)
    listed = client.nova("GET", "/servers/detail?all_tenants=1").json()["servers"]
    if any(s["OS-EXT-STS:task_state"] or s["status"] != "ACTIVE" for s in listed):
        return None
    places = [str(server["OS-EXT-SRV-ATTR:host"]) for server in listed]
    return max(sorted({*places} & {*_serving(client)}), key=places.count, default=None)


def _services(client: Client) -> list[dict[str, Any]]:
    path = "/os-services?binary=nova-compute"
    found: list[dict[str, Any]] = client.nova("GET", path).json()["services"]
    return found


def _serving(client: Client) -> list[str]:
    """The hosts that Nova may use."""
    return [
        str(s["host"])
        for s in _services(client)
        if (s["state"], s["status"]) == ("up", "enabled")
    ]


def _recovered(found: _Site, host: str) -> bool:
    time.sleep(0.5)
    recoveries = found.history().recoveries(HistoryQuery(host=host))
    if recoveries and recoveries[0].state is HostState.INCOMPLETE:
        raise ProgramError(f"{host} is incomplete")
    return bool(recoveries) and recoveries[0].state is HostState.RECOVERED


def _quiet(found: _Site, pace: _Pace) -> float:
    """The trigger's requests a look, once all hosts are back, and the heartbeats of all
    have found their rhythm."""
    back = functools.partial(_all_back, found.client)
    found.client.wait("all hosts let in", back, _PATIENCE)
    time.sleep(pace.settles)
    since = time.time()
    time.sleep(_QUIET_LOOKS * pace.poll)
    paths = [path for _, _, path in found.asked(since)]
    looks = sum(path.endswith("/os-services") for path in paths)
    if not looks:
        raise ProgramError("the trigger does not look")
    return len(paths) / looks


def _all_back(client: Client) -> bool:
    time.sleep(1)
    with contextlib.suppress(CloudError):
        return len(_serving(client)) == len(_services(client))
    return False
