# SPDX-License-Identifier: Apache-2.0
"""The wheel where nothing else is, with the versions that the tests passed with."""

import json
import re
from pathlib import Path

import pytest

from tests.integration.install import fresh
from tests.integration.install.conftest import PROGRAMS, PYTHONS
from tests.integration.install.fresh import TREE, Built, Fresh

CONSTRAINTS = TREE / "constraints" / "2026.2.txt"


@pytest.fixture(scope="module", params=sorted(PYTHONS))
def constrained(
    request: pytest.FixtureRequest,
    built: Built,
    tmp_path_factory: pytest.TempPathFactory,
) -> Fresh:
    folder = tmp_path_factory.mktemp("constrained") / request.param
    environment = Fresh(folder, request.param, PYTHONS[request.param])
    environment.install("-c", CONSTRAINTS, f"{built.wheel}[evacuator]")
    return environment


def test_it_has_these_versions_and_they_fit(constrained: Fresh) -> None:
    pip = [constrained.python, "-m", "pip"]
    shown = json.loads(fresh.run([*pip, "list", "--format", "json"]))
    known = dict(re.findall(r"^([\w.-]+)==(\S+)$", CONSTRAINTS.read_text(), re.M))
    known = {_normal(name): version for name, version in known.items()}
    found = {_normal(each["name"]): each["version"] for each in shown}
    both = found.keys() & known.keys()
    assert {"oslo-service", "openstacksdk", "sqlalchemy", "cliff"} <= both
    assert {n: found[n] for n in both} == {n: known[n] for n in both}
    assert fresh.run([*pip, "check"]) == "No broken requirements found.\n"


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_programs_start(constrained: Fresh, program: str, tmp_path: Path) -> None:
    said = fresh.run([constrained.bin / program, "--help"])
    assert said.startswith(f"usage: {program} ")


def test_a_command_that_needs_nearly_all(constrained: Fresh) -> None:
    cloud = "2 zones of 3 hosts of 8 vCPU, 50 % full"
    said = fresh.run([constrained.bin / "nova-ha", "capacity", "--synthetic", cloud])
    assert "zone" in said


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
