# SPDX-License-Identifier: Apache-2.0
"""The search for places, beside all plans there are."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import product
from unittest import mock

from hypothesis import given, settings
from hypothesis import strategies as st

from nova_ha_scheduler.cluster.providers import Resources
from nova_ha_scheduler.planner import repacking
from nova_ha_scheduler.planner.ceiling import out_of_reach
from nova_ha_scheduler.planner.packed_amounts import Item
from nova_ha_scheduler.planner.repacking import repack


@st.composite
def _clouds(draw: st.DrawFn) -> tuple[list[Item], list[Resources]]:
    """Up to three hosts, and servers that have a spot on those that would take them."""
    amount = st.integers(0, 9)
    rooms = draw(st.lists(st.builds(_amounts, amount, amount), min_size=1, max_size=3))
    items = []
    for alike in sorted(draw(st.lists(st.integers(0, 1), max_size=6))):
        needs = _amounts(draw(st.integers(1, 5)), draw(st.integers(0, 5)))
        open_to = [
            host
            for host, room in enumerate(rooms)
            if all(room[what] >= n for what, n in needs.items()) and draw(st.booleans())
        ]
        first = [host for host in open_to if draw(st.booleans())]
        second = [host for host in open_to if host not in first]
        items.append(
            Item(needs, alike, (first, second), draw(st.sampled_from([None, "g"])))
        )
    return items, rooms


def _amounts(vcpus: int, memory: int) -> Resources:
    return {"VCPU": vcpus, "MEMORY_MB": memory}


def _sound(
    items: Sequence[Item], rooms: Sequence[Resources], at: Sequence[int]
) -> bool:
    taken: Counter[tuple[int, str]] = Counter()
    for item, host in zip(items, at, strict=True):
        if host < 0:
            continue
        taken.update({(host, what): n for what, n in item.needs.items()})
        if item.apart:
            taken[host, item.apart] += 1
    return all(n <= (rooms[host] | {"g": 1})[what] for (host, what), n in taken.items())


def _plans(items: Sequence[Item], rooms: Sequence[Resources]) -> Iterator[list[int]]:
    spots = [(-1, *item.spots[0], *item.spots[1]) for item in items]
    return (list(at) for at in product(*spots) if _sound(items, rooms, at))


def _score(items: Sequence[Item], at: Sequence[int]) -> list[int]:
    placed = [item.alike for item, host in zip(items, at, strict=True) if host >= 0]
    return [placed.count(0), placed.count(1)]


@settings(max_examples=150, deadline=None)
@given(_clouds())
def test_no_plan_is_better(cloud: tuple[list[Item], list[Resources]]) -> None:
    items, rooms = cloud
    with mock.patch.object(repacking, "_PATIENCE", 20_000):
        at = repack(items, rooms)
    assert _sound(items, rooms, at)
    assert all(
        host < 0 or host in (*item.spots[0], *item.spots[1])
        for item, host in zip(items, at, strict=True)
    )
    assert _score(items, at) == max(
        _score(items, plan) for plan in _plans(items, rooms)
    )


@settings(max_examples=150, deadline=None)
@given(_clouds())
def test_what_is_out_of_reach_is_in_no_plan(
    cloud: tuple[list[Item], list[Resources]],
) -> None:
    items, rooms = cloud
    reached = {tuple(_score(items, plan)) for plan in _plans(items, rooms)}
    for most, more in reached:
        assert not out_of_reach(items, rooms, [most, more])
        assert not out_of_reach(items, rooms, [most])


def test_more_than_all_the_room_is_out_of_reach() -> None:
    rooms = [_amounts(4, 4), _amounts(4, 4)]
    items = [Item(_amounts(3, 1), 0, ([0, 1], [])) for _ in range(2)]
    items += [Item(_amounts(1, 2), 1, ([0, 1], [])) for _ in range(4)]
    assert not out_of_reach(items, rooms, [2, 2])
    assert out_of_reach(items, rooms, [2, 3])
    assert out_of_reach(items, rooms, [3])


def test_a_second_choice_is_taken_where_no_first_has_room() -> None:
    rooms = [_amounts(4, 0), _amounts(4, 0), _amounts(4, 0)]
    items = [Item(_amounts(3, 0), 0, ([0, 1], [2])) for _ in range(3)]
    assert sorted(repack(items, rooms)) == [0, 1, 2]
    assert sorted(repack(items[:2], rooms)) == [0, 1]


def test_one_that_finds_no_place_keeps_none_from_another() -> None:
    """They are equally urgent, and no host is open to both."""
    rooms = [_amounts(1, 0), _amounts(1, 2), _amounts(2, 0)]
    items = [
        Item(_amounts(1, 0), 0, ([2], [0, 1])),
        Item(_amounts(2, 0), 0, ([], [2])),
        Item(_amounts(1, 2), 1, ([], [1])),
        Item(_amounts(2, 0), 1, ([], [2])),
    ]
    assert repack(items, rooms) == [0, 2, 1, -1]
