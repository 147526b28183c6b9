# SPDX-License-Identifier: Apache-2.0
"""What chaos draws; needs no stack."""

import itertools
from pathlib import Path

from tests.lib.chaos import choices
from tests.lib.stack.evacuator import Evacuator
from tests.lib.stack.faults import Fault
from tests.lib.stack.site import Layout, Site

MANY = 500


def drawn(seed: int) -> tuple[list[choices.Blow], list[choices.Trouble]]:
    blows = itertools.islice(choices.blows(seed, "nfs-a"), MANY)
    return list(blows), list(itertools.islice(choices.troubles(seed), MANY))


def test_a_seed_is_all_that_it_depends_on() -> None:
    assert drawn(7) == drawn(7)
    assert drawn(7) != drawn(8)


def test_everything_comes_up_and_can_be_made(tmp_path: Path) -> None:
    seeds = range(20)
    blows = [blow for seed in seeds for blow in drawn(seed)[0]]
    assert {blow.how for blow in blows} == set(choices.HOW)
    assert {blow.second for blow in blows} == set(choices.SECOND)
    assert any(blow.early for blow in blows)
    whats = {seed: {trouble.what for trouble in drawn(seed)[1]} for seed in seeds}
    everything = {*choices.FAULTS, *choices.OWNERS}
    assert set.union(*whats.values()) == everything
    site = Site(tmp_path, Layout(), {})
    service = Evacuator(site, "fleet-1", [], tmp_path, {}, False)
    for what in choices.FAULTS:
        made: Fault = choices.fault(what, service, tmp_path)
        assert made.name


def test_devices_lie_only_where_a_witness_helps() -> None:
    for seed in range(20):
        blows, troubles = drawn(seed)
        lies = any("lie" in trouble.what for trouble in troubles)
        assert lies == choices.has_witness(seed)
        if lies:
            assert {blow.how for blow in blows} == {choices.POWER_CUT}
