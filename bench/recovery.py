# SPDX-License-Identifier: Apache-2.0
"""The trigger's recovery of a host with 30 servers on a real Nova, and what is usual.

Five destinations in the host's storage zone, the plugin on, a rebuild that takes 3 s.
By hand: all evacuations are fired at once, and followed by their migration records.
Nova alone: the same, but fired as the trigger does it, some at a time and spread over
the destinations, while nobody looks, fences or checks. The trigger: from the force-down
until its history calls the host recovered, with Redfish fencing and its checks of each
server. All in the same run, on the same cloud, in turns.

The trigger is nova-ha-evacuator in a process of its own, as an operator runs it, and
hears Nova's notifications over a RabbitMQ. So is the Redfish service; its systems are
off at once: what is measured is the trigger and not a BMC.

Nova works for half a second of one core and more on each evacuation, all in this one
process, whoever asks for it. A good part of either time is that work. Its threads
share Python's one lock, and two cores only make them fight for it. So this process
keeps to one core, and leaves all others to the processes beside it. Where there is
only one, all share it.
"""

import concurrent.futures
import contextlib
import gc
import itertools
import statistics
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.lib.cloud import Cloud  # isort: skip  (prepares the process for Nova)

from bench import cores
from bench.effort import Effort
from bench.scheduling import SETTINGS
from nova_ha_scheduler.cli.history_rows import notification_to_evacuate
from nova_ha_scheduler.journal.history import History, HistoryQuery
from nova_ha_scheduler.records.host_recovery import HostRecovery, HostState
from nova_ha_scheduler.service.notifications import bus
from tests.lib import broker, redfish, rig
from tests.lib.cloud.config import Conf, merge
from tests.lib.errors import ProgramError

DESTINATIONS = [f"destination{number}" for number in range(1, 6)]
REBUILD_SECONDS = 3.0
ZONE = "nfs-a"
WORKERS = 16  # the trigger's default

CLOUD: Conf = merge(
    SETTINGS["pre-filters"],
    {"notifications": {"notification_format": "versioned"}},
)
TRIGGER: Conf = {
    # A good share of the hosts dies, one after the other.
    "guard": {"max_hosts": 9, "max_zone_percent": 100, "max_cloud_percent": 100},
}

_ENDED = {"completed", "done", "failed", "error"}
_PATIENCE_SECONDS = 180

_QUIET_SECONDS, _QUIET_REQUESTS = 11.0, 2
"""A look at default settings, and what it costs."""


