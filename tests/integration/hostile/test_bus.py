# SPDX-License-Identifier: Apache-2.0
"""Thousands of forged messages on a real broker, and then one of Nova's."""

import datetime
import json
import logging
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import amqp
import pytest

from nova_ha_scheduler.health.troubles import Trouble, Troubles
from nova_ha_scheduler.service import startup
from nova_ha_scheduler.service.notifications import bus
from nova_ha_scheduler.service.notifications.broker import configured
from nova_ha_scheduler.service.notifications.bus import Listener
from nova_ha_scheduler.service.notifications.updates import ServiceUpdate, Update
from tests.lib import broker as rabbitmq
from tests.lib.broker import Broker
from tests.lib.siege import forged

HOSTS = ["c1", "c2"]
FORGED = 2000
SECONDS = 60.0
MIB = 96
"""That the process may grow by: less than one of the messages is, unpacked."""
LINES = 20


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    with rabbitmq.running(tmp_path_factory.mktemp("broker") / "rabbitmq") as broker:
        yield broker


class Ear:
    """A listener, and what it has heard."""

    def __init__(self, conf: Any) -> None:
        self.heard: list[Update] = []
        self.troubles = Troubles()
        self.listener = Listener(conf, self.heard.append, self.troubles)
        self.listener.start()

    def wait(self, is_so: Callable[[], object]) -> None:
        end = time.monotonic() + SECONDS
        while not is_so():
            assert time.monotonic() < end, self.troubles.standing()
            time.sleep(0.05)

    def hears(self, host: str) -> bool:
        hosts = [u.host for u in self.heard if isinstance(u, ServiceUpdate)]
        return host in hosts


@pytest.fixture
def ear(broker: Broker, tmp_path: Path) -> Iterator[Ear]:
    file = tmp_path / "nova-ha.conf"
    file.write_text(f"[oslo_messaging_notifications]\ntransport_url = {broker.url}\n")
    conf = startup.load("test", [f"--config-file={file}"])
    assert configured(conf)
    found = Ear(conf)
    found.wait(lambda: broker.consumers(bus.POOL))
    yield found
    found.listener.stop()


def _tell(broker: Broker, host: str) -> None:
    """As Nova does when a host is forced down."""
    now = datetime.datetime.now(datetime.UTC).replace(tzinfo=None)
    data = {"binary": "nova-compute", "host": host, "forced_down": True}
    message = {
        "priority": "INFO",
        "event_type": "service.update",
        "publisher_id": "nova-api",
        "message_id": "1",
        "timestamp": now.isoformat(" "),
        "payload": {"nova_object.data": data},
        "_unique_id": host,
    }
    body = {"oslo.version": "2.0", "oslo.message": json.dumps(message)}
    forged.publish(broker.port, [forged.as_json(json.dumps(body).encode())])


def test_a_flood_of_forged_messages(
    broker: Broker, ear: Ear, caplog: pytest.LogCaptureFixture
) -> None:
    """None of them ends the listening, or is believed to, or fills memory or log."""
    _tell(broker, "first")
    ear.wait(lambda: ear.hears("first"))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with caplog.at_level(logging.INFO):
        # By another process: it takes memory to make them.
        how = f"forged.send({broker.port}, 1, {FORGED}, {HOSTS})"
        code = f"from tests.lib.siege import forged; {how}"
        subprocess.run([sys.executable, "-c", code], check=True)
        _tell(broker, "last")
        ear.wait(lambda: ear.hears("last"))
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024
    assert grown < MIB
    assert Trouble.LISTENER not in [trouble for trouble, *_ in ear.troubles.standing()]
    assert len(caplog.records) < LINES
    assert all(record.exc_info is None for record in caplog.records)
    (said, *_) = [r.getMessage() for r in caplog.records if "cannot be read" in r.msg]
    assert said.isprintable()
    for update in ear.heard:
        assert not isinstance(update, ServiceUpdate) or update.host.isprintable()


def test_one_that_is_not_read_by_its_size(broker: Broker, ear: Ear) -> None:
    much = amqp.Message(b"[" + b"[]," * 2_000_000 + b"[]]", **forged.JSON)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    forged.publish(broker.port, [much] * 5)
    _tell(broker, "then")
    ear.wait(lambda: ear.hears("then"))
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024
    assert grown < MIB
