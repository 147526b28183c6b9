# SPDX-License-Identifier: Apache-2.0
"""What chaos draws; needs no stack."""

import itertools

from tests.chaos import choices
from tests.stack.faults import Fault

HOSTS = ["a1", "a2", "a3", "a9"]
MANY = 500


def drawn(seed: int) -> tuple[list[choices.Blow], list[choices.Trouble]]:
    blows = itertools.islice(choices.blows(seed, "nfs-a", HOSTS), MANY)
    return list(blows), list(itertools.islice(choices.troubles(seed), MANY))


def test_a_seed_is_all_that_it_depends_on() -> None:
    assert drawn(7) == drawn(7)
    assert drawn(7) != drawn(8)


def test_a_zone_always_has_somewhere_to_go() -> None:
    blows, _ = drawn(1)
    for before, blow in itertools.pairwise(blows):
        dead = {blow.host, blow.second} - {""}
        assert dead.isdisjoint({before.host, before.second})
        assert len(dead) == (2 if blow.second else 1)


def test_everything_comes_up_and_can_be_made() -> None:
    blows, troubles = drawn(1)
    assert {blow.how for blow in blows} == set(choices.HOW)
    assert any(blow.second for blow in blows)
    assert any(blow.early for blow in blows)
    assert {t.what for t in troubles} == {*choices.FAULTS, *choices.OWNERS}
    for what in choices.FAULTS:
        made: Fault = choices.fault(what, "fleet-1")
        assert made.name
