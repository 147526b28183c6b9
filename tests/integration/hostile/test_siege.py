# SPDX-License-Identifier: Apache-2.0
"""All peers of a trigger answer anything while two hosts die (tests/lib/siege), once.

``make hostile SEED=1-20`` does it twenty times, each time in another way.
"""

import random
import subprocess
import sys
from typing import Any

import pytest

from tests.lib import answers
from tests.lib.siege import grammar
from tests.lib.siege.grammar import Grammar
from tests.lib.siege.watch import Taken, unforeseen

SEED = "1"
SECONDS = 900
"""Many times what it takes where nobody else wants the machine."""


def test_a_siege() -> None:
    """In a process of its own, as there is a cloud in it."""
    command = [sys.executable, "-W", "ignore", "-m", "tests.lib.siege", "--seed", SEED]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-5000:]


# The tools of it.


def _spoilt(seed: int, wanted: Any = None) -> list[Any]:
    numbers = random.Random(seed)
    bodies = answers.bodies().values()
    return [Grammar(numbers).several(body, wanted) for body in bodies]


def test_a_seed_always_makes_the_same() -> None:
    for seed in range(20):
        made = [grammar.text(body) for body in _spoilt(seed)]
        assert made == [grammar.text(body) for body in _spoilt(seed)]
    assert len({grammar.text(body) for s in range(20) for body in _spoilt(s)}) > 100


@pytest.mark.parametrize("seed", range(50))
def test_what_is_made_can_be_told_from_the_truth(seed: int) -> None:
    """No host is called dead that is not, and no list has less in it."""
    body = answers.bodies()["/servers/detail?c1"]
    made = Grammar(random.Random(seed)).several({"servers": [*body["servers"]] * 3})
    if isinstance(made, dict) and isinstance(made.get("servers"), list):
        assert len(made["servers"]) >= 3
    found = Grammar(random.Random(seed)).several({"state": "up", "forced_down": False})
    if isinstance(found, dict):
        assert found.get("state") != "down"
        assert found.get("forced_down") is not True


@pytest.mark.parametrize("seed", range(50))
def test_what_is_about_one_host_leaves_the_others_alone(seed: int) -> None:
    body = answers.bodies()["/os-services"]
    made = Grammar(random.Random(seed)).several(body, lambda found: "c1" in str(found))
    others = [s for s in body["services"] if s["host"] != "c1"]
    assert [s for s in made["services"] if s in others] == others


@pytest.mark.parametrize(
    "line",
    [
        "Traceback (most recent call last):",
        "A step broke and is tried again: KeyError: 'x'",
        "cloud.unreadable: server x (TypeError: unhashable type: 'list')",
    ],
)
def test_a_bug_is_seen_in_the_log(line: str) -> None:
    assert unforeseen(f"well\n{line}\nwell") == [line]


def test_what_takes_too_much_is_named() -> None:
    most = Taken(1, 2, 3, 4)
    assert Taken(1, 2, 3, 4).exceeds(most) == []
    assert Taken(1, 3, 3, 4).exceeds(most) == ["3 of threads, and 2 at most"]
