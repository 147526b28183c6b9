# SPDX-License-Identifier: Apache-2.0
"""The state diagrams of docs/architecture.md, and which of their arrows are taken."""

import enum
import re
from pathlib import Path
from typing import Any

import pytest

from nova_ha_scheduler.evacuation.host import host_states
from nova_ha_scheduler.evacuation.step import Step
from nova_ha_scheduler.records.host_recovery import HostRecovery, HostState
from nova_ha_scheduler.records.server_recovery import ServerState

PAGE = Path(__file__).parents[2] / "docs/architecture.md"

Arrow = tuple[str, str]

_DIAGRAM = re.compile(r"^```mermaid\nstateDiagram-v2\n(.*?)^```$", re.DOTALL | re.M)
_ARROW = re.compile(r"^ +(\w+) --> (\w+): \S", re.MULTILINE)

DRAWN = (HostState, ServerState)
"""Whose states the diagrams are, in the page's order."""


def arrows(states: type[enum.Enum]) -> set[Arrow]:
    """Those of a diagram from state to state."""
    found = _DIAGRAM.findall(PAGE.read_text())
    assert len(found) == len(DRAWN)
    return set(_ARROW.findall(found[DRAWN.index(states)]))


def watch(
    monkeypatch: pytest.MonkeyPatch,
) -> dict[type[enum.Enum], set[Arrow]]:
    """What is taken from now on."""
    taken: dict[type[enum.Enum], set[Arrow]] = {states: set() for states in DRAWN}

    def note(old: enum.Enum, new: enum.Enum) -> None:
        if type(new) in taken and old is not new:
            taken[type(new)].add((old.value, new.value))

    def entered(step: Step, record: Any, state: enum.Enum, **kept: Any) -> Any:
        note(record.state, state)
        return enter(step, record, state, **kept)

    def noted(function: host_states.HostFunction) -> host_states.HostFunction:
        def called(step: Step, host: HostRecovery) -> HostRecovery:
            found = function(step, host)
            note(host.state, found.state)
            return found

        return called

    enter = Step.set
    monkeypatch.setattr(Step, "set", entered)
    for state, function in host_states.FUNCTIONS.items():
        monkeypatch.setitem(host_states.FUNCTIONS, state, noted(function))
    return taken
