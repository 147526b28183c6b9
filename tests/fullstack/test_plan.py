# SPDX-License-Identifier: Apache-2.0
"""What is printed before a host dies, and what happens when it does."""

from collections.abc import Callable

from tests.fullstack.conftest import check, recovered
from tests.stack import servers
from tests.stack.evacuator import Trigger
from tests.stack.stack import Stack

SERVERS = 32


def test_the_plan_is_what_happens(
    stack: Stack, trigger: Callable[..., Trigger]
) -> None:
    """Server by server; and Nova has a host for each that the plan has placed."""
    ours = trigger()
    ids = servers.boot(stack, "a1", SERVERS)
    plan = {row["server"]: row["to"] for row in ours.json("plan", "a1", "--long")}
    assert set(plan) == ids
    ours.service().start()
    stack.machines["a1"].kill()
    found = recovered(stack, ours, "a1")
    check(stack, found, ids)
    assert {row["server"]: row["to"] for row in found["servers"]} == plan
    assert {row["attempts"] for row in found["servers"]} == {1}