class Requests:
    """Counts the trigger's requests to each service, at the service."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._times: list[float] = []

    def middleware(self, service: str, application: Any) -> Any:
        def counted(environ: Mapping[str, Any], start: Any) -> Any:
            if environ.get("HTTP_USER_AGENT", "").startswith("nova-ha"):
                with self._lock:
                    self._counts[service] += 1
                    self._times.append(time.monotonic())
            return application(environ, start)

        return counted

    def taken(self) -> Counter[str]:
        """What was counted since the last call."""
        with self._lock:
            counts, self._counts = self._counts, Counter()
        return counts

    def rest(self, began: float) -> bool:
        """Whether its newest look has cost no more than in quiet times. At first it
        looks at hosts that were out of breath while their servers were booted, too:
        they may have rebooted.

        :param began: monotonic seconds: when the trigger was started.
        """
        since = time.monotonic() - _QUIET_SECONDS
        with self._lock:
            times = [at for at in self._times if at > began]
        looked_before = bool(times) and times[0] < since
        return looked_before and 0 < sum(at > since for at in times) <= _QUIET_REQUESTS


@dataclass(frozen=True)
class Site:
    """The cloud, and what runs beside it.

    :ivar servers: of each host that dies.
    """

    cloud: Cloud
    requests: Requests
    broker: broker.Broker
    trigger: rig.Trigger
    servers: int


def measure(effort: Effort, say: Callable[[str], None] = print) -> dict[str, float]:
    """Print a table; return the figures."""
    ways = ("hand", "alone", "trigger")
    turns = [
        (f"{way}{number}", way)
        for number in range(effort.recoveries)
        for way in (ways if number % 2 == 0 else reversed(ways))
    ]
    sources = [source for source, _ in turns]
    hosts = [*sources, *DESTINATIONS]
    say(f"starting a cloud of {len(hosts)} hosts ...")
    by_hand, alone, by_trigger = [], [], []
    with _site(hosts, effort.servers) as site:
        cloud = site.cloud
        flavor = _tag(cloud, hosts)
        for source in sources:
            _disable(cloud, source)
        for source, way in turns:
            _enable(cloud, source)
            _boot(site, source, flavor)
            _forget_garbage()
            if way == "hand":
                by_hand.append(_fired(site, source, say))
            elif way == "alone":
                alone.append(_fired(site, source, say, spread=True))
            else:
                by_trigger.append(_by_trigger(site, source, say))
            _delete_all(cloud)
            _disable(cloud, source)
    seconds, asked, notified = zip(*by_trigger, strict=True)
    figures = {
        "requests_per_server": max(a.total() for a in asked) / effort.servers,
        "placement_requests": max(a["placement"] for a in asked),
        f"recovery_ratio_{effort.servers}": statistics.median(seconds)
        / statistics.median(by_hand),
        f"recovery_ratio_{effort.servers}_nova_alone": statistics.median(alone)
        / statistics.median(by_hand),
        "notification_to_evacuate_s": max(notified),
    }
    for name, figure in figures.items():
        say(f"{name:46}{figure:8.3f}")
    return {name: round(figure, 4) for name, figure in figures.items()}


@contextlib.contextmanager
def _site(hosts: list[str], servers: int) -> Iterator[Site]:
    with contextlib.ExitStack() as stack:
        temporary = tempfile.TemporaryDirectory(prefix="nova-ha-bench-")
        folder = Path(stack.enter_context(temporary))
        with cores.others():
            bmcs = stack.enter_context(redfish.bmcs(folder, hosts, seconds=0))
            server = stack.enter_context(broker.running(folder / "broker"))
        cores.keep_to_one()
        notifications: Conf = {
            "oslo_messaging_notifications": {
                "driver": "messagingv2",
                "transport_url": server.url,
            }
        }
        requests = Requests()
        cloud = stack.enter_context(
            Cloud(
                folder / "cloud",
                {"cell1": hosts},
                dict.fromkeys(hosts, ZONE),
                merge(CLOUD, notifications),
                rebuild_seconds=REBUILD_SECONDS,
                middleware=requests.middleware,
            )
        )
        trigger = rig.Trigger(folder, cloud.clouds_yaml, merge(TRIGGER, notifications))
        bmcs.fencing_file(trigger.fencing_file)
        yield Site(cloud, requests, server, trigger, servers)


def _tag(cloud: Cloud, hosts: Iterable[str]) -> str:
    """All hosts are protected and share a storage; return a flavor with ha=true."""
    cloud.aggregate("protected", {"ha": "true", "storage_zone": ZONE}, hosts)
    return cloud.flavor("ha", {"ha": "true"})


def _boot(site: Site, host: str, flavor: str) -> None:
    cloud = site.cloud
    for number in range(site.servers):
        cloud.create(f"{host}-{number:02}", flavor, host=host)
    path = f"/servers?host={host}&status=ACTIVE"
    cloud.wait(
        f"servers on {host}",
        lambda: len(cloud.nova("GET", path).json()["servers"]) == site.servers,
        _PATIENCE_SECONDS,
    )


def _forget_garbage() -> None:
    """The collector would search what earlier turns have left, more in each."""
    gc.collect()
    gc.freeze()


def _delete_all(cloud: Cloud) -> None:
    """Whoever is next finds the destinations as empty as the one before: a host's
    every new server makes Nova look at each of those that are there already."""

    def left() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = cloud.nova("GET", "/servers").json()["servers"]
        return found

    for server in left():
        cloud.nova("DELETE", f"/servers/{server['id']}")
    cloud.wait("servers deleted", lambda: not left(), _PATIENCE_SECONDS)


def _disable(cloud: Cloud, host: str) -> None:
    """It is nobody's destination, and none of the trigger's business."""
    _set(cloud, host, {"status": "disabled", "disabled_reason": "not its turn"})


def _enable(cloud: Cloud, host: str) -> None:
    _set(cloud, host, {"status": "enabled"})


def _set(cloud: Cloud, host: str, change: dict[str, str]) -> None:
    """Not the SDK's verbs: they send no reason for what is disabled already."""
    (service,) = cloud.openstack().compute.services(host=host)
    answer = cloud.nova("PUT", f"/os-services/{service.id}", change)
    if not answer.ok:
        raise ProgramError(f"{host} {change}: {answer.text}")


