# SPDX-License-Identifier: Apache-2.0
"""How many evacuations Nova is given at a time, beside the best number there is."""

import pytest

from nova_ha_scheduler.records.effects import Intent, Result
from nova_ha_scheduler.service.execution.evacuation_queue import EvacuationQueue
from nova_ha_scheduler.service.execution.request_window import RequestWindow, Sent
from tests.lib.scheduling_nova import (
    Capacity,
    SchedulingNova,
    at_a_time,
    changing,
    evacuations,
    slowing,
)

FEW, MANY = 30, 400
"""Servers: of one host; of a rack."""

NUMBERS = (1, 2, 4, 8, 16, 32, 64)


class _Constant(RequestWindow):
    """So many at a time, whatever is seen."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.size = number

    @property
    def posts(self) -> int:
        return max(1, self.size // 8)

    def claimed(self, sent: Sent, now: float, unseen: float = 0.0) -> None:
        pass


def _seconds(
    capacity: Capacity,
    servers: int,
    number: int | None = None,
    seen_every: float = 0.0,
) -> float:
    """Until all are up. :param number: of a constant window; None: it is ours."""
    nova = SchedulingNova(capacity)
    queue = EvacuationQueue(nova.ask, clock=lambda: nova.time)
    if number is not None:
        queue._window = _Constant(number)
    _put(queue, servers)
    told = queue.answered, queue.claimed, queue.only
    return nova.run(servers, *told, seen_every)[-1]


def _beside_the_best(
    capacity: Capacity, servers: int, seen_every: float = 0.0
) -> float:
    """Our time, in times of that of the best constant number."""
    best = min(_seconds(capacity, servers, n, seen_every) for n in NUMBERS)
    return _seconds(capacity, servers, None, seen_every) / best


@pytest.mark.parametrize(
    ("capacity", "most"),
    [
        pytest.param(at_a_time(1), 1.05, id="1"),
        pytest.param(at_a_time(4), 1.05, id="4"),
        pytest.param(at_a_time(8), 1.05, id="8"),
        pytest.param(at_a_time(32), 1.1, id="32"),
        pytest.param(slowing(2, 0.01), 1.15, id="2, each a little slower by each"),
        pytest.param(slowing(8, 0.02), 1.1, id="8, each a little slower by each"),
        pytest.param(slowing(2, 0.02), 1.25, id="2, each slower by each"),
        pytest.param(slowing(8, 0.05), 1.2, id="8, each slower by each"),
        pytest.param(changing(at_a_time(1), 15, at_a_time(8)), 1.05, id="1, then 8"),
        pytest.param(changing(at_a_time(8), 10, at_a_time(1)), 1.05, id="8, then 1"),
        pytest.param(changing(at_a_time(4), 8, at_a_time(32)), 1.05, id="4, then 32"),
        # There the best number is known by who does not have to find it out.
        pytest.param(changing(at_a_time(32), 4, at_a_time(4)), 1.2, id="32, then 4"),
        pytest.param(slowing(1000, 0.05), 1.2, id="any, each slower by each"),
    ],
)
def test_beside_the_best_constant_number(capacity: Capacity, most: float) -> None:
    """:param most: of many servers; few come to a tenth more in any case."""
    assert _beside_the_best(capacity, FEW) <= 1.1
    assert _beside_the_best(capacity, MANY) <= most


@pytest.mark.parametrize("number", [1, 4, 8, 32])
def test_without_notifications(number: int) -> None:
    """A look each two seconds shows who was claimed."""
    assert _beside_the_best(at_a_time(number), FEW, 2.0) <= 1.2
    assert _beside_the_best(at_a_time(number), MANY, 2.0) <= 1.25


def _queue(asked: list[str], priorities: dict[str, int]) -> EvacuationQueue:
    def start(intent: Intent) -> None:
        asked.append(intent.server or "")

    return EvacuationQueue(start, lambda i: priorities.get(i.server or "", 0))


def _put(queue: EvacuationQueue, number: int) -> list[Intent]:
    intents = evacuations(number)
    for intent in intents:
        queue.put(intent)
    return intents


def test_the_most_urgent_one_first_whenever_it_came() -> None:
    asked: list[str] = []
    queue = _queue(asked, {"server-2": 5, "server-4": 9})
    intents = _put(queue, 6)
    assert asked == ["server-0"]  # so many are on their way to nova-api
    for number in (0, 4, 2, 1):
        queue.answered(intents[number], Result.OK)
    order = [f"server-{number}" for number in (0, 4, 2, 1, 3, 5)]
    assert asked == order


def test_no_more_than_nova_is_known_to_take() -> None:
    now, asked = 0.0, []
    queue = EvacuationQueue(asked.append, clock=lambda: now)
    intents = _put(queue, 60)
    size = RequestWindow().size
    for number in range(size):
        queue.answered(intents[number], Result.OK)
    assert len(asked) == size
    now = 2.0
    queue.claimed(["server-0", "of others"])
    assert len(asked) == size + 1
    queue.only([f"server-{n}" for n in range(2, size)])
    assert len(asked) == size + 2


def test_what_nova_refuses_or_was_stopped_holds_up_nobody() -> None:
    asked: list[str] = []
    queue = _queue(asked, {})
    intents = _put(queue, 40)
    for number, intent in enumerate(intents):
        refused = Result.REFUSED if number % 2 else Result.WITHHELD
        queue.answered(intent, refused)
    assert len(asked) == 40


def test_one_that_nobody_claims_holds_up_nobody_for_ever() -> None:
    now, asked = 0.0, []
    queue = EvacuationQueue(asked.append, patience=60, clock=lambda: now)
    intents = _put(queue, 40)
    size = RequestWindow().size
    for number in range(size):
        queue.answered(intents[number], Result.UNKNOWN)
    assert len(asked) == size
    now = 61.0
    queue.only([intent.server or "" for intent in intents])
    assert len(asked) == size + 1  # such an answer does not say how quick nova-api is


def test_what_nova_api_does_not_answer_holds_up_nobody_for_long() -> None:
    now, asked = 0.0, list[str]()
    queue = EvacuationQueue(lambda i: asked.append(i.id), clock=lambda: now)
    _put(queue, 3)
    for at, sent in (2.0, 1), (6.0, 2), (9.0, 2), (12.0, 3):
        now = at
        queue.only([])  # a look
        assert len(asked) == sent


def test_nova_api_is_sent_two_at_a_time_while_that_does_not_slow_it() -> None:
    window = RequestWindow()
    assert window.posts == 1
    for seconds in (0.1, 0.11, 0.12, 0.1):
        window.answered(window.sent(5.0), 5.0 + seconds)
    assert window.posts == 2
    for seconds in (0.1, 0.2, 0.2, 0.2):
        window.answered(window.sent(5.0), 5.0 + seconds)
    assert window.posts == 1


def test_nothing_is_asked_for_at_the_end() -> None:
    asked: list[str] = []
    queue = _queue(asked, {})
    intents = _put(queue, 5)
    begun = [*asked]
    queue.close()
    queue.answered(intents[0], Result.OK)
    assert asked == begun
