# SPDX-License-Identifier: Apache-2.0
"""Two triggers behind bad links: a host that dies meanwhile is recovered all the same,
or the trigger says that it is blind; and nothing is done twice.

The cloud, MariaDB, RabbitMQ and the Redfish service are real; each trigger reaches each
of them by a link of its own. The triggers go on from case to case.
"""

from tests.lib.cloud import Cloud  # isort: skip  (prepares the process for Nova)

import contextlib
import itertools
import json
import time
import urllib.parse
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import sqlalchemy as sa
from nova.compute import power_state

from nova_ha_scheduler.journal.history import History, HistoryQuery
from nova_ha_scheduler.journal.outbox import Outbox
from nova_ha_scheduler.journal.store import SqlJournal
from nova_ha_scheduler.records.events import EventKind
from tests.integration.crash.conftest import PLUGIN
from tests.integration.journal.conftest import mariadb, short_folder  # noqa: F401  (fixtures)
from tests.integration.links.link import GOOD, Fault, Link
from tests.lib import broker as rabbitmq
from tests.lib import redfish, rig
from tests.lib.broker import Broker
from tests.lib.cloud.config import Conf, merge
from tests.lib.waiting import wait

LEASE = 4
DOWN_TIME = 8
ZONE = "nfs-a"
RESERVE = "spare1"
SERVERS = 2
SLOW_AFTER = 30
"""Of a request that arrives twice, Nova may work on one record and fail both: nobody
works on the other one, which is given up after this time. The default is longer than a
test waits.
"""

SERVICES = ("identity", "compute", "placement")

BLIND = frozenset({"blind", "cloud", "host_unfenced", "journal", "not_seen"})
"""What health may say instead, on a machine on which slow is too slow."""

SLOW = Fault(delay=0.1, loss=0.1, again=1.0)
MUTE = Fault(swallows="down")
DEAF = Fault(swallows="up")
TWICE = Fault(twice=True)
DRIPS = Fault(drip=64, delay=0.01)


@dataclass(frozen=True)
class Case:
    """
    :ivar active: what the links of the active trigger have, by what they lead to:
        api, database, bmc, bus; :ivar standby: the same.
    :ivar blind: what health says while it lasts, if nobody can be recovered then.
    :ivar passes: whether the other trigger has to take over.
    """

    active: Mapping[str, Fault] = field(default_factory=dict)
    standby: Mapping[str, Fault] = field(default_factory=dict)
    blind: str = ""
    passes: bool = False

    @property
    def twice(self) -> bool:
        """Whether a request that changes something may arrive twice."""
        faults = itertools.chain(self.active.values(), self.standby.values())
        return any(fault.twice for fault in faults)


def _both(**faults: Fault) -> Case:
    return Case(faults, faults)


CASES = {
    "the active one's journal is silent, and the other one is slow": Case(
        {"database": MUTE, "bus": MUTE},
        {"api": SLOW, "bmc": SLOW, "bus": SLOW},
        passes=True,
    ),
    "all is slow and lossy, and requests come twice": _both(
        api=Fault(0.05, 0.1, 1.0, twice=True),
        database=Fault(0.01),
        bmc=SLOW,
        bus=SLOW,
    ),
    "the cloud's answers are lost for both": Case(
        {"api": MUTE}, {"api": MUTE}, blind="cloud"
    ),
    "the devices drip, and the journal hears nothing of the active one": Case(
        {"database": DEAF, "bmc": DRIPS, "bus": DEAF},
        {"bmc": DRIPS, "bus": DEAF},
        passes=True,
    ),
    "the device's answers are lost, and requests come twice": Case(
        {"bmc": MUTE, "api": TWICE}, {"bmc": MUTE, "api": TWICE}, blind="host_unfenced"
    ),
    "the cloud drips, and the bus": _both(
        api=Fault(drip=512, delay=0.005), bmc=DRIPS, bus=DRIPS
    ),
}
SHORT = 2
"""The first ones, for which CI has the time."""

HOSTS = [f"node{number}" for number in range(1, len(CASES) + 1)]


