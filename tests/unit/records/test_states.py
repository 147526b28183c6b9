# SPDX-License-Identifier: Apache-2.0
"""What is declared beside the records fits them: a slip would show only when a state
is entered, as a step that breaks."""

import dataclasses
import enum
from typing import Any

import pytest

from nova_ha_scheduler.records import ages
from nova_ha_scheduler.records.events import EventKind
from nova_ha_scheduler.records.host_recovery import (
    HOST_STATES,
    HostRecovery,
    HostState,
)
from nova_ha_scheduler.records.maintenance_window import Window, WindowState
from nova_ha_scheduler.records.move import Move, MoveState
from nova_ha_scheduler.records.old_request import OldRequest
from nova_ha_scheduler.records.server_recovery import ServerRecovery, ServerState

RECORDS = (
    (HostRecovery, HostState),
    (ServerRecovery, ServerState),
    (Window, WindowState),
    (Move, MoveState),
)
SILENT = {HostState.CLOSED}
"""Entered without a word: another event has told it."""


@pytest.mark.parametrize(("record", "states"), RECORDS)
def test_each_state_can_be_told(record: Any, states: type[enum.Enum]) -> None:
    kinds = {kind.value for kind in EventKind}
    wanted = {f"{record.EVENTS}.{s.value}" for s in states if s not in SILENT}
    assert wanted <= kinds


@pytest.mark.parametrize(("record", "states"), RECORDS)
def test_what_is_void_has_a_default(record: Any, states: type[enum.Enum]) -> None:
    fields = {field.name: field for field in dataclasses.fields(record)}
    for state, names in record.VOID.items():
        assert state is None or state in states
        for name in names:
            assert fields[name].default is not dataclasses.MISSING, name


@pytest.mark.parametrize("record", [record for record, _ in RECORDS])
def test_what_is_waited_for_is_a_wait(record: Any) -> None:
    assert record.DUE in ages._marked(record, "wait")


def test_each_state_of_a_host_has_its_traits() -> None:
    assert set(HOST_STATES) == set(HostState)


def test_an_age_is_kept_by_a_clock_that_is_set() -> None:
    late = OldRequest("r", "s", "u1", "one", "c1", watched_at=5.0)
    host = HostRecovery(
        "r", "c2", HostState.RETURNING, started_at=1.0, old_requests=(late,)
    )
    host = dataclasses.replace(host, closed_at=2.0, next_try_at=9.0)
    found = ages.shifted(host, 10.0)
    assert (found.closed_at, found.next_try_at, found.started_at) == (12.0, 19.0, 1.0)
    assert found.old_requests[0].watched_at == 15.0
    assert found.old_requests[0].seen_at is None
    assert ages.bounded(found, 15.0).next_try_at == 15.0
