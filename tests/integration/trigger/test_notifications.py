# SPDX-License-Identifier: Apache-2.0
"""Nova's notifications are heard, and the trigger's own are sent; without a broker."""

from tests.integration.trigger.conftest import MakeTrigger, boot_on  # isort: skip

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import oslo_messaging
import pytest
from oslo_config import cfg

from nova_ha_scheduler.health.troubles import Troubles
from nova_ha_scheduler.service import startup
from nova_ha_scheduler.service.notifications import broker as listening
from nova_ha_scheduler.service.notifications import bus
from nova_ha_scheduler.service.notifications.updates import (
    RebuildBegun,
    RebuildEnded,
    Update,
)
from tests.integration.trigger.running import active, recovered, running
from tests.lib.broker import Broker
from tests.lib.cloud import Cloud


def over(broker: Broker) -> dict[str, dict[str, Any]]:
    """The options for notifications over this broker, both ways."""
    return {
        "oslo_messaging_notifications": {
            "driver": "messagingv2",
            "transport_url": broker.url,
        },
    }


@contextmanager
def heard(broker: Broker) -> Iterator[list[tuple[str, Any]]]:
    """What the trigger sends: event types and payloads, as they come."""
    found: list[tuple[str, Any]] = []

    class Endpoint:
        def info(self, context: Any, publisher: str, kind: str, payload: Any, _: Any):  # type: ignore[no-untyped-def]
            found.append((kind, payload))

    conf = cfg.ConfigOpts()
    conf([])
    listener = oslo_messaging.get_notification_listener(
        oslo_messaging.get_notification_transport(conf, url=broker.url),
        [oslo_messaging.Target(topic="notifications", exchange="openstack")],
        [Endpoint()],
        executor="threading",
    )
    listener.start()
    try:
        yield found
    finally:
        listener.stop()
        listener.wait()


def test_a_notification_is_acted_on_at_once(
    cloud: Cloud,
    broker: Broker,
    flavor: str,
    trigger: MakeTrigger,
    bmc: dict[str, Any],
    tmp_path: Path,
) -> None:
    """Nova's are heard long before the next look: that the host is down, and that its
    servers have landed. The trigger's own tell of it."""
    ids = boot_on(cloud, "node4", flavor, *(f"fast{n}" for n in range(3)))
    configured = trigger(
        {"node4": bmc},
        detection={"poll_interval": 600},
        evacuation={"follow_interval": 600},
        **over(broker),
    )
    with heard(broker) as events, running(configured, tmp_path / "evacuator.log"):
        cloud.wait("the service", lambda: active(configured))
        cloud.wait("its listener", lambda: broker.consumers(bus.POOL))
        time.sleep(1)  # its first look is over
        cloud.crash("node4")
        cloud.force_down("node4")
        row = recovered(cloud, configured, "node4")
        cloud.wait("events", lambda: "nova_ha.host.recovered" in dict(events))
    # How fast: make bench.
    assert 0 < row["notification_to_evacuate_s"] < 30
    payload = dict(events)["nova_ha.host.fenced"]
    assert payload["host"] == "node4"
    assert set(payload["servers"]) >= set(ids)


@pytest.fixture
def absent(broker: Broker) -> Iterator[Broker]:
    """The broker, which a test may stop; the next one finds it running."""
    yield broker
    broker.start()


@pytest.mark.parametrize(("host", "at_start"), [("node5", False), ("node6", True)])
def test_without_the_broker_it_polls(
    cloud: Cloud,
    absent: Broker,
    flavor: str,
    trigger: MakeTrigger,
    bmc: dict[str, Any],
    tmp_path: Path,
    host: str,
    at_start: bool,
) -> None:
    """And listens once the broker is there."""
    boot_on(cloud, host, flavor, f"slow-{host}")
    configured = trigger({host: bmc}, **over(absent))
    if at_start:
        absent.stop()
    with running(configured, tmp_path / "evacuator.log"):
        cloud.wait("the service", lambda: active(configured))
        if not at_start:
            cloud.wait("its listener", lambda: absent.consumers(bus.POOL))
            absent.stop()
        cloud.crash(host)
        cloud.force_down(host)
        row = recovered(cloud, configured, host)
        absent.start()
        cloud.wait("its listener", lambda: absent.consumers(bus.POOL))
    assert row["notification_to_evacuate_s"] is None


def test_events_wait_for_the_broker(
    cloud: Cloud,
    absent: Broker,
    trigger: MakeTrigger,
    bmc: dict[str, Any],
    tmp_path: Path,
) -> None:
    """What happens without it is told when it is back, each event once."""
    configured = trigger({"node6": bmc}, **over(absent))
    absent.stop()
    with running(configured, tmp_path / "evacuator.log"):
        cloud.wait("the service", lambda: active(configured))
        cloud.crash("node6")
        cloud.force_down("node6")
        recovered(cloud, configured, "node6")
        absent.start()
        with heard(absent) as events:
            last = "nova_ha.host.recovered"
            cloud.wait("events", lambda: last in dict(events))
    shown = configured.json("history", "show", "node6")["events"]
    wanted = [f"nova_ha.{event['kind']}" for event in shown]
    told = [kind for kind, payload in events if payload["host"] == "node6"]
    assert told == wanted


def test_nova_notifies_of_a_rebuilds_begin_and_end(
    cloud: Cloud, flavor: str, trigger: MakeTrigger, broker: Broker
) -> None:
    """By the begin the trigger knows that Nova can be asked for another one."""
    (server,) = boot_on(cloud, "node5", flavor, "heard")
    url = {"oslo_messaging_notifications": {"transport_url": broker.url}}
    conf = startup.load("test", ["--config-file", str(trigger(**url).conf)])
    heard: list[Update] = []
    listener = listening.start_listener(conf, heard.append, Troubles())
    assert listener
    try:
        cloud.wait("its listener", lambda: broker.consumers(bus.POOL))
        cloud.crash("node5")
        cloud.force_down("node5")
        body = {"evacuate": {"host": "node6"}}
        assert cloud.nova("POST", f"/servers/{server}/action", body).ok
        cloud.wait("its end", lambda: RebuildEnded(server) in heard)
    finally:
        listener.stop()
    assert cloud.host(server) == "node6"
    assert heard.index(RebuildBegun(server)) < heard.index(RebuildEnded(server))
