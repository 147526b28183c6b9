# SPDX-License-Identifier: Apache-2.0
"""What chaos draws; needs no stack."""

import itertools
from pathlib import Path

import pytest

from tests.lib.chaos import choices
from tests.lib.stack.evacuator import Evacuator
from tests.lib.stack.faults import Fault
from tests.lib.stack.site import Layout, Site

pytestmark = pytest.mark.stand_ins("No stack is needed.")

MANY = 500


def drawn(
    seed: int, real: bool = False
) -> tuple[list[choices.Blow], list[choices.Trouble]]:
    blows = itertools.islice(choices.blows(seed, "nfs-a", real), MANY)
    return list(blows), list(itertools.islice(choices.troubles(seed, real), MANY))


def test_a_seed_is_all_that_it_depends_on() -> None:
    assert drawn(7) == drawn(7)
    assert drawn(7) != drawn(8)


@pytest.mark.parametrize(
    ("real", "how", "faults"),
    [
        (False, choices.HOW, choices.FAULTS),
        (True, choices.REAL_HOW, choices.REAL_FAULTS),
    ],
)
def test_everything_comes_up_and_can_be_made(
    tmp_path: Path, real: bool, how: tuple[str, ...], faults: tuple[str, ...]
) -> None:
    seeds = range(20)
    blows = [blow for seed in seeds for blow in drawn(seed, real)[0]]
    assert {blow.how for blow in blows} == set(how)
    assert {blow.second for blow in blows} == set(choices.SECOND)
    assert any(blow.early for blow in blows)
    whats = {seed: {t.what for t in drawn(seed, real)[1]} for seed in seeds}
    everything = {*faults, *choices.OWNERS}
    assert set.union(*whats.values()) == everything
    site = Site(tmp_path, Layout(), {})
    service = Evacuator(site, "fleet-1", [], tmp_path, {}, False)
    for what in faults:
        made: Fault = choices.fault(what, service, tmp_path)
        assert made.name


def test_devices_lie_only_where_a_witness_helps() -> None:
    for seed in range(20):
        blows, troubles = drawn(seed)
        lies = any("lie" in trouble.what for trouble in troubles)
        assert lies == choices.has_witness(seed)
        if lies:
            assert {blow.how for blow in blows} == {choices.POWER_CUT}