class Trigger:
    """One, with its links."""

    def __init__(
        self,
        folder: Path,
        cloud: Cloud,
        bmcs: redfish.Bmcs,
        broker: Broker,
        database: str,
        conf: Conf,
    ) -> None:
        folder.mkdir()
        self._folder = folder
        url = sa.make_url(database)
        ports = {name: _port(cloud.endpoints[name]) for name in SERVICES}
        self.links = {name: Link(port) for name, port in ports.items()}
        self.links["bmc"] = Link(_port(bmcs.url))
        self.links["bus"] = Link(broker.port)
        bus = broker.url.replace(str(broker.port), str(self.links["bus"].port))
        self.links["database"] = Link(url.port or 0)
        url = url.set(port=self.links["database"].port)
        ours: Conf = {
            "database": {"connection": url.render_as_string(hide_password=False)},
            "oslo_messaging_notifications": {
                "transport_url": bus,
                "driver": "messagingv2",
            },
        }
        self.rig = rig.Trigger(folder, self._clouds(cloud), merge(conf, ours))
        address = f"http://127.0.0.1:{self.links['bmc'].port}"
        bmcs.fencing_file(self.rig.fencing_file, address)
        self.process = self.rig.start()

    def _clouds(self, cloud: Cloud) -> Path:
        """clouds.yaml, with the links for the services."""
        text = cloud.clouds_yaml.read_text()
        for name in SERVICES:
            place = f"127.0.0.1:{self.links[name].port}"
            here = urllib.parse.urlsplit(cloud.endpoints[name])
            text = text.replace(here.netloc, place)
            if name != "identity":
                override = here._replace(netloc=place).geturl()
                text += f"    {name}_endpoint_override: {override}\n"
        path = self._folder / "clouds.yaml"
        path.write_text(text)
        return path

    def suffer(self, faults: Mapping[str, Fault]) -> None:
        for name, link in self.links.items():
            kind = "api" if name in SERVICES else name
            link.fault = faults.get(kind, GOOD)

    @property
    def changes(self) -> list[tuple[float, str]]:
        """Its requests to Nova and to the devices that are no look."""
        found = self.links["compute"].changes() + self.links["bmc"].changes()
        return sorted(each for each in found if "Sessions" not in each[1])

    def problems(self) -> set[str]:
        """What its health.json names."""
        with contextlib.suppress(OSError, ValueError):
            found = json.loads((self._folder / "health.json").read_text())
            return {problem["kind"] for problem in found["problems"]}
        return set()

    def close(self) -> None:
        self.process.stop()
        for link in self.links.values():
            link.close()


@dataclass
class Site:
    """The cloud, and two triggers.

    :ivar homes: the hosts of its servers, by uuid.
    :ivar outbox: the events that are still to be sent.
    """

    cloud: Cloud
    triggers: Mapping[str, Trigger]
    homes: Mapping[str, str]
    history: History
    outbox: Outbox

    def active(self) -> tuple[Trigger, Trigger]:
        """The active one, and the other one."""
        holder = SqlJournal(self.history._db).holder()
        first, second = self.triggers.values()
        if holder.split(":")[1] == str(first.process.pid):
            return first, second
        assert holder.split(":")[1] == str(second.process.pid), holder
        return second, first

    def count(self, kind: EventKind, **query: object) -> int:
        found = HistoryQuery(outcome=kind.value, limit=None, **query)  # type: ignore[arg-type]
        return len(self.history.events(found))

    def says(self, kinds: Set[str]) -> bool:
        """Whether the active one's health names one of these."""
        return bool(self.active()[0].problems() & kinds)

    def is_recovered(self, host: str) -> bool:
        return bool(self.count(EventKind.HOST_RECOVERED, host=host))

    def runs_on(self, server: str) -> list[str]:
        """The hosts on which a guest of it runs."""
        found = {h: self.cloud.hardware.guests(h) for h in (*HOSTS, RESERVE)}
        return [
            host
            for host, guests in found.items()
            if server in guests and guests[server].state == power_state.RUNNING
        ]

    def evacuations(self, server: str) -> list[str]:
        """The states of Nova's records of them."""
        path = f"/os-migrations?migration_type=evacuation&instance_uuid={server}"
        found = self.cloud.nova("GET", path).json()["migrations"]
        return [migration["status"] for migration in found]


def _port(url: str) -> int:
    return urllib.parse.urlsplit(url).port or 0


