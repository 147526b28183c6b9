# SPDX-License-Identifier: Apache-2.0
"""When a look shows all hosts, and not only the records and servers of some."""

import pytest

from nova_ha_scheduler.cluster.picture import Scope
from nova_ha_scheduler.evacuation.detection import scope
from nova_ha_scheduler.evacuation.options import Options
from nova_ha_scheduler.records.host_recovery import HostRecovery, HostState
from nova_ha_scheduler.records.server_recovery import ServerRecovery, ServerState
from nova_ha_scheduler.records.state import State

NOW = 10_000.0


def _wanted(
    server: ServerState, hosts_at: float = NOW, listed_at: float = NOW
) -> Scope:
    """:param server: what the only server of a dead host is."""
    stages = {HostState.EVACUATING.value: NOW - 60}
    host = HostRecovery("r", "node1", HostState.EVACUATING, NOW - 90, stages=stages)
    moved = ServerRecovery("r", "web1", "web1", "node1", server, NOW - 60)
    state = State(hosts={host.id: host}, servers={moved.key: moved})
    return scope.wanted(state, Options(), NOW, hosts_at, listed_at, frozenset)


@pytest.mark.parametrize(
    ("age", "shown"), [(0.1, False), (9.0, False), (10.0, True), (-3600.0, True)]
)
def test_while_servers_are_followed(age: float, shown: bool) -> None:
    """Every ten seconds, and at once after the clock was set back."""
    assert _wanted(ServerState.MOVING, NOW - age).overview is shown


@pytest.mark.parametrize(("age", "shown"), [(0.1, False), (1.0, True), (-5.0, True)])
def test_when_all_have_ended(age: float, shown: bool) -> None:
    """The hosts are not asked for twice in one second: the look before has ended it."""
    assert _wanted(ServerState.RECOVERED, NOW - age).overview is shown


def test_who_waits_for_room_needs_all_hosts() -> None:
    assert _wanted(ServerState.WAITING).overview


@pytest.mark.parametrize(("age", "listed"), [(29.0, False), (30.0, True), (-9.0, True)])
def test_the_servers_of_a_dead_host_are_listed_now_and_then(
    age: float, listed: bool
) -> None:
    found = _wanted(ServerState.MOVING, listed_at=NOW - age)
    assert ("node1" in found.hosts) is listed
