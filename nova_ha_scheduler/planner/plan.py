# SPDX-License-Identifier: Apache-2.0
"""What stands behind a plan: where each server could have gone, and whether one that
has no place lacks room, or only room in one piece.

It decides nothing: it is told what was decided, server by server in the order of
asking, and looks at what was left at each one's turn.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from nova_ha_scheduler.cluster.model import Host, Picture, Server
from nova_ha_scheduler.planner import board, explain
from nova_ha_scheduler.planner.explain import Taken
from nova_ha_scheduler.planner.preferences import Preferences
from nova_ha_scheduler.rules.model import Operation, Request


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
    look = _Look(picture, frozenset(dead), preferences)
    return [look.at(server, destination) for server, destination in decided]


class _Look:
    def __init__(
        self, picture: Picture, dead: frozenset[str], preferences: Preferences
    ) -> None:
        self._hosts, self._preferences = picture.hosts, preferences
        alive = (h for name, h in sorted(picture.hosts.items()) if name not in dead)
        self._usable = [host for host in alive if host.up and not host.disabled]
        self._needs: dict[str, Counter[str]] = defaultdict(Counter)
        self._groups: dict[str, set[str]] = defaultdict(set)
        self._permitted: dict[Request, list[Host]] = {}

    def at(self, server: Server, destination: str | None) -> Prospect:
        permitted = list(self._permit(server))
        fitting = tuple(h.name for h in permitted if self._fits(server, h))
        if destination is None:
            scattered = "" if fitting else self._scattered(server, permitted)
            return Prospect(fitting, scattered)
        self._needs[destination].update(server.needs)
        if server.group:
            self._groups[destination].add(server.group)
        return Prospect(fitting)

    def _permit(self, server: Server) -> Iterator[Host]:
        source = self._hosts[server.host]
        request = board.request_for(
            server, source, self._preferences, Operation.EVACUATE
        )
        if request not in self._permitted:
            self._permitted[request] = [
                host
                for host in self._usable
                if board.refusal(request, host, self._preferences) is None
            ]
        return (h for h in self._permitted[request] if h.name != server.host)

    def _taken(self, host: str) -> Taken:
        return Taken(False, self._needs.get(host, {}), self._groups.get(host, ()))

    def _fits(self, server: Server, host: Host) -> bool:
        found = explain.fitting(server, host, self._taken(host.name))
        return explain.first_no(found) is None

    def _scattered(self, server: Server, permitted: Iterable[Host]) -> str:
        """Only of hosts that lack nothing but room."""
        left: dict[str, Counter[str]] = {}
        for host in permitted:
            found = explain.fitting(server, host, self._taken(host.name))
            no = {check.name for check in found if check.no}
            if host.free is not None and no <= server.needs.keys():
                taken = self._taken(host.name).needs
                left[host.name] = Counter(host.free)
                left[host.name].subtract(taken)
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
