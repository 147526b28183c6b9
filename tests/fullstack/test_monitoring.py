# SPDX-License-Identifier: Apache-2.0
"""What two triggers tell while a host loses its power, and while one of the triggers is
killed: over HTTP those who ask, and by webhook and mail those who do not."""

import contextlib
import functools
import json
import threading
import time
import urllib.request
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families as parsed

from nova_ha_scheduler.journal.history import HistoryQuery
from nova_ha_scheduler.records.events import EventKind
from tests.fullstack.conftest import check, recovered
from tests.lib import ports
from tests.lib.cloud.config import Conf
from tests.lib.errors import ProgramError
from tests.lib.people import Hook, Mails
from tests.lib.stack import servers
from tests.lib.stack.evacuator import QUICK, Trigger
from tests.lib.stack.stack import Stack

pytestmark = pytest.mark.stand_ins(
    "What is told does not depend on who runs the guests."
)

PROMISED = 2.0
"""Seconds from an event in the history to the page, the metrics and each receiver."""

LEASE = QUICK["journal"]["lease_timeout"]

KINDS = ("host.suspected", "host.fenced", "server.recovered", "host.recovered")

REPLACED = EventKind.TRIGGER_REPLACED.value


class People:
    """A webhook's server and a mail server, and when they took which event."""

    def __init__(self) -> None:
        self.hook, self.mails = Hook(), Mails()

    @property
    def conf(self) -> Conf:
        told = {"kinds": [*KINDS, REPLACED]}
        mail = {"host": "127.0.0.1", "port": self.mails.port, "security": "none"}
        whom = {"sender": "ha@example.org", "recipients": "night@example.org"}
        return {
            "messages": {"receivers": "hook, mail"},
            "receiver_hook": {"type": "webhook", "url": self.hook.url, **told},
            "receiver_mail": {"type": "smtp", **mail, **whom, **told},
        }

    def told(self) -> Mapping[str, Mapping[int, float]]:
        """Of each receiver: when it first took the event of that number."""
        found: dict[str, dict[int, float]] = {"hook": {}, "mail": {}}
        for at, body in list(self.hook.took):
            for number in body["ids"]:
                found["hook"].setdefault(number, at)
        for at, mail in list(self.mails.took):
            found["mail"].setdefault(int(mail["X-Nova-HA-Id"]), at)
        return found

    def has(self, number: int) -> bool:
        return all(number in told for told in self.told().values())


@pytest.fixture
def people() -> Iterator[People]:
    found = People()
    yield found
    found.hook.stop()
    found.mails.stop()


class Told:
    """What a trigger says at its port; nothing while nobody is there."""

    def __init__(self, port: int) -> None:
        self._place = f"http://127.0.0.1:{port}"

    def get(self, path: str) -> str:
        try:
            with urllib.request.urlopen(f"{self._place}{path}", timeout=10) as answer:
                return str(answer.read().decode())
        except OSError:
            return ""

    @property
    def status(self) -> Any:
        return json.loads(self.get("/status.json") or "null") or {"events": []}

    def metric(self, name: str, **labels: str) -> float | None:
        for family in parsed(self.get("/metrics")):
            for sample in family.samples:
                if sample.name == name and labels.items() <= sample.labels.items():
                    return float(sample.value)
        return None

    def watch(self) -> Mapping[str, float]:
        """From now on: when each kind of event was seen on the page and in the metrics,
        the later of both, by the clock."""
        seen: dict[str, float] = {}

        def look() -> None:
            while not seen.get("end"):
                events = {event["kind"] for event in self.status["events"]}
                for kind in events - seen.keys():
                    if self.metric("nova_ha_events_total", kind=kind):
                        seen[kind] = time.time()
                time.sleep(0.1)

        threading.Thread(target=look, daemon=True).start()
        return seen


def test_a_power_cut_and_a_killed_trigger(
    stack: Stack, trigger: Callable[..., Trigger], people: People
) -> None:
    first, second = (ports.free_port() for _ in range(2))
    ours = trigger(
        conf={"health": {"port": first, "capacity_interval": 60}, **people.conf}
    )
    ids = servers.boot(stack, "a1", 4)
    ours.service().start()
    ours.service("second", follows=True, conf={"health": {"port": second}}).start()
    active, other = Told(first), Told(second)
    stack.wait("protection", lambda: active.metric("nova_ha_health") == 0)
    stack.wait("who stands by", lambda: other.metric("nova_ha_health") == 0)
    assert other.metric("nova_ha_active") == 0
    stack.wait("the capacity", lambda: active.status.get("zones"))

    seen = active.watch()
    stack.machines["a1"].kill()
    check(stack, [recovered(stack, ours, "a1")], ids)
    history, late = ours.history(), defaultdict[str, list[float]](list)
    for kind in KINDS:
        stack.wait(f"{kind} told", functools.partial(seen.__contains__, kind))
        events = history.events(HistoryQuery(host="a1", outcome=kind, limit=None))
        late[kind].append(seen[kind] - events[-1][1].at)
        for number, event in events:
            stack.wait(f"event {number}", functools.partial(people.has, number))
            late[kind] += (told[number] - event.at for told in people.told().values())
    print(f"seconds from each event to page and metrics, hook, mail: {dict(late)}")
    assert len(late["server.recovered"]) == 1 + 2 * len(ids)
    assert max(map(max, late.values())) < PROMISED, late
    (recovery,) = active.status["recoveries"]
    assert (recovery["recovered"], recovery["servers"]) == (4, 4)
    assert active.metric("nova_ha_fence_total", result="ok") == 1
    stages = "nova_ha_recovery_stage_seconds_count"
    assert active.metric(stages, stage="last_server_up") == 1

    ours.services["evacuator"].kill()
    killed_at = time.monotonic()
    stack.wait("nobody there", lambda: active.get("/metrics") == "")
    stack.wait("the next one", lambda: other.metric("nova_ha_active") == 1)
    took = time.monotonic() - killed_at
    print(f"seconds from the kill to the next active trigger: {took:.1f}")
    assert took < LEASE + PROMISED
    stack.wait("protection", lambda: other.metric("nova_ha_health") == 0)
    ((number, replaced),) = history.events(HistoryQuery(outcome=REPLACED))
    stack.wait("word of it", functools.partial(people.has, number))
    told = [times[number] - replaced.at for times in people.told().values()]
    assert max(told) < PROMISED, told

    ours.services["second"].kill()
    killed_at = time.monotonic()
    stack.wait("an alarm", functools.partial(_alarmed, ours))
    took = time.monotonic() - killed_at
    print(f"seconds from the last one's kill to nova-ha health's alarm: {took:.1f}")
    assert took < LEASE + PROMISED  # the command takes its time, too


def _alarmed(ours: Trigger) -> bool:
    with contextlib.suppress(ProgramError):
        return "the active trigger gives no sign of life" in ours.nova_ha(
            "health", code=2
        )
    return False
