# SPDX-License-Identifier: Apache-2.0
"""What stands behind a plan: where each server could have gone, and whether one that
has no place lacks room, or only room in one piece.

It decides nothing: it is told what was decided, server by server in the order of
asking, and looks at what was left at each one's turn.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from nova_ha_scheduler.cluster.picture import Host, Picture, Resources, Server
from nova_ha_scheduler.planner.ground import Ground, fits, obstacles, request_for
from nova_ha_scheduler.planner.preferences import Preferences
from nova_ha_scheduler.rules.terms import Request


@dataclass(frozen=True)
class Prospect:
    """One server's.

    :ivar candidates: the hosts that could have taken it at its turn, by name.
    :ivar scattered: a sentence, if the permitted hosts have the room together, but
        none of them has it alone.
    """

    candidates: tuple[str, ...]
    scattered: str = ""


def prospects(
    picture: Picture,
    dead: Collection[str],
    decided: Iterable[tuple[Server, str | None]],
    preferences: Preferences,
) -> list[Prospect]:
    """
    :param dead: the hosts that die.
    :param decided: each server with its destination, in the order of asking.
    """
    look = _Look(Ground(picture.hosts, preferences), frozenset(dead))
    decided = list(decided)
    found = [look.at(server, destination) for server, destination in decided]
    # One that waits though it had candidates made room for others in a packed plan:
    # what counts for it is what is left beside them.
    return [
        look.at(server, None)
        if prospect.candidates and destination is None
        else prospect
        for prospect, (server, destination) in zip(found, decided, strict=True)
    ]


class _Look:
    def __init__(self, ground: Ground, dead: frozenset[str]) -> None:
        self._ground, self._dead = ground, dead
        self._needs: dict[str, Counter[str]] = defaultdict(Counter)
        self._groups: dict[str, set[str]] = defaultdict(set)

    def at(self, server: Server, destination: str | None) -> Prospect:
        source = self._ground.hosts[server.host]
        request = request_for(server, source, self._ground.preferences)
        spots = self._ground.spots(request).values()
        fitting = tuple(
            sorted(s.host.name for s in spots if self._fits(server, s.host))
        )
        if destination is None:
            scattered = "" if fitting else self._scattered(server, request)
            return Prospect(fitting, scattered)
        self._needs[destination].update(server.needs)
        if server.group:
            self._groups[destination].add(server.group)
        return Prospect(fitting)

    def _free(self, host: Host) -> Resources | None:
        """What a host would still give."""
        if host.free is None or host.name not in self._needs:
            return host.free
        free = Counter(host.free)
        free.subtract(self._needs[host.name])
        return free

    def _near(self, server: Server, host: Host) -> bool:
        """Whether a member of its group goes to a host."""
        return server.group in self._groups.get(host.name, ())

    def _fits(self, server: Server, host: Host) -> bool:
        """Whether a permitted host can take it still."""
        if host.name == server.host or host.name in self._dead:
            return False
        return fits(server, host, self._free(host), self._near(server, host))

    def _scattered(self, server: Server, request: Request) -> str:
        """Only of hosts that lack nothing but room."""
        permitted = self._ground.permitted(request, self._dead | {server.host})
        left: dict[str, Counter[str]] = {}
        for host in permitted:
            free, near = self._free(host), self._near(server, host)
            no = {one.check for one in obstacles(server, host, free, near)}
            if free is not None and no <= server.needs.keys():
                left[host.name] = Counter(free)
        needs = sorted(server.needs.items())
        total = {what: sum(max(0, n[what]) for n in left.values()) for what, _ in needs}
        if not left or any(total[what] < wanted for what, wanted in needs):
            return ""
        most = {what: max(n[what] for n in left.values()) for what, _ in needs}
        short = [
            f"{total[what]} {what} of {wanted} needed, but no host has more than "
            f"{most[what]}"
            for what, wanted in needs
            if most[what] < wanted
        ]
        words = "the free room of all permitted hosts together would be enough: "
        return words + ("; ".join(short) or "but no host has all of it at once")
