# SPDX-License-Identifier: Apache-2.0
"""Whether a server that has landed is to run, by what was ordered of it last."""

import pytest

from nova_ha_scheduler.cluster.picture import Picture, Scope
from nova_ha_scheduler.evacuation.options import Options
from nova_ha_scheduler.evacuation.server import landing
from nova_ha_scheduler.evacuation.step import Step
from nova_ha_scheduler.records.effects import (
    OFF_BY_ITSELF,
    RUN,
    STOP,
    Effect,
    Intent,
    Outcome,
    Result,
)
from nova_ha_scheduler.records.server_recovery import ServerRecovery, ServerState
from nova_ha_scheduler.records.state import State


@pytest.mark.parametrize(
    ("ran", "ordered", "runs"),
    [
        (True, RUN, True),
        (True, STOP, False),
        (True, OFF_BY_ITSELF, True),
        (False, RUN, True),
        (False, STOP, False),
        (False, OFF_BY_ITSELF, False),
    ],
)
def test_what_was_ordered_last(ran: bool, ordered: str, runs: bool) -> None:
    """A host that was switched on in the middle finds the guest off, and writes that it
    has stopped it: nobody has ordered that. Seen on libvirt."""
    record = ServerRecovery(
        "node1@1",
        "uuid-1",
        "web1",
        "node1",
        ServerState.LANDED,
        seen_at=1.0,
        was_running=ran,
    )
    intent = Intent("1", Effect.ASK_ORDERS, "node2", 90.0, *record.key)
    outcome = Outcome(intent, Result.OK, 99.0, ordered)
    picture = Picture(100.0, Scope(), {}, {})
    step = Step(State(), picture, [outcome], frozenset(), 100.0, Options())
    found = landing.by_orders(step, record, switched=True)
    assert found is not None
    assert found.was_running is runs
