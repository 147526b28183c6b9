# SPDX-License-Identifier: Apache-2.0
"""For each dead host another one that takes all of its servers.

Admission (:mod:`nova_ha_scheduler.rules.admission`) sees to it that there are such
hosts, also when several die together; and a plan that spreads servers may fill each of
them with a little of everything.
"""

from collections import Counter
from collections.abc import Container, Mapping, Sequence

from nova_ha_scheduler.cluster.picture import Server
from nova_ha_scheduler.planner.board import Board


def pair(
    board: Board, servers: Sequence[Server], tried: Mapping[str, Container[str]]
) -> dict[str, str] | None:
    """The host for each dead host, by name, with nobody left; None: there is none.

    :param servers: of the dead hosts, in the order of asking.
    :param tried: destinations that refused them, by the servers' UUIDs.
    """
    lost: dict[str, list[Server]] = {}
    for server in servers:
        lost.setdefault(server.host, []).append(server)
    choices = {host: _choices(board, found, tried) for host, found in lost.items()}
    pairs: dict[str, str] = {}
    for host in lost:
        if not _augment(host, choices, pairs, set()):
            return None
    found = {dead: host for host, dead in pairs.items()}
    trial = board.unlimited()
    if any(trial.place(s, only=found[s.host]).reason for s in servers):
        return None  # their groups keep them apart
    return found


def _choices(
    board: Board, servers: Sequence[Server], tried: Mapping[str, Container[str]]
) -> list[str]:
    """The hosts that can take all of these, the best of the first one's first."""
    needs: Counter[str] = Counter()
    for server in servers:
        needs.update(server.needs)
    found: list[str] | None = None
    for server in servers:
        refused = tried.get(server.uuid, ())
        open_to = {
            spot.host.name: board.free(spot.host)
            for spot in board.spots(server)
            if spot.host.name not in refused
        }
        found = [name for name in open_to if found is None or name in found]
        if not found:
            return []
        found = [
            n for n in found if all(open_to[n].get(w, 0) >= needs[w] for w in needs)
        ]
    return found or []


def _augment(
    dead: str,
    choices: Mapping[str, Sequence[str]],
    pairs: dict[str, str],
    seen: set[str],
) -> bool:
    """Find a host for one more, if need be by giving others another one.

    :param pairs: the dead host by the host that takes all of it.
    """
    for host in choices[dead]:
        if host in seen:
            continue
        seen.add(host)
        if host not in pairs or _augment(pairs[host], choices, pairs, seen):
            pairs[host] = dead
            return True
    return False
