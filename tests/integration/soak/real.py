# SPDX-License-Identifier: Apache-2.0
"""Minutes of real time: nova-ha-evacuator beside a real Nova, watched while it works.

Round by round one host dies, is fenced by Redfish, recovered and returns, its servers
go home, and another host is drained for maintenance and given back.
"""

from tests.lib.cloud import Cloud  # isort: skip  (prepares the process for Nova)

import contextlib
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from nova_ha_scheduler.journal.history import HistoryQuery
from tests.integration.crash.conftest import PLUGIN
from tests.integration.soak.figures import Figures, of
from tests.lib import redfish, rig
from tests.lib.cloud.config import Conf, merge

HOSTS = ["node1", "node2", "node3", "node4"]
RESERVE = "spare1"
ZONE = "nfs-a"
SERVERS = 3
"""On each host."""

PATIENCE = 240.0
"""Seconds for a recovery, a return or a drain, on a machine that has other work."""

WARM = 2
"""Rounds after which a process has all that it will ever need."""


@dataclass(frozen=True)
class Ceilings:
    """How much more there may be than after the rounds that warm it up.

    :ivar rss: MiB, and :ivar hourly: as much more for each hour.
    :ivar journal: MiB for each round; its files, with those beside it.
    """

    rss: float = 24.0
    hourly: float = 8.0
    threads: int = 8
    descriptors: int = 12
    journal: float = 2.0
    first: float = 16.0
    """MiB of the journal that it may have at once: SQLite's log beside it."""


CEILINGS = Ceilings()


@dataclass
class Tally:
    """
    :ivar figures: after each round.
    :ivar breaches: what was over its ceiling, or did not come about.
    """

    figures: list[Figures] = field(default_factory=list)
    breaches: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def judge(self) -> None:
        if not self.figures:
            return
        base = self.figures[min(WARM, len(self.figures)) - 1]
        hours = self.seconds / 3600
        most = {
            "rss": base.rss + CEILINGS.rss + CEILINGS.hourly * hours,
            "threads": base.threads + CEILINGS.threads,
            "descriptors": base.descriptors + CEILINGS.descriptors,
            "journal": CEILINGS.first + CEILINGS.journal * len(self.figures),
        }
        for name, ceiling in most.items():
            found = max(getattr(each, name) for each in self.figures)
            if found > ceiling:
                self.breaches.append(f"{name}: {found:g} is more than {ceiling:g}")


class Soak:
    """A cloud, its trigger, and what happens to them."""

    def __init__(
        self,
        cloud: Cloud,
        bmcs: redfish.Bmcs,
        trigger: rig.Trigger,
        say: Callable[[str], None],
    ) -> None:
        self._cloud, self._bmcs, self._trigger = cloud, bmcs, trigger
        self._say = say
        self._history = trigger.history()
        self._homes: dict[str, str] = {}

    def populate(self) -> None:
        flavor = self._cloud.flavor("protected", {"ha": "true"})
        for host in HOSTS:
            for number in range(SERVERS):
                uuid = self._cloud.create(f"web{number}-{host}", flavor, host=host)
                self._homes[uuid] = host
        for uuid in self._homes:
            self._cloud.wait_status(uuid, "ACTIVE")

    def run(self, process: rig.Process, minutes: float) -> Tally:
        """Rounds until the time is over, and one at least."""
        tally, began = Tally(), time.monotonic()
        while not tally.breaches:
            number = len(tally.figures)
            try:
                self._round(number)
            except (AssertionError, RuntimeError, subprocess.SubprocessError) as error:
                tally.breaches.append(f"round {number + 1}: {error}")
                break
            found = of(process.pid, self._trigger.journal)
            tally.figures.append(found)
            tally.seconds = time.monotonic() - began
            self._say(f"round {number + 1:3}: {found}")
            tally.judge()
            if tally.seconds >= minutes * 60:
                break
        return tally

    def _round(self, number: int) -> None:
        dies = HOSTS[number % len(HOSTS)]
        drained = HOSTS[(number + 2) % len(HOSTS)]
        since = time.time()
        self._cloud.crash(dies)
        self._told(dies, "host.recovered", since)
        self._bmcs.switch_on(dies)
        self._cloud.revive(dies)
        self._told(dies, "host.returned", since)
        self._told(dies, "failback.ended", since)
        order = ("--by", "ann", "--reason", "a fan", "--drain")
        self._trigger.nova_ha("maintenance", "start", drained, *order)
        self._told(drained, "maintenance.drained", since)
        self._trigger.nova_ha("maintenance", "end", drained)
        self._told(drained, "maintenance.ended", since)
        lost = [u for u in self._homes if self._cloud.server(u)["status"] != "ACTIVE"]
        assert not lost, f"not active: {lost}"

    def _told(self, host: str, kind: str, since: float) -> None:
        query = HistoryQuery(host=host, outcome=kind, since=since)
        self._cloud.wait(
            f"{kind} of {host}", lambda: self._history.events(query), PATIENCE
        )


@contextlib.contextmanager
def site(
    folder: Path, down_time: int, say: Callable[[str], None]
) -> Iterator[tuple[Soak, rig.Trigger]]:
    """:param down_time: seconds of silence after which Nova calls a host down."""
    hosts = [*HOSTS, RESERVE]
    nova: Conf = {
        "DEFAULT": {
            "report_interval": max(1, down_time // 4),
            "service_down_time": down_time,
        }
    }
    conf: Conf = {
        "detection": {"poll_interval": 1, "down_time": down_time},
        "evacuation": {"follow_interval": 0.5, "device_check_interval": 60},
        "guard": {"max_hosts": 9, "max_zone_percent": 100, "max_cloud_percent": 100},
        "journal": {"lease_timeout": 5},
        "return": {"failback": True, "flapping_within": 0},
    }
    zones = dict.fromkeys(hosts, ZONE)
    with (
        redfish.bmcs(folder, hosts) as bmcs,
        Cloud(folder / "cloud", {"cell1": hosts}, zones, merge(PLUGIN, nova)) as cloud,
    ):
        cloud.aggregate("protected", {"ha": "true", "storage_zone": ZONE}, hosts)
        cloud.aggregate("reserve", {"ha:reserved": "true"}, [RESERVE])
        trigger = rig.Trigger(folder, cloud.clouds_yaml, conf)
        bmcs.fencing_file(trigger.fencing_file)
        soak = Soak(cloud, bmcs, trigger, say)
        soak.populate()
        yield soak, trigger
