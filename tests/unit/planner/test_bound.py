# SPDX-License-Identifier: Apache-2.0
"""What the bound says survives, does: any hosts, any order, any choice of hosts."""

import random
from collections import Counter
from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from nova_ha_scheduler.planner.bound import Stand, survives

_WHAT = ("VCPU", "MEMORY_MB")
_needs = st.fixed_dictionaries({what: st.integers(0, 4) for what in _WHAT})
_room = st.none() | st.fixed_dictionaries({what: st.integers(0, 30) for what in _WHAT})
_hosts = st.lists(st.tuples(st.lists(_needs, max_size=4), _room), max_size=6)


def _stand(servers: list[dict[str, int]], free: dict[str, int] | None) -> Stand:
    demand: Counter[str] = Counter()
    for needs in servers:
        demand.update(needs)
    return Stand(demand, len(servers), free)


def _all_fit(
    servers: list[dict[str, int]],
    rooms: list[dict[str, int]],
    choice: random.Random,
) -> bool:
    """In some order, each to some host that has room for it."""
    rooms = [dict(free) for free in rooms]
    for needs in choice.sample(servers, len(servers)):
        fitting = [f for f in rooms if all(f[w] >= n for w, n in needs.items())]
        if not fitting:
            return False
        free = choice.choice(fitting)
        for what, n in needs.items():
            free[what] -= n
    return True


@settings(max_examples=600, deadline=None)
@given(_hosts, st.integers(1, 3), st.randoms(use_true_random=False))
def test_what_survives_by_the_bound_survives(
    hosts: list[tuple[list[dict[str, int]], dict[str, int] | None]],
    failures: int,
    choice: random.Random,
) -> None:
    all_servers = [needs for servers, _ in hosts for needs in servers]
    largest = {what: max((s[what] for s in all_servers), default=0) for what in _WHAT}
    stands = [_stand(servers, free) for servers, free in hosts]
    if not survives(stands, largest, failures):
        return
    for dead in combinations(range(len(hosts)), min(failures, len(hosts))):
        servers = [needs for n in dead for needs in hosts[n][0]]
        alive = [free for n, (_, free) in enumerate(hosts) if n not in dead and free]
        assert _all_fit(servers, alive, choice)


def test_it_is_not_empty_words() -> None:
    """Five hosts with ten small servers each, two empty ones."""
    full = [_stand([{"VCPU": 1, "MEMORY_MB": 2}] * 10, None)] * 5
    empty = [Stand({}, 0, {"VCPU": 16, "MEMORY_MB": 64})] * 2
    largest = {"VCPU": 1, "MEMORY_MB": 2}
    assert survives([*full, *empty], largest, 1)
    assert not survives([*full, *empty], largest, 3)
    assert not survives([*full, empty[0]], largest, 1)  # that one may be the one
    assert survives([Stand({}, 0, None)], {}, 1)


def test_large_servers_and_many_small_ones() -> None:
    """By amounts where slots of the largest size would say too little."""
    mixed = [{"VCPU": 8, "MEMORY_MB": 8}, *[{"VCPU": 1, "MEMORY_MB": 1}] * 30]
    hosts = [_stand(mixed, None)] * 3
    spare = [Stand({}, 0, {"VCPU": 64, "MEMORY_MB": 64})] * 2
    assert survives([*hosts, *spare], {"VCPU": 8, "MEMORY_MB": 8}, 1)
