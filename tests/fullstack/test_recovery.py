# SPDX-License-Identifier: Apache-2.0
"""A host dies, and its servers come back elsewhere: every part is a process."""

from collections.abc import Callable

import pytest

from tests.fullstack.conftest import check, recovered
from tests.lib.stack import servers
from tests.lib.stack.evacuator import Trigger
from tests.lib.stack.stack import Stack

STOPPED = 2
AT_A_TIME = 8
"""The scheduler's answer for all of them at once takes a busy machine longer than the
conductor waits for it here, and Nova then leaves evacuations without an end."""


@pytest.mark.short
def test_power_cut(stack: Stack, trigger: Callable[..., Trigger]) -> None:
    """Nobody announces it: the host is silent, and Nova and the trigger see that. What
    happens is what was printed as the plan before, server by server; and Nova has a
    host for each that the plan has placed."""
    ours = trigger(conf={"evacuation": {"max_in_flight_per_zone": AT_A_TIME}})
    ids = servers.boot(stack, "a1", stack.bears)
    stopped = frozenset(sorted(ids)[:STOPPED])
    servers.stop(stack, stopped)
    plan = {row["server"]: row["to"] for row in ours.json("plan", "a1", "--long")}
    assert set(plan) == ids
    ours.service().start()
    stack.machines["a1"].kill()
    found = recovered(stack, ours, "a1")
    check(stack, [found], ids, stopped)
    assert {row["server"]: row["to"] for row in found["servers"]} == plan
    assert {row["attempts"] for row in found["servers"]} == {1}
