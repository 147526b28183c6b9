# SPDX-License-Identifier: Apache-2.0
"""When the trigger looks at the cloud."""

import time
from types import SimpleNamespace
from typing import Any

import pytest

from nova_ha_scheduler.cluster.errors import CloudUnreachable
from nova_ha_scheduler.cluster.picture import Scope
from nova_ha_scheduler.records.host_recovery import HostRecovery, HostState
from nova_ha_scheduler.records.server_recovery import ServerRecovery, ServerState
from nova_ha_scheduler.records.state import State
from nova_ha_scheduler.service.pace import Pace

FOLLOW = 60.0

Servers = tuple[ServerRecovery, ...]


def _pace(seen_at: float, *hosts: HostRecovery, servers: Servers = ()) -> Pace:
    """After a look, whose engine is a stub: what it knows is all that counts here."""
    engine: Any = SimpleNamespace(
        seen_at=seen_at,
        state=State(
            hosts={host.id: host for host in hosts},
            servers={server.key: server for server in servers},
        ),
        hurries=False,
        rests=lambda: False,
        scope=lambda: Scope(hosts=frozenset(host.host for host in hosts)),
        step=lambda look, outage: None,
        scheduling=frozenset,
        wants_look=lambda: False,
    )
    conf: Any = SimpleNamespace(
        detection=SimpleNamespace(poll_interval=2 * FOLLOW),
        evacuation=SimpleNamespace(follow_interval=FOLLOW),
    )
    executor: Any = SimpleNamespace(scheduling=lambda servers: None)
    pace = Pace(engine, executor, conf)
    pace.step(0.0)
    return pace


def _host(state: HostState, next_try_at: float) -> HostRecovery:
    return HostRecovery("r", "node1", state, started_at=0.0, next_try_at=next_try_at)


def test_a_late_hosts_device_is_asked_again_as_soon_as_that_counts() -> None:
    now = time.time()
    rest = _pace(now, _host(HostState.LATE, now + 5)).rest()
    assert 4 < rest <= 5
    assert _pace(now - 6, _host(HostState.LATE, now - 1)).rest() == 0.0


def test_a_cloud_that_does_not_answer_is_not_asked_without_a_pause() -> None:
    now = time.time()

    def step(look: bool, outage: float) -> None:
        raise CloudUnreachable("compute: no answer")

    pace = _pace(now - 6, _host(HostState.LATE, now - 1))
    assert pace.rest() == 0.0
    pace._engine.step = step  # type: ignore[assignment]
    with pytest.raises(CloudUnreachable):
        pace.step(0.0)
    assert pace.rest() > FOLLOW - 5


def test_else_the_interval_counts() -> None:
    now = time.time()
    assert _pace(now, _host(HostState.LATE, now - 1)).rest() > FOLLOW - 5
    assert _pace(now, _host(HostState.FENCING, now + 5)).rest() > FOLLOW - 5


def _server(uuid: str, state: ServerState) -> ServerRecovery:
    return ServerRecovery("r", uuid, uuid, "node1", state, time.time())


def test_who_is_told_looks_less_often() -> None:
    """By Nova's notifications; but not if somebody waits for another's end."""
    moving = _server("web1", ServerState.MOVING)
    host = _host(HostState.EVACUATING, 0.0)
    pace = _pace(time.time(), host, servers=(moving,))
    assert pace.rest() < FOLLOW
    pace.hear_of({"web1"}, ())
    assert pace.rest() > 2.9 * FOLLOW
    pace.hear_of((), {"web1"})
    assert pace.rest() < 1
    waiting = _server("web2", ServerState.WAITING)
    pace = _pace(time.time(), host, servers=(moving, waiting))
    pace.hear_of({"web1"}, ())
    assert pace.rest() < FOLLOW
