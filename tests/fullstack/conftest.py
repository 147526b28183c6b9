# SPDX-License-Identifier: Apache-2.0
"""One stack for all tests; each finds all hosts up, and no servers.

With ``--real`` it is one of real parts alone (tests/lib/real). Both stacks run all
tests but those that are marked: ``real`` is what stand-ins cannot show, ``stand_ins``
what shows no more on real parts.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from nova_ha_scheduler.journal.history import HistoryQuery
from tests.lib.real.stack import RealStack
from tests.lib.stack import servers, truth
from tests.lib.stack.evacuator import Trigger
from tests.lib.stack.fleet import Fleet
from tests.lib.stack.stack import Stack

RECOVERY_SECONDS = 180


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--real", action="store_true", help="libvirt, QEMU, and so on")


def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Leave those that belong to the stack that is used."""
    others = "stand_ins" if config.getoption("--real") else "real"

    def belongs(item: pytest.Item) -> bool:
        return item.get_closest_marker(others) is None

    config.hook.pytest_deselected(items=[i for i in items if not belongs(i)])
    items[:] = [item for item in items if belongs(item)]


@pytest.fixture(scope="session")
def _stack(request: pytest.FixtureRequest) -> Iterator[Stack]:
    """Its files are kept when a test has failed, and named."""
    made = RealStack() if request.config.getoption("--real") else Stack()
    with made as stack:
        yield stack
    if request.session.testsfailed:
        print(f"\nThe logs: {stack.site.logs} and {stack.site.room}", file=sys.stderr)
    else:
        stack.remove()


@pytest.fixture(scope="session")
def _fleets() -> list[Fleet]:
    """The fleet, once there is one."""
    return []


@pytest.fixture
def fleet(
    _stack: Stack, _fleets: list[Fleet], request: pytest.FixtureRequest
) -> Iterator[Fleet]:
    """The one fleet; a new one after a test that has failed or has used it up."""
    if _fleets and _fleets[0].spoilt:
        _fleets.clear()
    if not _fleets:
        _make_whole(_stack)
        _fleets.append(Fleet(_stack))
    failed = request.session.testsfailed
    yield _fleets[0]
    _fleets[0].spoilt |= request.session.testsfailed > failed


@pytest.fixture
def stack(_stack: Stack, _fleets: list[Fleet]) -> Stack:
    """The stack, whatever the test before has left of it."""
    _fleets.clear()
    _make_whole(_stack)
    return _stack


@pytest.fixture
def real(stack: Stack) -> RealStack:
    """The stack, for a test that is marked ``real``."""
    assert isinstance(stack, RealStack)
    return stack


def _make_whole(stack: Stack) -> None:
    """No triggers, servers and faults."""
    if stack.used:
        stack.heal()
    stack.used = True


@pytest.fixture
def trigger(stack: Stack, request: pytest.FixtureRequest) -> Callable[..., Trigger]:
    """Make a trigger with a journal of its own; arguments as of Stack.trigger()."""

    def make(name: str = "", **details: Any) -> Trigger:
        """:param name: what tells it from the test's other ones."""
        return stack.trigger(request.node.name + name, **details)

    return make


def recovered(stack: Stack, trigger: Trigger, host: str) -> dict[str, Any]:
    """Wait until the only recovery of a host has ended well; return all of it."""
    history = trigger.history()

    def ended() -> bool:
        states = [
            found.state.value for found in history.recoveries(HistoryQuery(host=host))
        ]
        assert len(states) <= 1, "one death is one recovery"
        assert states != ["incomplete"], history.servers(HistoryQuery(host=host))
        return states == ["recovered"]

    stack.wait(f"the recovery of {host}", ended, RECOVERY_SECONDS)
    (found,) = trigger.shown(host)
    return found


def ended(stack: Stack, trigger: Trigger, host: str) -> dict[str, Any]:
    """Wait until the newest recovery of a host has ended, well or not; return all of
    it."""
    history, over = trigger.history(), {"recovered", "incomplete"}

    def is_over() -> bool:
        found = history.recoveries(HistoryQuery(host=host))
        return bool(found) and found[0].state.value in over

    stack.wait(f"the end of {host}'s recovery", is_over, RECOVERY_SECONDS)
    return trigger.shown(host)[0]


def check(
    stack: Stack,
    histories: Sequence[dict[str, Any]],
    ids: set[str],
    stopped: frozenset[str] = frozenset(),
) -> None:
    """All are recovered in their zone, as they were, and no rule is broken.

    :param histories: of each host that has died.
    """
    found = [
        (history["host"], row) for history in histories for row in history["servers"]
    ]
    sources = {row["server"]: host for host, row in found}
    assert {row["outcome"] for _, row in found} == {"recovered"}, found
    assert set(sources) == ids
    facts = truth.facts(stack.records(), stack.switched())
    assert truth.breaches(facts, histories, ids) == []
    assert stack.standing(ids - stopped) == []
    arrived = {(each.server, each.source) for each in facts.arrivals}
    assert arrived == {*sources.items()}
    zones, now = stack.site.layout.zones, servers.servers(stack)
    for server in ids:
        there = str(now[server]["OS-EXT-SRV-ATTR:host"])
        assert zones[there] == zones[sources[server]]
        runs = {there} if server not in stopped else set()
        assert facts.runs_at_last(server) == runs
        assert now[server]["status"] == ("ACTIVE" if runs else "SHUTOFF")
