# SPDX-License-Identifier: Apache-2.0
"""Whoever reaches Nova's message bus may send what looks like its notifications."""

import datetime
import logging
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nova_ha_scheduler.cluster.picture import Scope
from nova_ha_scheduler.health.troubles import Trouble, Troubles
from nova_ha_scheduler.records.events import Event, EventKind
from nova_ha_scheduler.service import startup
from nova_ha_scheduler.service.notifications import broker, bus
from nova_ha_scheduler.service.notifications.bus import Listener, Sender
from nova_ha_scheduler.service.notifications.updates import (
    News,
    RebuildBegun,
    RebuildEnded,
    ServiceUpdate,
    Updates,
)
from nova_ha_scheduler.service.openstack_world import ProductionWorld
from tests.lib import answers
from tests.lib.waiting import PATIENCE

UUID = "aaaaaaaa-0000-4000-8000-000000000001"
SERVICE = {"binary": "nova-compute", "host": "c2", "forced_down": True}


def _metadata(**more: Any) -> dict[str, Any]:
    now = datetime.datetime.now(datetime.UTC).replace(tzinfo=None)
    return {"timestamp": now.isoformat(" "), **more}


def _heard(kind: str, payload: Any, metadata: Any = None) -> list[Any]:
    conf: Any = None
    found: list[Any] = []
    listener = Listener(conf, found.append, Troubles())
    given = _metadata() if metadata is None else metadata
    listener.info({}, "publisher", kind, payload, given)
    return found


def _data(**more: Any) -> dict[str, Any]:
    return {"nova_object.data": {**SERVICE, **more}}


def test_what_nova_sends_is_heard() -> None:
    (update,) = _heard("service.update", _data())
    assert (update.host, update.forced_down) == ("c2", True)
    ended = {"nova_object.data": {"uuid": UUID}}
    assert _heard("instance.rebuild.end", ended) == [RebuildEnded(UUID)]
    assert _heard("instance.rebuild.start", ended) == [RebuildBegun(UUID)]


@pytest.mark.parametrize(
    "payload",
    [
        None,
        [],
        {},
        {"nova_object.data": None},
        _data(host=None),
        _data(host=5),
        _data(host=["c2"]),
        _data(host="x" * 20_000),
        _data(host="c2\0\x1b[2J"),
        _data(host="c2\ud800"),
        _data(host="\u202ec2"),
        _data(host=""),
        _data(forced_down="true"),
        _data(binary=None),
    ],
)
def test_what_is_none_is_dropped(
    payload: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        assert _heard("service.update", payload) == []
    (record,) = caplog.records
    words = record.getMessage()
    assert words.isprintable()
    assert len(words) < 500


@pytest.mark.parametrize(
    "uuid", [["x"], None, "../os-services", UUID + "\n", "x" * 999]
)
def test_a_server_that_is_none_is_dropped(uuid: Any) -> None:
    assert not _heard("instance.rebuild.end", {"nova_object.data": {"uuid": uuid}})


@settings(max_examples=50, deadline=None)
@given(st.recursive(st.none() | st.text() | st.integers(), st.lists), st.text())
def test_nothing_raises(anything: Any, kind: str) -> None:
    assert _heard(kind, anything) == []
    assert len(_heard("service.update", _data(), {"timestamp": anything})) == 1
    for update in _heard("service.update", _data(host=anything)):
        assert update.host == anything
        assert anything.isprintable()


def test_a_flood_is_one_warning(caplog: pytest.LogCaptureFixture) -> None:
    conf: Any = None
    listener = Listener(conf, lambda _: None, Troubles())
    with caplog.at_level(logging.WARNING):
        for _ in range(1000):
            listener.info({}, "publisher", "service.update", None, None)
    assert len(caplog.records) == 1


def _take(updates: Updates, now: float = 100.0, **began: float) -> News:
    return updates.take({"c1", "c2"}, {UUID}, began, now)


def test_ghosts_cost_nothing() -> None:
    """Only hosts of the newest picture, and servers that are on their way, count."""
    updates = Updates()
    for number in range(20_000):
        updates.put(ServiceUpdate(f"ghost{number}", True, 99.0))
        updates.put(RebuildEnded(f"server{number}"))
    assert len(updates._services) == len(updates._ended) == 10_000
    assert _take(updates) == News()
    updates.put(ServiceUpdate("c2", True, 99.0))
    updates.put(RebuildEnded(UUID))
    news = _take(updates)
    assert (news.down, news.ended) == (("c2",), {UUID})
    assert _take(updates) == News(), "each is taken once"


def test_the_same_is_told_once_in_a_while() -> None:
    updates, told = Updates(), []
    for now in (100, 101, 130, 159, 161, 162):
        updates.put(ServiceUpdate("c2", True, now))
        told.append(len(_take(updates, now).untold))
    assert told == [1, 0, 0, 0, 1, 0]


def test_what_the_trigger_did_itself_is_no_news() -> None:
    updates = Updates()
    updates.put(ServiceUpdate("c2", True, 99.0))
    assert _take(updates, c2=98.0) == News()


def test_a_host_that_is_not_there_is_never_looked_at() -> None:
    seen: list[str] = []

    class Api(answers.Api):
        def get(self, service: str, path: str, *more: Any, **_: Any) -> Any:
            seen.append(str(more))
            return super().get(service, path, *more)

    api: Any = Api()
    world = ProductionWorld(api, _Fencing(), _Fencing())
    world.observe(Scope())
    for number in range(2000):
        world.expect(f"ghost{number}")
    world.expect("c2")
    assert world.observe(Scope()).scope.hosts == {"c2"}
    assert "ghost" not in "".join(seen)


class _Fencing:
    """Nobody asks it."""

    def hear_names(self, names: object) -> None:
        pass

    def lacks(self, host: str) -> str:
        return ""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(name)


class Outbox:
    """One event, until it is sent."""

    def __init__(self) -> None:
        self.events = [(1, Event(EventKind.HOST_FENCED, 1.0, "c1"))]
        self.empty = threading.Event()

    def begin(self) -> None:
        """Nothing is left from before."""

    def pending(self) -> list[tuple[int, Event]]:
        return self.events

    def sent(self, _: int) -> None:
        self.events = []
        self.empty.set()


def test_the_sender_survives_a_bad_url(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is tried again, so that whoever mends it need not restart the trigger."""
    file = tmp_path / "nova-ha.conf"
    bad = "[oslo_messaging_notifications]\ntransport_url = no-such-driver://x\n"
    file.write_text(bad)
    conf = startup.load("test", [f"--config-file={file}"])
    assert broker.configured(conf)
    monkeypatch.setattr(bus, "_RETRY_SECONDS", 0.01)
    began, troubles = threading.Event(), Troubles()
    outbox: Any = Outbox()
    monkeypatch.setattr(
        troubles, "begins", lambda kind, _: kind is Trouble.SENDER and began.set()
    )
    Sender(conf, outbox, lambda: True, troubles).start()
    assert began.wait(PATIENCE)
    conf.set_override("transport_url", "fake://", broker.GROUP)
    assert outbox.empty.wait(PATIENCE)
