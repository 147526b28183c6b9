# SPDX-License-Identifier: Apache-2.0
"""What two triggers tell over HTTP while hosts die, and while one of them does."""

from tests.integration.leadership.conftest import DEAD, Site  # isort: skip

import json
import signal
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families as parsed

from nova_ha_scheduler.journal.history import History, HistoryQuery
from tests.lib import ports
from tests.lib.backends import Backend
from tests.lib.recorder import Nova, Recorder
from tests.lib.waiting import BUSY, wait

LEASE = 5
"""Seconds: a busy machine must not look like a dead trigger."""

PROMISED = BUSY * 2.0
"""Seconds from an event in the history to the page and the metrics."""


@pytest.fixture
def database(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/journal.sqlite"


class Told:
    """What a trigger says at its port."""

    def __init__(self, site: Site, name: str) -> None:
        self.port = ports.free_port()
        site.more[name] = f"port = {self.port}\ncapacity_interval = 0\n"

    def get(self, path: str) -> tuple[int, str]:
        """0: nobody is there."""
        try:
            with urllib.request.urlopen(
                f"http://127.0.0.1:{self.port}{path}", timeout=10
            ) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            return 0, ""

    @property
    def status(self) -> Any:
        code, text = self.get("/status.json")
        return json.loads(text) if code == 200 else None

    def metric(self, name: str, **labels: str) -> float | None:
        for family in parsed(self.get("/metrics")[1]):
            for sample in family.samples:
                if sample.name == name and labels.items() <= sample.labels.items():
                    return sample.value
        return None


def test_a_killed_trigger_shows_within_the_lease(site: Site) -> None:
    first, second = Told(site, "first"), Told(site, "second")
    site.cloud = Recorder(Nova([], ["alive1", "alive2"]))
    site.start_leader("first", Backend(), LEASE)
    site.start_follower("second", Backend(), LEASE)
    wait("the first one", lambda: first.metric("nova_ha_active") == 1)
    wait("the other one's word", lambda: second.metric("nova_ha_health") == 0)
    assert second.metric("nova_ha_active") == 0
    assert second.status["active_trigger"] == first.status["trigger"]
    assert second.get("/healthcheck/ready")[0] == 200
    assert second.get("/healthcheck/alive")[0] == 200
    site.signal("first", signal.SIGKILL)
    killed_at = time.monotonic()
    wait("nobody at its port", lambda: first.get("/metrics")[0] == 0)
    wait("the other one leads", lambda: second.metric("nova_ha_active") == 1)
    took = time.monotonic() - killed_at
    assert took < LEASE + PROMISED, took
    wait("protection", lambda: second.metric("nova_ha_health") == 0)
    wait("its event", lambda: "trigger.replaced" in kinds(second.status))


def test_a_power_cut_shows_soon(site: Site) -> None:
    """Of each event, from the time at which it was decided."""
    told = Told(site, "first")
    site.start_leader("first", Backend(), LEASE)
    wait("the suspicion", lambda: history(site, "host.held"))
    site.confirm(DEAD[0])
    late = dict[str, float]()
    for kind in ("host.suspected", "host.fenced", "host.recovered"):
        event = wait(kind, lambda kind=kind: history(site, kind, DEAD[0]))
        seen = wait(kind, lambda kind=kind: shown(told, kind, DEAD[0]))
        late[kind] = seen - event.at
        counts = told.metric("nova_ha_events_total", kind=kind)
        assert counts, kind
    assert late["host.fenced"] < PROMISED, late
    assert late["host.recovered"] < PROMISED, late
    states = {each["host"]: each["state"] for each in told.status["recoveries"]}
    assert states[DEAD[0]] == "recovered"
    assert states[DEAD[1]] == "confirmed"
    assert told.metric("nova_ha_hosts", state="recovered") == 1
    assert told.metric("nova_ha_guard_tripped") == 1
    assert told.metric("nova_ha_trouble", kind="guard") == 1
    (problem,) = told.status["problems"]
    assert problem["command"].startswith("nova-ha guard reset")


def kinds(status: Any) -> list[str]:
    return [event["kind"] for event in status["events"]]


def history(site: Site, kind: str, host: str | None = None) -> Any:
    found = History(site.database).events(HistoryQuery(host=host, outcome=kind))
    return found[0][1] if found else None


def shown(told: Told, kind: str, host: str) -> float | None:
    """When it was seen on the page, by the clock; None: it is not there yet."""
    events = (told.status or {"events": ()})["events"]
    there = any((e["kind"], e["host"]) == (kind, host) for e in events)
    counted = told.metric("nova_ha_events_total", kind=kind)
    return time.time() if there and counted else None


def test_a_cloud_that_cannot_be_seen(site: Site) -> None:
    told = Told(site, "first")
    site.cloud = Recorder(Nova([], ["alive1", "alive2"]))
    site.start_leader("first", Backend(), LEASE)
    wait("protection", lambda: told.get("/healthcheck")[0] == 200)
    site.cloud.faults["compute"] = "503 Service Unavailable"
    wait("an alarm", lambda: told.get("/healthcheck")[0] == 503)
    assert "the cloud cannot be seen" in told.get("/healthcheck")[1]
    assert told.get("/healthcheck/alive")[0] == 200  # no reason to restart it
    assert told.metric("nova_ha_trouble", kind="cloud") == 1
    assert told.metric("nova_ha_health") == 2
    looked_at = told.metric("nova_ha_last_look_timestamp_seconds")
    assert looked_at
    assert looked_at < time.time()
    site.cloud.faults.clear()
    wait("sight", lambda: told.get("/healthcheck")[0] == 200)
