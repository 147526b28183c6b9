# SPDX-License-Identifier: Apache-2.0
"""What happens in a run of chaos: drawn from its seed alone, before it begins."""

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.lib.stack.evacuator import Evacuator
from tests.lib.stack.faults import (
    BadAnswers,
    ClockJump,
    Fault,
    FullDisk,
    Lies,
    Outage,
    ShortTokens,
    Stall,
)
from tests.lib.stack.fleet import AHEAD

POWER_CUT, HANGS, CRASHES = "power cut", "hangs", "nova-compute crashes"
HOW: tuple[str, ...] = (POWER_CUT, POWER_CUT, HANGS, CRASHES)
HANGS_ALONE, SPLITS = "hangs, but its guests", "nova-compute and libvirt crash"
REAL_HOW = (POWER_CUT, POWER_CUT, HANGS, HANGS_ALONE, CRASHES, SPLITS)
"""Where guests are real, they may live on."""

RESTARTS = "nova-compute restarts"
SECOND = ("", "", "", "", "", POWER_CUT, RESTARTS)

_RANKS = {0: 6, 1: 3, 2: 1}  # with their weights: what has no servers proves little
_ORDINALS = ("fullest", "second fullest", "third fullest")

MARIADB, SQLITE = "MariaDB", "SQLite"


@dataclass(frozen=True)
class Blow:
    """A host fails.

    :ivar rank: which of its zone that serve: 0 has most servers, and so on.
    :ivar how: one of HOW, or of REAL_HOW.
    :ivar second: one of SECOND: what happens to the then fullest host of the zone, a
        destination, as soon as so many servers are recovered; "": nothing.
    :ivar early: it is switched on again when so many are recovered; 0: afterwards.
    """

    rank: int
    how: str
    second: str = ""
    after: int = 0
    early: int = 0

    def __str__(self) -> str:
        words = f"the {_ORDINALS[self.rank]}: {self.how}"
        if self.second:
            words += f"; after {self.after} servers the then fullest: {self.second}"
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

_REAL_OUTAGES = ("glance", "neutron", "cinder-api")

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

_TOKENS, _LIES = "tokens expire", "fence devices lie"
_CLOCK, _DISK = f"{TRIGGER}'s clock jumps", "the disk under the journal is full"

FAULTS = (
    *(f"{program} is killed" for program in (TRIGGER, TRIGGER, *_OUTAGES)),
    f"{TRIGGER} hangs",
    _CLOCK,
    _DISK,
    _TOKENS,
    _LIES,
    *_ANSWERS,
)
"""By what is said of them."""

REAL_FAULTS = (*FAULTS, *(f"{program} is killed" for program in _REAL_OUTAGES))

OWNERS: Mapping[str, Mapping[str, Any]] = {
    "an owner deletes a server": {},
    "an owner locks a server": {"lock": None},
    "an owner stops a server": {"os-stop": None},
    "an owner starts a server": {"os-start": None},
    "an owner resizes a server": {"resize": {"flavorRef": ""}},
    "a server is migrated": {
        "os-migrateLive": {"host": None, "block_migration": "auto"}
    },
}
"""With the action that Nova is asked for; none is to delete it."""


def fault(what: str, service: Evacuator, disk: Path) -> Fault:
    """:param what: one of FAULTS, or of REAL_FAULTS.
    :param service: the trigger; :param disk: its journal's file, if it has one.
    """
    if what in _ANSWERS:
        gate, does, details = _ANSWERS[what]
        return BadAnswers(gate, does, dict(details))
    special: Mapping[str, Callable[[], Fault]] = {
        _TOKENS: ShortTokens,
        _LIES: Lies,
        _CLOCK: lambda: ClockJump(service, AHEAD),
        _DISK: lambda: FullDisk(service, disk),
    }
    if what in special:
        return special[what]()
    program = what.removesuffix(" is killed").removesuffix(" hangs")
    program = service.name if program == TRIGGER else program
    return Stall(program) if what.endswith("hangs") else Outage(program)


def journal(seed: int) -> str:
    """Where the trigger's journal lies; only one on SQLite can have a full disk here,
    as MariaDB's is Nova's, too."""
    return random.Random(f"{seed}/journal").choice([MARIADB, SQLITE])


def has_witness(seed: int) -> bool:
    """Whether a witness sees which hosts have power. Fence devices lie only then; and
    then hosts only lose their power, as it would hold up what else ends with a fence.
    """
    return random.Random(f"{seed}/witness").random() < 0.3


def blows(seed: int, zone: str, real: bool = False) -> Iterator[Blow]:
    """The failures of a zone's hosts, without end."""
    draw = random.Random(f"{seed}/{zone}")
    ways = REAL_HOW if real else HOW
    if has_witness(seed):
        ways = (POWER_CUT,)
    while True:
        (rank,) = draw.choices(list(_RANKS), list(_RANKS.values()))
        how, second, after = draw.choice(ways), draw.choice(SECOND), draw.randint(1, 4)
        can_be_early = how == POWER_CUT and not second
        early = after if draw.random() < 0.3 and can_be_early else 0
        yield Blow(rank, how, second, after if second else 0, early)


def troubles(seed: int, real: bool = False) -> Iterator[Trouble]:
    """All else, without end; one at a time, for that is what can be survived."""
    draw = random.Random(f"{seed}/troubles")
    not_here = {_DISK} if journal(seed) == MARIADB else set()
    not_here |= set() if has_witness(seed) else {_LIES}
    everywhere = REAL_FAULTS if real else FAULTS
    faults = [fault for fault in everywhere if fault not in not_here]
    while True:
        what = draw.choice([*faults, *faults, *OWNERS])
        pause, lasts = draw.uniform(3, 15), draw.uniform(1, 10)
        yield Trouble(pause, what, 0.0 if what in OWNERS else lasts, draw.random())
