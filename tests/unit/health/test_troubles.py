# SPDX-License-Identifier: Apache-2.0
"""How long nothing could be seen, or written down."""

import pytest

from nova_ha_scheduler.health import troubles
from nova_ha_scheduler.health.troubles import Part, Trouble, Troubles


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


def test_what_one_part_can_use_another_may_not(
    clock: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    """The lease is renewed while no step can be written: that is one outage, said once
    when it begins, and once when it is over."""
    caplog.set_level("INFO")
    found = Troubles()
    for at in (100, 110, 120):
        clock.append(at)
        found.begins(Trouble.JOURNAL, "the disk is full", Part.LOOP)
        assert not found.is_over(Trouble.JOURNAL, Part.LEASE)
    assert [(trouble, words) for trouble, _, words in found.standing()] == [
        (Trouble.JOURNAL, "the disk is full")
    ]
    assert found.outage() == 20
    clock.append(130)
    assert found.is_over(Trouble.JOURNAL, Part.LOOP)
    assert found.standing() == []
    said = [record.getMessage() for record in caplog.records]
    assert [words.split(":")[0] for words in said] == [
        "The journal cannot be used",
        "The journal can be used again.",
    ]


def test_it_stands_since_the_first_part_has_it(
    clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    times = [1000.0]
    monkeypatch.setattr(troubles.time, "time", lambda: times[-1])
    found = Troubles()
    assert found.begins(Trouble.JOURNAL, "no answer", Part.LEASE)
    times.append(1010.0)
    assert not found.begins(Trouble.JOURNAL, "no route", Part.LOOP)
    assert found.standing() == [(Trouble.JOURNAL, 1000.0, "no route")]
    assert not found.is_over(Trouble.JOURNAL, Part.LEASE)
    assert found.standing() == [(Trouble.JOURNAL, 1010.0, "no route")]
    assert found.is_over(Trouble.JOURNAL, Part.LOOP)


@pytest.mark.parametrize("part", [Part.REPORT, Part.OUTBOX])
def test_who_only_tells_others_hides_no_host(clock: list[float], part: Part) -> None:
    found = Troubles()
    found.begins(Trouble.JOURNAL, "away", part)
    clock.append(200)
    assert found.outage() == 0
    found.is_over(Trouble.JOURNAL, part)
    assert found.outage() == 0
