# SPDX-License-Identifier: Apache-2.0
"""What happens in a run of chaos: drawn from its seed alone, before it begins."""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.stack.faults import BadAnswers, Fault, Outage, ShortTokens, Stall

HOW = ("power cut", "power cut", "hangs", "nova-compute crashes")


@dataclass(frozen=True)
class Blow:
    """A host fails.

    :ivar how: one of HOW.
    :ivar second: another host of its zone, which dies when so many servers are
        recovered; "": none does.
    :ivar early: it is switched on again when so many are recovered; 0: afterwards.
    """

    host: str
    how: str
    second: str = ""
    after: int = 0
    early: int = 0

    def __str__(self) -> str:
        words = f"{self.host}: {self.how}"
        if self.second:
            words += f"; power cut of {self.second} after {self.after} servers"
        if self.early:
            words += f"; back after {self.early} servers"
        return words


@dataclass(frozen=True)
class Trouble:
    """Something else fails, or an owner acts.

    :ivar pause: seconds since the one before is over; :ivar lasts: seconds.
    :ivar what: a key of FAULTS or OWNERS.
    :ivar server: which server, as a share of all: for an owner.
    """

    pause: float
    what: str
    lasts: float
    server: float = 0.0

    def __str__(self) -> str:
        return f"after {self.pause:.0f} s for {self.lasts:.0f} s: {self.what}"


TRIGGER = "the trigger"

_EVACUATE = {"method": "POST", "path": "/action$", "body": "evacuate"}

_OUTAGES = (
    "nova-conductor",
    "nova-scheduler",
    "nova-api",
    "placement",
    "keystone",
    "rabbitmq",
    "mariadb",
)

_ANSWERS: Mapping[str, tuple[Any, ...]] = {
    "nova-api answers 500": ("compute", "answer", {"status": 500}),
    "nova-api answers 503": ("compute", "answer", {"status": 503}),
    "nova-api answers 409 to evacuations": (
        "compute",
        "answer",
        {**_EVACUATE, "status": 409, "count": 3},
    ),
    "nova-api's answers to evacuations are lost": (
        "compute",
        "lose",
        {**_EVACUATE, "count": 3},
    ),
    "nova-api does not answer": ("compute", "hang", {}),
    "nova-api is slow": ("compute", "delay", {"seconds": 2}),
    "placement answers 503": ("placement", "answer", {"status": 503}),
    "fence devices answer 500": ("redfish", "answer", {"status": 500}),
    "fence devices do not answer": ("redfish", "hang", {}),
}

FAULTS = (
    *(f"{program} is killed" for program in (TRIGGER, TRIGGER, *_OUTAGES)),
    f"{TRIGGER} hangs",
    "tokens expire",
    *_ANSWERS,
)
"""By what is said of them."""

OWNERS: Mapping[str, Mapping[str, Any]] = {
    "an owner deletes a server": {},
    "an owner locks a server": {"lock": None},
    "an owner stops a server": {"os-stop": None},
    "an owner starts a server": {"os-start": None},
    "a server is migrated": {
        "os-migrateLive": {"host": None, "block_migration": "auto"}
    },
}
"""With the action that Nova is asked for."""


def fault(what: str, trigger: str) -> Fault:
    """:param what: one of FAULTS; :param trigger: the name of its service."""
    if what in _ANSWERS:
        gate, does, details = _ANSWERS[what]
        return BadAnswers(gate, does, dict(details))
    if what == "tokens expire":
        return ShortTokens()
    program = what.removesuffix(" is killed").removesuffix(" hangs")
    program = trigger if program == TRIGGER else program
    return Stall(program) if what.endswith("hangs") else Outage(program)


def blows(seed: int, zone: str, hosts: Sequence[str]) -> Iterator[Blow]:
    """The failures of a zone's hosts, without end; none dies twice in a row.

    :param hosts: the reserve is the last; it dies more often, as it holds most.
    """
    draw = random.Random(f"{seed}/{zone}")
    recent: set[str] = set()
    while True:
        can = [host for host in hosts if host not in recent]
        weights = [2 if host == hosts[-1] else 1 for host in can]
        (host,) = draw.choices(can, weights)
        how, chance = draw.choice(HOW), draw.random()
        second, after, early = "", draw.randint(1, 4), 0
        if chance < 0.25:
            second = draw.choice([other for other in can if other != host])
        elif chance < 0.4 and how == "power cut":
            early = after
        recent = {host, second}
        yield Blow(host, how, second, after if second else 0, early)


def troubles(seed: int) -> Iterator[Trouble]:
    """All else, without end; one at a time, for that is what can be survived."""
    draw = random.Random(f"{seed}/troubles")
    while True:
        what = draw.choice([*FAULTS, *FAULTS, *OWNERS])
        pause, lasts = draw.uniform(3, 15), draw.uniform(1, 10)
        yield Trouble(pause, what, lasts if what in FAULTS else 0.0, draw.random())
