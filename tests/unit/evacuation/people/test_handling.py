# SPDX-License-Identifier: Apache-2.0
"""Safety rule 1: who orders something does not thereby say that the host is off."""

import pytest

from nova_ha_scheduler.cluster.picture import Host, Picture, Scope
from nova_ha_scheduler.evacuation.host import proof
from nova_ha_scheduler.evacuation.options import Options
from nova_ha_scheduler.evacuation.step import Step
from nova_ha_scheduler.records.commands import Command, CommandKind
from nova_ha_scheduler.records.host_recovery import HostRecovery, HostState
from nova_ha_scheduler.records.state import State

CONFIRMING = {CommandKind.CONFIRM_FENCED, CommandKind.EVACUATE}


def test_which_orders_confirm() -> None:
    """A new kind confirms nothing unless it is added here."""
    assert {kind for kind in CommandKind if kind.confirms} == CONFIRMING


@pytest.mark.parametrize("kind", CommandKind)
def test_no_other_order_is_a_proof_of_death(kind: CommandKind) -> None:
    host = HostRecovery("r", "node1", HostState.FENCING, 1.0)
    command = Command("k", kind, "node1", "Ann", "because", 10.0, 100.0)
    picture = Picture(20.0, Scope(hosts=frozenset({"node1"})), {"node1": Host("node1")})
    state = State({"r": host}, commands={"k": command})
    step = Step(state, picture, (), frozenset(), 20.0, Options())
    found = proof.confirmation(step, host)
    assert (found is not None) is (kind in CONFIRMING)
    assert ("k" in step.commands) is (kind not in CONFIRMING)
