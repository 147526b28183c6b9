# SPDX-License-Identifier: Apache-2.0
"""A story in steps, of which each comes true or does not."""

import time
from collections.abc import Callable, Container
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from openstack.exceptions import SDKException

from demo.tell import Tell
from tests.lib.errors import CloudError


class Untrue(Exception):
    """A step did not come true."""

    def __init__(self, expected: str, seen: object) -> None:
        super().__init__(expected, seen)
        self.expected, self.seen = expected, str(seen)


class Refused(Exception):
    """Nova found no host; the arguments are what it answered."""


def expect(true: bool, expected: str, seen: object) -> None:
    if not true:
        raise Untrue(expected, seen)


class Told(Protocol):
    """What steps work with, whatever else it has."""

    tell: Tell


S = TypeVar("S", bound=Told)


@dataclass(frozen=True)
class Step(Generic[S]):
    title: str
    play: Callable[[S], None]
    needs: tuple[str, ...]


class Story(Generic[S]):
    """Steps, in the order in which they were added."""

    def __init__(self) -> None:
        self._steps: dict[str, Step[S]] = {}

    def step(
        self, title: str, needs: tuple[str, ...] = ()
    ) -> Callable[[Callable[[S], None]], Callable[[S], None]]:
        """Make a function the next step; ``needs``: steps that must have come true."""

        def add(play: Callable[[S], None]) -> Callable[[S], None]:
            self._steps[play.__name__] = Step(title, play, needs)
            return play

        return add

    def play(self, scene: S, only: Container[str] | None = None) -> bool:
        """Play all steps, or some; return whether all came true."""
        tell, missing = scene.tell, dict[str, int]()
        chosen = {n: s for n, s in self._steps.items() if only is None or n in only}
        for number, (name, step) in enumerate(chosen.items(), 1):
            tell.step(step.title)
            if lacking := [f"step {missing[n]}" for n in step.needs if n in missing]:
                missing[name] = number
                tell.skip(", ".join(lacking))
                continue
            start = time.monotonic()
            try:
                step.play(scene)
            except Untrue as untrue:
                tell.came_false(untrue.expected, untrue.seen)
            except (CloudError, SDKException, Refused) as error:
                why = (str(error) or repr(error)).splitlines()[0]
                tell.came_false("Nova does as asked", why)
            else:
                tell.came_true(time.monotonic() - start)
                continue
            missing[name] = number
        return not missing