@pytest.fixture(scope="module")
def site(
    tmp_path_factory: pytest.TempPathFactory,
    mariadb: str,  # noqa: F811
) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("links")
    hosts = [*HOSTS, RESERVE]
    nova: Conf = {"DEFAULT": {"report_interval": 2, "service_down_time": DOWN_TIME}}
    times = "connect_timeout=2&read_timeout=4&write_timeout=4"
    conf: Conf = {
        "detection": {"poll_interval": 1, "down_time": DOWN_TIME},
        "evacuation": {"follow_interval": 1, "slow_after": SLOW_AFTER},
        "fencing": {"power_off_timeout": 10, "request_timeout": 4},
        "guard": {"max_hosts": 9, "max_zone_percent": 100, "max_cloud_percent": 100},
        "return": {"flapping_within": 0},
        "journal": {"lease_timeout": LEASE},
        "cloud": {"timeout": 5},
    }
    engine = sa.create_engine(f"{mariadb}/")
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE DATABASE links"))
    engine.dispose()
    database = f"{mariadb}/links?{times}"
    with contextlib.ExitStack() as ends:
        broker = ends.enter_context(rabbitmq.running(folder / "bus"))
        bmcs = ends.enter_context(redfish.bmcs(folder, hosts))
        zones = dict.fromkeys(hosts, ZONE)
        made = Cloud(folder / "cloud", {"cell1": hosts}, zones, merge(PLUGIN, nova))
        cloud = ends.enter_context(made)
        cloud.aggregate("protected", {"ha": "true", "storage_zone": ZONE}, hosts)
        cloud.aggregate("reserve", {"ha:reserved": "true"}, [RESERVE])
        flavor = cloud.flavor("protected", {"ha": "true"})
        homes = {
            cloud.create(f"web{number}-{host}", flavor, host=host): host
            for host in HOSTS
            for number in range(SERVERS)
        }
        for uuid in homes:
            cloud.wait_status(uuid, "ACTIVE")
        triggers = {}
        for name in ("first", "second"):
            found = Trigger(folder / name, cloud, bmcs, broker, database, conf)
            ends.callback(found.close)
            triggers[name] = found
            words = "This trigger is the active one" if name == "first" else "stands by"
            found.process.wait_until(
                name, lambda f=found, w=words: w in f.process.log.read_text(), 90
            )
        own = merge(conf, {"database": {"connection": database}})
        (folder / "own").mkdir()
        reader = rig.Trigger(folder / "own", cloud.clouds_yaml, own)
        history = reader.history()
        yield Site(cloud, triggers, homes, history, Outbox(history._db))


@pytest.mark.parametrize(
    ("name", "host"),
    [
        pytest.param(name, host, marks=[pytest.mark.short] if n < SHORT else [])
        for n, (name, host) in enumerate(zip(CASES, HOSTS, strict=True))
    ],
)
def test_a_host_that_dies_meanwhile(site: Site, name: str, host: str) -> None:
    case, kinds = CASES[name], EventKind
    active, other = site.active()
    for trigger in active, other:
        wait("nothing is wrong", lambda t=trigger: not t.problems() - {"settling"})
    active.suffer(case.active)
    other.suffer(case.standby)
    began = time.time()
    site.cloud.crash(host)
    try:
        if case.blind:
            wait(case.blind, lambda: site.says({case.blind}))
            assert not site.is_recovered(host)
        else:
            wait("the recovery", lambda: site.is_recovered(host) or site.says(BLIND))
    finally:
        for trigger in active, other:
            trigger.suffer({})
    wait("the recovery", lambda: site.is_recovered(host))
    servers = [uuid for uuid, home in site.homes.items() if home == host]
    for uuid in servers:
        assert site.cloud.host(uuid) != host
        assert site.runs_on(uuid) == [site.cloud.host(uuid)]
        # Nova may take a request that arrives twice for two, and give both up.
        asked = site.count(kinds.SERVER_ASKED, server=uuid)
        assert len(site.evacuations(uuid)) <= (2 * asked if case.twice else 1)
        assert site.count(kinds.SERVER_RECOVERED, server=uuid) == 1
    assert site.count(kinds.HOST_FENCED, host=host) == 1
    _only_one_acted(site, began)
    # Whatever the bus was like: it may be told late, and is told all the same.
    wait("all was told", lambda: not site.outbox.pending())
    if case.passes:
        assert site.active()[0] is other
    for found in site.triggers.values():
        assert found.process.alive
        assert "Traceback" not in found.process.log.read_text(errors="replace")


def _only_one_acted(site: Site, since: float) -> None:
    """Each trigger changes something only from when it became the active one until
    another one did: a change of hands is in the history."""
    acted = sorted(
        (at, name)
        for name, trigger in site.triggers.items()
        for at, _ in trigger.changes
        if at >= since
    )
    hands = [name for name, _ in itertools.groupby(name for _, name in acted)]
    query = HistoryQuery(
        outcome=EventKind.TRIGGER_REPLACED.value, since=since, limit=None
    )
    assert len(hands) <= 1 + len(site.history.events(query)), hands
    assert acted, "nobody did anything"
