# SPDX-License-Identifier: Apache-2.0
"""The soak in its short form: two rounds of virtual time, and one round of real time.

The long one is ``make soak``, which make ci-long runs.
"""

from tests.integration.soak import real  # isort: skip  (prepares the process for Nova)

from dataclasses import replace
from pathlib import Path

import pytest

from tests.integration.soak import virtual
from tests.integration.soak.figures import Figures


def test_two_rounds_of_virtual_time(tmp_path: Path) -> None:
    assert virtual.breaches(virtual.soak(tmp_path, 0.75)) == []


def test_a_round_of_real_time(tmp_path: Path) -> None:
    with (
        real.site(tmp_path, 6, print) as (soak, trigger),
        trigger.running(60) as process,
    ):
        tally = soak.run(process, 0)
    assert tally.breaches == []
    assert len(tally.figures) == 1


_GOOD = virtual.Outcome(
    [], {"closed": 2, "ended": 2}, [{"intents": 0, "events": n} for n in (9, 9, 9)],
    9, [7, 7], [50.0, 50.0],
)  # fmt: skip


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"breaches": ["two copies"]}, "two copies"),
        ({"ends": {"closed": 2, "open": 1, "ended": 1}}, "not all has come to its end"),
        ({"rows": [*_GOOD.rows[:2], {"intents": 0, "events": 10}]}, "nothing happens"),
        ({"rows": [{"intents": 2, "events": 9}] * 3}, "2 intents are left"),
        ({"rows": [{"intents": 0, "events": 900}] * 3}, "leaves 900 rows"),
        ({"records": 900}, "900 records"),
        ({"left": [90, 180]}, "180 records are left in memory"),
        ({"rss": [50.0, 90.0]}, "grown by 40.0 MiB"),
    ],
)
def test_what_is_over_a_ceiling_of_virtual_time(change, words) -> None:
    assert virtual.breaches(_GOOD) == []
    (found,) = virtual.breaches(replace(_GOOD, **change))
    assert words in found


@pytest.mark.parametrize("what", ["rss", "threads", "descriptors", "journal"])
def test_what_is_over_a_ceiling_of_real_time(what: str) -> None:
    start = Figures(100.0, 20, 20, 2.0)
    tally = real.Tally([start, start, start], seconds=600)
    tally.judge()
    assert tally.breaches == []
    tally.figures.append(replace(start, **{what: 200}))
    tally.judge()
    (found,) = tally.breaches
    assert found.startswith(f"{what}: 200 is more than")