def _fired(
    site: Site, source: str, say: Callable[[str], None], spread: bool = False
) -> float:
    """Fire all at once, or as the trigger; return the seconds until all have ended."""
    cloud = site.cloud
    listed = cloud.nova("GET", f"/servers?host={source}").json()["servers"]
    at_once = WORKERS if spread else site.servers
    cloud.crash(source)
    start = time.monotonic()
    cloud.force_down(source)
    with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
        answers = pool.map(
            lambda server, chosen: cloud.nova(
                "POST", f"/servers/{server['id']}/action", {"evacuate": chosen}
            ),
            listed,
            itertools.cycle({"host": name} if spread else {} for name in DESTINATIONS),
        )
        refused = [answer.text for answer in answers if not answer.ok]
    if refused:
        raise ProgramError(f"evacuations refused: {refused}")
    records = cloud.wait(
        f"{source} evacuated by hand", lambda: _done(site, source), _PATIENCE_SECONDS
    )
    seconds = time.monotonic() - start
    how = "Nova alone, spread" if spread else "by hand, all at once"
    say(_line(how, seconds, records))
    return seconds


def _done(site: Site, source: str) -> list[dict[str, Any]] | None:
    """The host's evacuation records, once all have ended well."""
    time.sleep(1)  # as a person's script does; each look takes of Nova's own time
    path = f"/os-migrations?migration_type=evacuation&source_compute={source}"
    records: list[dict[str, Any]] = site.cloud.nova("GET", path).json()["migrations"]
    ended = [r for r in records if r["status"] in _ENDED]
    if wrong := [r for r in ended if r["status"] not in ("done", "completed")]:
        raise ProgramError(f"evacuations failed: {wrong}")
    return records if len(ended) == site.servers else None


def _line(who: str, seconds: float, records: list[dict[str, Any]]) -> str:
    spread = sorted(Counter(r["dest_compute"] for r in records).values())
    return f"{who:30}{seconds:9.1f} s   servers a host: {spread}"


def _by_trigger(
    site: Site, source: str, say: Callable[[str], None]
) -> tuple[float, Counter[str], float]:
    """:returns: seconds, requests to each service, seconds from notification to first
    evacuation."""
    cloud = site.cloud
    with _running(site):
        history = site.trigger.history()
        cloud.crash(source)
        site.requests.taken()
        start = time.time()
        cloud.force_down(source)
        record = cloud.wait(
            f"{source} recovered", lambda: _recovered(history, source), 180
        )
        asked = site.requests.taken()
    seconds = record.stages[HostState.RECOVERED.value] - start
    records = _done(site, source) or []
    say(_line("nova-ha-evacuator", seconds, records))
    say(f"{'':30}requests: {dict(asked)}")
    notified = notification_to_evacuate(history, record)
    if notified is None:
        raise ProgramError("no notification was heard")
    return seconds, asked, notified


@contextlib.contextmanager
def _running(site: Site) -> Iterator[None]:
    """Run the trigger; it listens, and has looked around, when the block begins."""
    began = time.monotonic()
    with contextlib.ExitStack() as stack:
        with cores.others():
            stack.enter_context(site.trigger.running())
        site.cloud.wait("its listener", lambda: site.broker.consumers(bus.POOL))
        site.cloud.wait("quiet", lambda: site.requests.rest(began))
        yield


def _recovered(history: History, host: str) -> HostRecovery | None:
    """Its recovery, once it has ended well."""
    time.sleep(1)  # as by hand
    found = history.recoveries(HistoryQuery(host=host))
    if not found or found[0].state not in (HostState.RECOVERED, HostState.INCOMPLETE):
        return None
    if found[0].state is HostState.INCOMPLETE:
        raise ProgramError(f"{host} is incomplete")
    return found[0]
