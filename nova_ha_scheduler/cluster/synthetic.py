# SPDX-License-Identifier: Apache-2.0
"""A cloud from one line: '4 zones of 25 hosts of 64 vCPU, 512 GiB, 2 reserved each,
70 % full'. The same line makes the same cloud, on every machine.
"""

import random
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from nova_ha_scheduler.cluster.amounts import UNITS, spread
from nova_ha_scheduler.cluster.picture import Host, Picture, Server
from nova_ha_scheduler.cluster.snapshot import picture
from nova_ha_scheduler.rules import vocabulary
from nova_ha_scheduler.rules.terms import HostFacts

Spread = tuple[int, int]
"""The least and the most."""


class BadLine(ValueError):
    """str() says what was not understood, and what would be."""


@dataclass
class _Wish:
    """What a line asks for.

    :ivar room: of each host; an amount alone adds to it, or to the servers' after
        'servers of'.
    """

    zones: int = 1
    hosts: int = 0
    room: dict[str, Spread] = field(default_factory=dict)
    reserved: int = 0
    maintained: int = 0
    full: int = 0
    servers: dict[str, Spread] = field(default_factory=dict)
    protected: int = 100
    seed: int = 0
    last: dict[str, Spread] = field(default_factory=dict)


def _set(wish: _Wish, **numbers: str) -> None:
    for name, number in numbers.items():
        setattr(wish, name, int(number))


def _sized(wish: _Wish, sizes: dict[str, Spread], first: str) -> None:
    """What follows are amounts of these."""
    wish.last = sizes
    _more(wish, first)


def _more(wish: _Wish, amount: str) -> None:
    found = spread(amount)
    if found is None or found[0] in wish.last:
        raise _not_understood(amount)
    wish.last[found[0]] = found[1], found[2]


def _hosts(wish: _Wish, zones: str | None, hosts: str, room: str | None) -> None:
    _set(wish, zones=zones or "1", hosts=hosts)
    wish.last = wish.room
    if room:
        _more(wish, room)


_CLAUSES: Mapping[str, Callable[..., None]] = {
    r"(?:(\d+) zones? of )?(\d+) hosts?(?: (?:of|with) (.+))?": _hosts,
    r"servers of (.+)": lambda wish, first: _sized(wish, wish.servers, first),
    r"(\d+) reserved(?: each)?": lambda wish, n: _set(wish, reserved=n),
    r"(\d+) under maintenance(?: each)?": lambda wish, n: _set(wish, maintained=n),
    r"(\d+) ?% full": lambda wish, n: _set(wish, full=n),
    r"(\d+) ?% protected": lambda wish, n: _set(wish, protected=n),
    r"seed (\d+)": lambda wish, n: _set(wish, seed=n),
}

FORMS = (
    "4 zones of 25 hosts of 64 vCPU, 512 GiB",
    "servers of 2-8 vCPU, 4-32 GiB",
    "2 reserved each",
    "1 under maintenance each",
    "70 % full",
    "80 % protected",
    "seed 7",
)
"""What a line may say, separated by commas, each at most once."""

_DEFAULT_SERVERS = {"VCPU": (2, 8)}


def _not_understood(part: str) -> BadLine:
    forms = "; ".join(FORMS)
    return BadLine(f"{part.strip()!r} is not understood. A line is made of: {forms}")


def parse(line: str) -> Picture:
    """:raises BadLine: it says what was not understood."""
    return _made(_read(line))


def _read(line: str) -> _Wish:
    wish, seen = _Wish(), set[str]()
    for part in (part.strip() for part in line.split(",")):
        for pattern, take in _CLAUSES.items():
            if match := re.fullmatch(pattern, part, re.IGNORECASE):
                if pattern in seen:
                    raise BadLine(f"{part!r}: that was said before")
                seen.add(pattern)
                take(wish, *match.groups())
                break
        else:
            _more(wish, part)
    _check(wish)
    return wish


def _check(wish: _Wish) -> None:
    if not (wish.zones and wish.hosts):
        raise BadLine(f"it has no hosts; say, for example, {FORMS[0]!r}")
    if not wish.room:
        raise BadLine(f"the hosts have no size; give each a number and {UNITS}")
    if any(least != most for least, most in wish.room.values()):
        raise BadLine("all hosts have the same size, which is one number")
    if wish.reserved + wish.maintained >= wish.hosts:
        raise BadLine("no host of a zone is left for servers")
    if wish.full > 100 or wish.protected > 100:
        raise BadLine("a share is 100 % at most")
    wish.servers = wish.servers or {
        name: size for name, size in _DEFAULT_SERVERS.items() if name in wish.room
    }
    for name, (least, _) in wish.servers.items():
        if name not in wish.room:
            raise BadLine(f"servers take {name}, but hosts have none")
        if not least:
            raise BadLine(f"a server of 0 {name} takes nothing")
    if not wish.servers and wish.full:
        raise BadLine(f"the size of the servers is not said; say {FORMS[1]!r}")


def _made(wish: _Wish) -> Picture:
    chance = random.Random(wish.seed)
    hosts: list[Host] = []
    servers: list[Server] = []
    for empty in _empty(wish):
        flags = empty.facts.flags & {vocabulary.RESERVED, vocabulary.MAINTENANCE}
        mine = [] if flags else list(_filling(wish, empty, chance, len(servers)))
        free = dict(empty.capacity or {})
        for server in mine:
            for what, amount in server.needs.items():
                free[what] -= amount
        hosts.append(replace(empty, free=free))
        servers += mine
    return picture(0.0, hosts, servers)


def _empty(wish: _Wish) -> Iterator[Host]:
    """The hosts; the last ones of a zone are its reserve."""
    size = {name: most for name, (_, most) in wish.room.items()}
    zone_digits, digits = len(str(wish.zones)), len(str(wish.hosts))
    for zone in range(1, wish.zones + 1):
        place = f"zone{zone:0{zone_digits}}"
        for number in range(1, wish.hosts + 1):
            metadata = {vocabulary.HA: "true", vocabulary.STORAGE_ZONE: place}
            if number > wish.hosts - wish.reserved:
                metadata[vocabulary.RESERVED] = "true"
            elif number > wish.hosts - wish.reserved - wish.maintained:
                metadata[vocabulary.MAINTENANCE] = "true"
            facts = HostFacts.of([metadata])
            name = f"{place}-host{number:0{digits}}"
            yield Host(name, facts, free=size, capacity=size)


def _filling(
    wish: _Wish, host: Host, chance: random.Random, first: int
) -> Iterator[Server]:
    """Servers until the next one would pass the wanted share of anything."""
    sizes = host.capacity or {}
    left = {what: sizes[what] * wish.full // 100 for what in wish.servers}
    while True:
        needs = {
            what: least + int(chance.random() * (most - least + 1))
            for what, (least, most) in wish.servers.items()
        }
        # A server of one class alone takes as much of the others, in proportion.
        if len(needs) == 1:
            ((what, amount),) = needs.items()
            needs = {k: max(1, n * amount // sizes[what]) for k, n in sizes.items()}
        if any(needs[what] > n for what, n in left.items()):
            return
        left = {what: n - needs[what] for what, n in left.items()}
        protected = chance.random() * 100 < wish.protected
        first += 1
        yield Server(
            f"uuid-{first:07}",
            f"server{first:07}",
            host.name,
            extra_specs={vocabulary.HA: str(protected).lower()},
            needs=needs,
        )
