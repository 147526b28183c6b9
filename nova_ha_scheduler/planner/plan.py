# SPDX-License-Identifier: Apache-2.0
"""What stands behind a plan: where each server could have gone, and whether one that
has no place lacks room, or only room in one piece.

It decides nothing: it is told what was decided, server by server in the order of
asking, and looks at what was left at each one's turn.
"""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from nova_ha_scheduler.cluster.picture import Picture, Server
from nova_ha_scheduler.planner.board import NO_LIMITS, Board, Claim
from nova_ha_scheduler.planner.ground import Ground
from nova_ha_scheduler.planner.preferences import Preferences


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
    places = _Places(Ground(picture.hosts, preferences), frozenset(dead))
    decided = list(decided)
    found = [places.at(server, destination) for server, destination in decided]
    # One that waits though it had candidates made room for others in a packed plan:
    # what counts for it is what is left beside them.
    return [
        places.at(server, None)
        if prospect.candidates and destination is None
        else prospect
        for prospect, (server, destination) in zip(found, decided, strict=True)
    ]


class _Places:
    def __init__(self, ground: Ground, dead: frozenset[str]) -> None:
        self._board = Board(ground, dead, limits=NO_LIMITS)

    def at(self, server: Server, destination: str | None) -> Prospect:
        fitting = tuple(sorted(self._board.takers(server)))
        if destination is None:
            return Prospect(fitting, "" if fitting else self._scattered(server))
        self._board.take(Claim.of(destination, server))
        return Prospect(fitting)

    def _scattered(self, server: Server) -> str:
        """Only of hosts that lack nothing but room."""
        left: list[Counter[str]] = []
        for host, obstacles in self._board.obstacles(server):
            no = {one.check for one in obstacles}
            if host.free is not None and no <= server.needs.keys():
                left.append(Counter(self._board.free(host)))
        needs = sorted(server.needs.items())
        total = {what: sum(max(0, n[what]) for n in left) for what, _ in needs}
        if not left or any(total[what] < wanted for what, wanted in needs):
            return ""
        most = {what: max(n[what] for n in left) for what, _ in needs}
        short = [
            f"{total[what]} {what} of {wanted} needed, but no host has more than "
            f"{most[what]}"
            for what, wanted in needs
            if most[what] < wanted
        ]
        words = "the free room of all permitted hosts together would be enough: "
        return words + ("; ".join(short) or "but no host has all of it at once")
