# SPDX-License-Identifier: Apache-2.0
"""What chaos has come to is kept, seed by seed; needs no stack."""

from pathlib import Path

import pytest

from tests.lib.chaos.results import Result, Results, Tally

pytestmark = pytest.mark.stand_ins("No stack is needed.")


def test_a_seed_is_not_run_again(tmp_path: Path) -> None:
    """But one that was broken, or was run for another time or on another stack."""
    file = tmp_path / "results"
    results = Results(file)
    results.add(Result(2, 5.0, True, Tally(6, 30, 4)))
    results.add(Result(1, 5.0, True, Tally(7, 31, 5)))
    results.add(Result(3, 5.0, True, Tally(1, 2, 0, ["two ran at once"])))
    again = Results(file)
    assert [*again] == [*results]
    assert again.missing(range(1, 5), 5.0, True) == [3, 4]
    assert again.missing([1], 6.0, True) == again.missing([1], 5.0, False) == [1]
    assert again.sum == Tally(14, 63, 9, ["two ran at once"])
    assert [str(result) for result in again][0] == (
        "seed 1, 5 minutes: 7 host failures, 31 servers recovered, 5 faults, 0 breaches"
    )


def test_without_a_file() -> None:
    results = Results(None)
    results.add(Result(1, 3.0, False, Tally(1, 2, 3)))
    assert results.missing([1, 2], 3.0, False) == [2]
