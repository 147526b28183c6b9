# SPDX-License-Identifier: Apache-2.0
"""A real Nova in this process, and the trigger beside it, as its users run it."""

from tests.lib.cloud import Cloud, CloudError  # isort: skip  (prepares the process for Nova)

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from nova.conf import CONF

from nova_ha_scheduler.journal.database import Database
from nova_ha_scheduler.journal.history import History, HistoryQuery
from nova_ha_scheduler.service.startup import load
from tests.lib import broker as rabbitmq
from tests.lib.broker import Broker
from tests.lib.redfish import bmcs

HOSTS = [f"node{n}" for n in range(1, 8)]
ZONE = "nfs-a"
PROTECTED = "protected"
"""The aggregate of all the others."""
POLICY = "policy.yaml"
"""Nova's policy file, which does not exist, in the cloud's folder."""
OUTSIDE = "alone"
"""A host without protection and without shared storage."""

# What several tests kill has to stay below the limits of each one's guard.
QUICK = {
    "detection": {"poll_interval": 2},
    "evacuation": {"follow_interval": 1},
    "guard": {"max_hosts": 9, "max_zone_percent": 100, "max_cloud_percent": 100},
    "return": {"flapping_within": 0},
    "journal": {"lease_timeout": 3},
}


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    with rabbitmq.running(tmp_path_factory.mktemp("broker") / "rabbitmq") as broker:
        yield broker


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory, broker: Broker) -> Iterator[Cloud]:
    """Seven protected hosts on one storage; Nova's notifications go to the broker."""
    conf: dict[str, dict[str, Any]] = {
        "oslo_messaging_notifications": {
            "driver": "messagingv2",
            "transport_url": broker.url,
            "retry": 0,  # without a broker, Nova's API would wait for it
        },
        "notifications": {"notification_format": "versioned"},
    }
    hosts = [*HOSTS, OUTSIDE]
    zones = dict.fromkeys(HOSTS, ZONE)
    state = tmp_path_factory.mktemp("cloud")
    conf["oslo_policy"] = {"policy_file": state / POLICY}
    with Cloud(state, {"cell1": hosts}, zones, conf) as cloud:
        cloud.aggregate(PROTECTED, {"ha": "true", "storage_zone": ZONE}, HOSTS)
        yield cloud


@pytest.fixture(scope="session")
def flavor(cloud: Cloud) -> str:
    return cloud.flavor("protected", {"ha": "true"})


def boot_on(cloud: Cloud, host: str, flavor: str, *names: str) -> list[str]:
    """Servers on a host, running."""
    for name in names:
        cloud.create(name, flavor, host=host)
    listed = cloud.nova("GET", "/servers/detail?all_tenants=1").json()["servers"]
    ids = {server["name"]: server["id"] for server in listed}
    for name in names:
        cloud.wait_status(ids[name], "ACTIVE")
    return [ids[name] for name in names]


