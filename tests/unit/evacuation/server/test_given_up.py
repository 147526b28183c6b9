# SPDX-License-Identifier: Apache-2.0
"""What Nova says of a request that nobody has begun, and when that is no word on it."""

from types import SimpleNamespace
from typing import Any

import pytest

from nova_ha_scheduler.cluster.picture import Migration
from nova_ha_scheduler.evacuation.server.facts import Facts
from nova_ha_scheduler.records.server_recovery import ServerRecovery, ServerState

BASELINE = 6
NEWEST = Migration(8, "uuid-1", "node1", "node2", "accepted")


def _facts(*others: Migration, said: str = "ConnectFailure: no neutron") -> Facts:
    """Of a step that has just learned what Nova says."""
    step: Any = SimpleNamespace(
        now=100.0,
        picture=SimpleNamespace(
            migrations=(*others, NEWEST),
            hosts={"node2": SimpleNamespace(heard=True)},
        ),
        outcome=lambda record, effect: SimpleNamespace(ok=True, detail=said),
    )
    record = ServerRecovery(
        "r",
        "uuid-1",
        "web1",
        "node1",
        ServerState.MOVING,
        1.0,
        destination="node2",
        named=True,
        baseline=BASELINE,
        request_id="req-1",
    )
    return Facts(step, record, NEWEST)


def test_nova_says_why_it_has_given_it_up() -> None:
    facts = _facts()
    assert facts.to_ask_whether
    assert facts.given_up == "ConnectFailure: no neutron"


@pytest.mark.parametrize("status", ["accepted", "pre-migrating", "done", "failed"])
def test_a_request_that_has_arrived_twice(status: str) -> None:
    """It has two records. Nova works on one of them, and the server may have landed by
    it, when the other one's failure is the word on both."""
    facts = _facts(Migration(7, "uuid-1", "node1", "node2", status))
    assert not facts.to_ask_whether
    assert facts.given_up == ""


def test_records_of_before_and_of_others_are_none_of_its() -> None:
    facts = _facts(
        Migration(BASELINE, "uuid-1", "node1", "node3", "failed"),
        Migration(7, "uuid-2", "node1", "node2", "done"),
    )
    assert facts.to_ask_whether
    assert facts.given_up
