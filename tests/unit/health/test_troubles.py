# SPDX-License-Identifier: Apache-2.0
"""How long nothing could be seen, or written down."""

import pytest

from nova_ha_scheduler.health import troubles
from nova_ha_scheduler.health.troubles import Trouble, Troubles


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Its last moment is now."""
    moments = [100.0]
    monkeypatch.setattr(troubles.time, "monotonic", lambda: moments[-1])
    return moments


def test_what_is_over_counts_once(clock: list[float]) -> None:
    found = Troubles()
    found.begins(Trouble.JOURNAL, "away")
    clock.append(110)
    found.begins(Trouble.JOURNAL, "still away")
    clock.append(140)
    found.is_over(Trouble.JOURNAL)
    clock.append(150)
    assert found.outage() == 40
    assert found.outage() == 0


def test_what_was_counted_while_it_was_there_is_not_again(clock: list[float]) -> None:
    found = Troubles()
    found.begins(Trouble.CLOUD, "away")
    clock.append(130)
    assert found.outage() == 30
    clock.append(135)
    assert found.outage() == 35
    found.is_over(Trouble.CLOUD)
    assert found.outage() == 0


def test_others_hide_no_host(clock: list[float]) -> None:
    found = Troubles()
    found.begins(Trouble.SENDER, "away")
    clock.append(200)
    assert found.outage() == 0


def test_a_message_bus_counts_when_it_is_back(clock: list[float]) -> None:
    """Meanwhile it may be out of reach for the trigger alone."""
    found = Troubles()
    found.begins(Trouble.LISTENER, "away")
    clock.append(130)
    assert found.outage() == 0
    clock.append(140)
    found.is_over(Trouble.LISTENER)
    assert found.outage() == 40
    assert found.outage() == 0
