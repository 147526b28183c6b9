# SPDX-License-Identifier: Apache-2.0
"""What chaos draws; needs no stack."""

import itertools
from pathlib import Path

from tests.chaos import choices
from tests.stack.evacuator import Evacuator
from tests.stack.faults import Fault
from tests.stack.site import Layout, Site

MANY = 500


def drawn(seed: int) -> tuple[list[choices.Blow], list[choices.Trouble]]:
    blows = itertools.islice(choices.blows(seed, "nfs-a"), MANY)
    return list(blows), list(itertools.islice(choices.troubles(seed), MANY))


def test_a_seed_is_all_that_it_depends_on() -> None:
    assert drawn(7) == drawn(7)
    assert drawn(7) != drawn(8)


def test_everything_comes_up_and_can_be_made(tmp_path: Path) -> None:
    seeds = {choices.journal(seed): seed for seed in range(10)}
    blows, troubles = drawn(seeds[choices.SQLITE])
    assert {blow.how for blow in blows} == set(choices.HOW)
    assert {blow.second for blow in blows} == set(choices.SECOND)
    assert any(blow.early for blow in blows)
    assert {t.what for t in troubles} == {*choices.FAULTS, *choices.OWNERS}
    others = {t.what for t in drawn(seeds[choices.MARIADB])[1]}
    (missing,) = {*choices.FAULTS, *choices.OWNERS} - others
    assert "disk" in missing
    site = Site(tmp_path, Layout(), {})
    service = Evacuator(site, "fleet-1", [], tmp_path, {}, False)
    for what in choices.FAULTS:
        made: Fault = choices.fault(what, service, tmp_path)
        assert made.name
