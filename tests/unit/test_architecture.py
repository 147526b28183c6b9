# SPDX-License-Identifier: Apache-2.0
"""What docs/architecture.md draws and lists is there, and all that is there is in it.

That the arrows of its diagrams are those that are taken, tests/scenarios shows.
"""

import re
import tomllib

import pytest

from nova_ha_scheduler.evacuation.host import host_states
from nova_ha_scheduler.evacuation.server import server_states
from nova_ha_scheduler.records.host_recovery import HOST_STATES, HostState
from nova_ha_scheduler.records.maintenance_window import WindowState
from nova_ha_scheduler.records.move import MoveState
from nova_ha_scheduler.records.server_recovery import ServerState
from tests.lib import diagrams

ROOT = diagrams.PAGE.parents[1]

PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])

_LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")


@pytest.mark.parametrize("states", [HostState, ServerState])
def test_each_state_is_drawn(states: type[HostState | ServerState]) -> None:
    arrows = diagrams.arrows(states)
    assert {end for arrow in arrows for end in arrow} == {s.value for s in states}


@pytest.mark.parametrize("states", [WindowState, MoveState])
def test_each_state_is_listed(states: type[WindowState | MoveState]) -> None:
    words = ", ".join(state.value for state in states)
    text = " ".join(diagrams.PAGE.read_text().split())
    assert f"`{states.__name__}` ({words})" in text


def test_each_state_is_told_and_has_a_function() -> None:
    assert set(HOST_STATES) == set(HostState)
    assert set(host_states.FUNCTIONS) == set(HostState) - {HostState.CLOSED}
    assert set(server_states.FUNCTIONS) == set(ServerState)
    for state, function in host_states.FUNCTIONS.items():
        assert function.__name__ == state.value


def test_the_layers_are_those_of_the_lint_step() -> None:
    tool = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]
    contracts = tool["importlinter"]["contracts"]
    layers = [set(re.findall(r"\w+", one)) for c in contracts for one in c["layers"]]
    part = diagrams.PAGE.read_text().partition("## What may import what\n")[2]
    cells = re.findall(r"^\| (`[^|]+) \|", part, re.MULTILINE)
    assert [set(re.findall(r"\w+", cell)) for cell in cells] == layers


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_what_a_page_links_to_is_there(page) -> None:
    links = {found[1] for found in _LINK.finditer(page.read_text())}
    assert {link for link in links if not (page.parent / link).exists()} == set()
