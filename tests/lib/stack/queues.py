# SPDX-License-Identifier: Apache-2.0
"""What waits in the broker for a compute host, and how a person empties it: as
docs/runbook.md says."""

import re
from typing import NamedTuple

from tests.lib.stack.stack import Stack


class Queue(NamedTuple):
    """:ivar messages: those that were fetched and not begun are among them."""

    consumers: int
    messages: int


def of(stack: Stack, host: str) -> dict[str, Queue]:
    """The queues of a host, by name."""
    listed = stack.rabbitmq.control("list_queues", "name", "consumers", "messages")
    found = re.findall(rf"^(compute(?:-alt)?\.{host})\s(\d+)\s(\d+)$", listed, re.M)
    return {name: Queue(int(some), int(more)) for name, some, more in found}


def purge(stack: Stack, host: str) -> None:
    """Both at once, whoever listens."""
    for name in of(stack, host):
        stack.rabbitmq.control("purge_queue", name)


def empty(stack: Stack, host: str) -> None:
    """As it is right: when nobody listens any more."""

    def left() -> bool:
        return not any(queue.consumers for queue in of(stack, host).values())

    stack.wait(f"nobody listens on the queues of {host}", left)
    purge(stack, host)
