# SPDX-License-Identifier: Apache-2.0
"""Every directory below with commands is a scenario, by subject; see
tests/lib/simulation/scenario.py. clusters/ has those that several share.

With RECORD=1 in the environment the logs are written instead of compared. Read what
was written before you keep it.
"""

import enum
import json
import os
from collections import defaultdict
from pathlib import Path

import pytest
import yaml

from tests.lib import diagrams
from tests.lib.simulation import scenario

HERE = Path(__file__).parent
CASES = sorted(
    (path.parent for path in HERE.rglob("commands")), key=lambda path: path.name
)


PLAYED: set[Path] = set()
TAKEN: dict[type[enum.Enum], set[diagrams.Arrow]] = {s: set() for s in diagrams.DRAWN}


@pytest.mark.parametrize("directory", CASES, ids=lambda path: path.name)
def test_scenario(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    taken = diagrams.watch(monkeypatch)
    log, breaches = scenario.run(directory)
    text = "\n".join(log) + "\n"
    expected = directory / "log.expect"
    if os.environ.get("RECORD"):
        expected.write_text(text)
    assert breaches == []
    assert text == expected.read_text()
    for states, arrows in taken.items():
        assert arrows <= diagrams.arrows(states), "not drawn in docs/architecture.md"
        TAKEN[states] |= arrows
    PLAYED.add(directory)


@pytest.mark.parametrize("states", diagrams.DRAWN)
def test_each_arrow_of_the_diagrams_is_taken(states: type[enum.Enum]) -> None:
    if set(CASES) - PLAYED:
        pytest.skip("not all scenarios were played, or passed")
    assert diagrams.arrows(states) - TAKEN[states] == set()


def test_there_are_many() -> None:
    assert len(CASES) >= 60


def test_each_has_a_name_of_its_own() -> None:
    assert len({path.name for path in CASES}) == len(CASES)


def test_a_cluster_of_several_is_named_once() -> None:
    spelt = defaultdict(list)
    for case in CASES:
        said = yaml.safe_load((case / "cluster.yaml").read_text())
        if "like" not in said:
            spelt[json.dumps(said, sort_keys=True)].append(case.name)
    assert [names for names in spelt.values() if len(names) > 1] == []