@dataclass(frozen=True)
class Trigger:
    """A configuration of the trigger with a journal of its own."""

    conf: Path
    journal: Path

    def nova_ha(self, *arguments: str, code: int = 0) -> str:
        """Run the command line; it has to end with this exit code."""
        out, err = self.both(*arguments, code=code)
        return out if code == 0 else out + err

    def both(self, *arguments: str, code: int = 0) -> tuple[str, str]:
        """The same; what it writes to the standard output, and to standard error."""
        done = subprocess.run(
            [program("nova-ha"), "--config-file", str(self.conf), *arguments],
            capture_output=True,
            text=True,
            timeout=100,
            env=ENVIRONMENT,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout, done.stderr

    def json(self, *arguments: str) -> Any:
        return json.loads(self.nova_ha(*arguments, "-f", "json"))

    def outcome(self, host: str) -> str:
        """How far the newest recovery of a host has come."""
        database = Database(load("test", ["--config-file", str(self.conf)]))
        found = History(database).recoveries(HistoryQuery(host=host, limit=1))
        database.dispose()
        return found[0].outcome if found else ""

    def start(self, log: Path) -> "subprocess.Popen[bytes]":
        with log.open("wb") as file:
            return subprocess.Popen(
                [program("nova-ha-evacuator"), "--config-file", str(self.conf)],
                stdout=file,
                stderr=subprocess.STDOUT,
                env=ENVIRONMENT,
            )


def program(name: str) -> str:
    return str(Path(sys.executable).with_name(name))


# eventlet, which comes with Nova, warns of itself wherever it is found.
ENVIRONMENT = {**os.environ, "PYTHONWARNINGS": "ignore"}


@pytest.fixture(autouse=True)
def repaired(cloud: Cloud) -> Iterator[None]:
    """Bring back what a test has killed: the next one's trigger would act on it."""
    yield
    compute = cloud.openstack().compute
    for host in HOSTS:
        if not cloud.is_running(host):
            cloud.revive(host)
            cloud.wait("clean-up", partial(_lift, cloud, host))
            # Of one that is down, Nova does not tell Placement that it is enabled.
            cloud.wait("a heartbeat", lambda h=host: _service(compute, h).state == "up")
            compute.enable_service(_service(compute, host))


def _service(compute: Any, host: str) -> Any:
    (found,) = compute.services(binary="nova-compute", host=host)
    return found


def _lift(cloud: Cloud, host: str) -> bool:
    try:
        cloud.force_down(host, False)
    except CloudError:
        return False
    return True


@pytest.fixture
def one_a_page() -> Iterator[None]:
    """Nova's lists come in pages of one."""
    CONF.set_override("max_limit", 1, group="api")
    yield
    CONF.clear_override("max_limit", group="api")


@pytest.fixture
def tidy(cloud: Cloud) -> Iterator[None]:
    """Remove the aggregates that a test has made."""
    yield
    compute = cloud.openstack().compute
    for aggregate in compute.aggregates():
        if aggregate.name != PROTECTED:
            for host in aggregate.hosts:
                compute.remove_host_from_aggregate(aggregate, host)
            compute.delete_aggregate(aggregate)


MakeTrigger = Callable[..., Trigger]


@pytest.fixture
def trigger(cloud: Cloud, tmp_path: Path) -> MakeTrigger:
    """Configure a trigger; all hosts are fenced by hand, unless said otherwise."""

    def make(
        methods: dict[str, Any] | None = None, **changes: dict[str, Any]
    ) -> Trigger:
        fencing = tmp_path / "fencing.yaml"
        fencing.touch(0o600)
        manual = {host: {"method": "manual"} for host in HOSTS}
        hosts = manual | (methods or {})
        fencing.write_text(json.dumps({"hosts": {h: m for h, m in hosts.items() if m}}))
        journal = tmp_path / "journal.sqlite"
        sections: dict[str, dict[str, Any]] = {
            "cloud": {
                "auth_type": "password",
                "auth_url": cloud.endpoints["identity"] + "/v3",
                "username": "admin",
                "password": "any",
                "project_name": "demo",
                "user_domain_id": "default",
                "project_domain_id": "default",
            },
            "database": {"connection": f"sqlite:///{journal}"},
            "fencing": {"config_file": fencing},
            "health": {"directory": tmp_path},
        }
        for more in (QUICK, changes):
            for section, options in more.items():
                sections[section] = sections.get(section, {}) | options
        conf = tmp_path / "nova-ha.conf"
        conf.write_text(
            "".join(
                f"[{section}]\n" + "".join(f"{k} = {v}\n" for k, v in options.items())
                for section, options in sections.items()
            )
        )
        conf.chmod(0o640)
        return Trigger(conf, journal)

    return make


@pytest.fixture
def bmc(tmp_path: Path) -> Iterator[dict[str, Any]]:
    """How to fence a host with a BMC of its own."""
    with bmcs(tmp_path, ["one"]) as found:
        yield found.method("one")
