# SPDX-License-Identifier: Apache-2.0
"""How fast the planner is in a large cloud, and how good in small ones.

Seconds, on one core: of one host's plan, as ``nova-ha plan`` makes it from a picture,
and of the plans of all hosts, each of which dies alone, as ``nova-ha capacity`` makes
them. These are no ratios: what is promised of them are seconds, too.

The share of the servers that an exact solver places: in random clouds in which the
room is scarce and in pieces. Where servers have priorities, it is the smallest of the
shares of the most urgent ones, of these and the next, and so on.
"""

import gc
import random
import statistics
import time
from collections.abc import Callable
from itertools import groupby

from bench import cores, exact
from bench.effort import Effort
from nova_ha_scheduler.cluster import synthetic
from nova_ha_scheduler.cluster.picture import Host, Picture, Server
from nova_ha_scheduler.planner import losses, triage
from nova_ha_scheduler.planner.board import NO_LIMITS, Board, Choice
from nova_ha_scheduler.planner.ground import Ground
from nova_ha_scheduler.planner.packing import place_all
from nova_ha_scheduler.planner.preferences import Preferences
from nova_ha_scheduler.rules.terms import HostFacts

_FLAVORS = ((1, 2), (2, 4), (4, 8), (8, 16), (2, 8), (4, 4), (8, 32))
_TIGHTNESS = (0.8, 0.95, 1.05, 1.2)  # the free room, of what is wanted
_PREFERENCES = Preferences()


def measure(effort: Effort, say: Callable[[str], None] = print) -> dict[str, float]:
    """Print tables; return the figures."""
    cores.keep_to_one()
    return _speed(effort.planned, say) | _quality(effort.puzzles, say)


def _speed(cloud: str, say: Callable[[str], None]) -> dict[str, float]:
    picture = synthetic.parse(cloud)
    gc.collect()
    start = time.perf_counter()
    plan = _plan(picture)
    one = time.perf_counter() - start
    start = time.perf_counter()
    found = losses.WhatIf(
        Ground(picture.hosts, _PREFERENCES), picture.servers
    ).each_alone()
    every = time.perf_counter() - start
    planned = sum(loss.servers for loss in found.values())
    say(f"{len(picture.hosts)} hosts, {len(picture.servers)} servers, one core")
    say(f"{'plan of one host':46}{one:8.3f} s  ({len(plan)} servers)")
    say(f"{'plans of every host':46}{every:8.3f} s  ({planned} servers)")
    return {
        "plan_one_host_s": round(one, 3),
        "plan_every_host_s": round(every, 2),
    }


def _plan(picture: Picture) -> list[tuple[Server, Choice]]:
    host = next(iter(picture.hosts))
    ground = Ground(picture.hosts, _PREFERENCES)
    board = Board(ground, frozenset({host}), limits=NO_LIMITS)
    return place_all(board, picture.servers_of(host))


def _quality(puzzles: int, say: Callable[[str], None]) -> dict[str, float]:
    shares = [_share(seed) for seed in range(puzzles)]
    least, mean = min(shares), statistics.mean(shares)
    say(f"{'placed, of an exact solver, mean':46}{mean:8.3f}")
    say(f"{f'the least of {puzzles} clouds':46}{least:8.3f}")
    return {
        "placed_share_of_exact_mean": round(mean, 4),
        "placed_share_of_exact_min": round(least, 4),
    }


def _share(seed: int) -> float:
    hosts, servers = _small(seed)
    board = Board(Ground(hosts, _PREFERENCES), frozenset({"dead"}), limits=NO_LIMITS)
    plan = place_all(board, servers)
    classes = [
        list(alike)
        for _, alike in groupby(plan, lambda s: triage.urgency(s[0], _PREFERENCES)[:2])
    ]
    alive = [host for name, host in hosts.items() if name != "dead"]
    best = exact.most_placed(alive, [[s for s, _ in alike] for alike in classes])
    ours = [sum(d.destination is not None for _, d in alike) for alike in classes]
    return min(
        sum(ours[:number]) / max(1, sum(best[:number]))
        for number in range(1, len(classes) + 1)
    )


def _small(seed: int) -> tuple[dict[str, Host], list[Server]]:
    """A dead host, with servers of up to three priorities, and four to nine others."""
    chance = random.Random(seed)
    facts = HostFacts.of([{"ha": "true", "storage_zone": "nfs-a"}])
    servers = []
    for number in range(20 + seed % 20):
        vcpus, gib = chance.choice(_FLAVORS)
        disk = chance.choice([10, 20, 40, 80])
        group = f"group{chance.randrange(3)}" if chance.random() < 0.15 else None
        priority = 100 * chance.randrange(1 + seed % 3)
        servers.append(
            Server(
                f"uuid{number}",
                f"server{number}",
                "dead",
                extra_specs={"ha": "true", "ha:priority": str(priority)},
                needs={"VCPU": vcpus, "MEMORY_MB": gib * 1024, "DISK_GB": disk},
                group=group,
            )
        )
    count = 4 + seed % 6
    parts = [0.2 + chance.random() for _ in range(count)]
    wanted = {what: sum(s.needs[what] for s in servers) for what in servers[0].needs}
    hosts = {"dead": Host("dead", facts, up=False)}
    for number, part in enumerate(parts):
        share = _TIGHTNESS[seed % len(_TIGHTNESS)] * part / sum(parts)
        free = {w: int(n * share * chance.uniform(0.8, 1.2)) for w, n in wanted.items()}
        hosts[f"host{number}"] = Host(f"host{number}", facts, free=free)
    return hosts, servers
