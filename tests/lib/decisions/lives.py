# SPDX-License-Identifier: Apache-2.0
"""What is played to be kept: all scenarios, the lives in which the trigger is killed at
every moment, and lives in which things happen at random."""

import contextlib
import itertools
import logging
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any
from unittest import mock

from nova_ha_scheduler.evacuation import decisions
from nova_ha_scheduler.evacuation.decisions import Decision
from nova_ha_scheduler.records.state import Change
from tests.lib.simulation import DOWNTIMES, scenario
from tests.scenarios import test_scenarios
from tests.unit.evacuation import test_crash_points, test_people_and_fate
from tests.unit.evacuation.maintenance import test_crash_of_moves

Keep = Callable[[Decision], None]

_UPKEEP = test_crash_of_moves.CASES.items()


@dataclass(frozen=True)
class Life:
    """
    :ivar group: whose decisions go into one file.
    :ivar name: this one of them.
    :ivar whole: whether steps without a change are kept, too.
    """

    group: str
    name: str
    play: Callable[[], Any]
    whole: bool = False


def all_of(seeds: int) -> Iterator[Life]:
    """:param seeds: how many random lives of each kind there are."""
    yield from scenarios()
    yield from crash_points()
    yield from upkeep_crashes()
    yield from random_lives(seeds)


def scenarios() -> Iterator[Life]:
    for case in test_scenarios.CASES:
        yield Life(f"scenario {case.name}", "", partial(scenario.run, case), True)


def crash_points() -> Iterator[Life]:
    """The trigger is killed at each moment of the recovery of a host."""
    for name, cluster in test_crash_points.CLUSTERS.items():
        for downtime in DOWNTIMES:
            group = f"crash, {name}, dead for {downtime} s"
            play = partial(test_crash_points.play, cluster, downtime=downtime)
            moments, _ = play(-1)
            for moment in range(-1, moments):
                yield Life(group, f"moment {moment}", partial(play, moment))


def upkeep_crashes() -> Iterator[Life]:
    """The same in a maintenance, and on the way home."""
    for name, (cluster, fate) in _UPKEEP:
        for downtime in DOWNTIMES:
            group = f"crash, {name}, dead for {downtime} s"
            play = partial(test_crash_of_moves.play, cluster, fate, downtime)
            for moment in range(-1, _killed_at(play, -1)):
                yield Life(group, f"moment {moment}", partial(_killed_at, play, moment))


def _killed_at(play: Callable[..., Any], moment: int) -> int:
    """:returns: how many moments there were."""
    numbers = itertools.count()
    play(lambda _: next(numbers) == moment)
    return next(numbers)


def random_lives(seeds: int) -> Iterator[Life]:
    """What becomes of them is judged by the tests, for seeds of their own."""
    killed = test_crash_of_moves.play_at_random
    kinds: dict[str, Callable[[int], Any]] = {
        "people and fate": test_people_and_fate.play,
        "killed": test_crash_points.play_at_random,
        **{f"killed, {name}": partial(killed, *case) for name, case in _UPKEEP},
    }
    for kind, play in kinds.items():
        for seed in range(seeds):
            yield Life(f"random, {kind}", f"seed {seed}", partial(play, seed))


@contextlib.contextmanager
def kept_by(keep: Keep, whole: bool) -> Iterator[None]:
    """Keep the steps of what is played meanwhile: those with a change, or all of them.

    The ids of intents are numbers, so that lives that begin alike are alike.
    """

    def is_kept(change: Change) -> bool:
        return whole or bool(change)

    ids = (uuid.UUID(int=number) for number in itertools.count(1))
    logging.disable(logging.CRITICAL)  # Much of what is played goes wrong, on purpose.
    try:
        with (
            mock.patch.object(scenario, "replayed", keep),
            mock.patch.object(decisions, "is_one", is_kept),
            mock.patch.object(uuid, "uuid4", side_effect=ids),
        ):
            yield
    finally:
        logging.disable(logging.NOTSET)
