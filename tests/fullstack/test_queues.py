# SPDX-License-Identifier: Apache-2.0
"""What waits for a dead host in a real RabbitMQ, and what emptying its queues does."""

from functools import partial

import pytest

from tests.lib.stack import queues, servers
from tests.lib.stack.stack import Stack

pytestmark = pytest.mark.stand_ins("real/test_queues.py shows more.")

EMPTIED, TOO_EARLY = "a1", "a2"


def test_emptied_queues(stack: Stack) -> None:
    """A host whose queues were emptied carries out nothing of what was asked for while
    it was dead. A purge while RabbitMQ takes the host for alive, as after a power cut
    for a minute or two, reaches nothing of what it has handed out."""
    ids = {host: servers.boot(stack, host, 1).pop() for host in (EMPTIED, TOO_EARLY)}
    names = [f"compute-alt.{EMPTIED}", f"compute.{EMPTIED}"]
    assert sorted(queues.of(stack, EMPTIED)) == names
    assert all(queue.consumers for queue in queues.of(stack, EMPTIED).values())
    stack.machines[EMPTIED].kill()
    stack.machines[TOO_EARLY].freeze()  # its connections stay
    for server in ids.values():
        action = {"suspend": None}
        stack.nova("POST", f"/servers/{server}/action", action).raise_for_status()
    for host in ids:
        stack.wait(f"the request for {host}", partial(_waits, stack, host))

    queues.empty(stack, EMPTIED)
    assert [queue.messages for queue in queues.of(stack, EMPTIED).values()] == [0, 0]
    queues.purge(stack, TOO_EARLY)
    assert queues.of(stack, TOO_EARLY)[f"compute.{TOO_EARLY}"].messages == 1

    stack.machines[TOO_EARLY].kill()
    for host in ids:
        stack.machines[host].start()
    stack.wait_status(ids[TOO_EARLY], "SUSPENDED")

    def listens() -> bool:
        found = queues.of(stack, EMPTIED).values()
        return all(queue.consumers and not queue.messages for queue in found)

    stack.wait(f"{EMPTIED} listens again", listens)
    shown = servers.servers(stack)[ids[EMPTIED]]
    assert (shown["status"], shown["OS-EXT-STS:task_state"]) == ("ACTIVE", "suspending")


def _waits(stack: Stack, host: str) -> bool:
    return queues.of(stack, host)[f"compute.{host}"].messages == 1
