# SPDX-License-Identifier: Apache-2.0
"""A scenario: lines ``at SECONDS VERB WORD...``, in order of time.

The verbs are the methods of :class:`.people.PeopleVerbs`, and of what that is made of,
whose names begin with ``do_``; ``at SECONDS end`` ends it. ``#`` begins a comment.
"""

import math
import shlex
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from nova_ha_scheduler import spelling
from nova_ha_scheduler.cluster.errors import Refused
from nova_ha_scheduler.records.events import Event
from nova_ha_scheduler.simulation.people import PeopleVerbs
from nova_ha_scheduler.simulation.runner import Simulation
from nova_ha_scheduler.simulation.timeline import QUIET, line
from nova_ha_scheduler.simulation.words import BadScenario, WordReader, usage

PREFIX = "do_"


def verbs() -> dict[str, str]:
    """What can be said, and what it means, by verb."""
    names = sorted(name for name in dir(PeopleVerbs) if name.startswith(PREFIX))
    found = (getattr(PeopleVerbs, name) for name in names)
    return {usage(verb): " ".join((verb.__doc__ or "").split()) for verb in found}


@dataclass(frozen=True)
class Line:
    """:ivar time: seconds since the beginning. :ivar do: None: the end."""

    number: int
    time: float
    words: tuple[str, ...]
    do: Callable[[], None] | None


class Script(PeopleVerbs):
    """Plays steps in a simulation.

    :param say: gets each line of the timeline: seconds, and what happened.
    """

    def __init__(
        self, simulation: Simulation, say: Callable[[float, str], None]
    ) -> None:
        super().__init__(simulation)
        self._say = say
        simulation.journal.listen = self._hear

    def _hear(self, event: Event) -> None:
        if event.kind not in QUIET:
            self._say(self._time_of(event), line(event, self.names))

    def _time_of(self, event: Event) -> float:
        """Not the event's own, which is what the trigger's clock says."""
        return self.simulation.passed

    def read(self, text: str) -> list[Line]:
        """:raises BadScenario: it names the line."""
        servers: dict[str, list[str]] = defaultdict(list)
        for uuid, name in self.names.items():
            servers[name].append(uuid)
        reader = WordReader(self.world.machines, servers)
        steps: list[Line] = []
        for number, words in _lines(text):
            with_line = f"line {number}"
            try:
                steps.append(self._step(number, words, reader))
                if len(steps) > 1 and steps[-1].time < steps[-2].time:
                    raise BadScenario("it is not in order of time")
            except BadScenario as error:
                said = " ".join(words)
                raise BadScenario(f"{with_line}: {said}: {error}") from None
        if not steps:
            raise BadScenario("nothing happens in it")
        return steps

    def _step(self, number: int, words: list[str], reader: WordReader) -> Line:
        try:
            at, time = words[0], float(words[1])
            verb = words[2]
        except (IndexError, ValueError):
            raise BadScenario("it is not: at SECONDS VERB WORD...") from None
        if at != "at":
            raise BadScenario("it does not begin with: at SECONDS")
        if not 0 <= time < math.inf:
            raise BadScenario("the time is no number from 0 on")
        if verb == "end":
            return Line(number, time, tuple(words[2:]), None)
        method = getattr(self, PREFIX + verb.replace("-", "_"), None)
        if method is None:
            known = [name.split()[0] for name in verbs()]
            raise BadScenario(f"there is no {verb}{spelling.hint(verb, known)}")
        meant = reader.bind(method, words[3:])
        return Line(number, time, tuple(words[2:]), partial(method, *meant))

    def play(self, steps: list[Line]) -> None:
        """Until the last of them, or the end.

        :raises BadScenario: it names the line.
        """
        for step in steps:
            self.until(step.time)
            if step.do is None:
                return
            self._say(step.time, f"> {' '.join(step.words)}")
            try:
                step.do()
            except (Refused, ConnectionError) as error:
                self._say(step.time, f"refused: {error}")
            except KeyError as error:
                words = f"there is no {error.args[0]} any more"
                raise BadScenario(f"line {step.number}: {words}") from error
            except BadScenario as error:
                raise BadScenario(f"line {step.number}: {error}") from error

    def until(self, time: float) -> None:
        """Let the time pass, in seconds since the beginning."""
        while self.simulation.passed < time:
            self.simulation.tick()


def _lines(text: str) -> Iterator[tuple[int, list[str]]]:
    """The words of each line that says something, with its number."""
    for number, said in enumerate(text.splitlines(), start=1):
        try:
            words = shlex.split(said, comments=True)
        except ValueError as error:
            raise BadScenario(f"line {number}: {error}") from None
        if words:
            yield number, words
