# SPDX-License-Identifier: Apache-2.0
"""Instants as people write them, on the local clock with its jumps."""

import argparse
import datetime
import time

import pytest

from nova_ha_scheduler.cli import times
from tests.unit.cli.conftest import Site, Zone

BY = ("--by", "Ann", "--reason", "its cables")


def _utc(*parts: int) -> float:
    return datetime.datetime(*parts, tzinfo=datetime.UTC).timestamp()  # type: ignore[arg-type, misc]


@pytest.mark.parametrize(
    ("name", "text", "at"),
    [
        ("Europe/Berlin", "2026-01-31T22:00", _utc(2026, 1, 31, 21)),
        ("Europe/Berlin", "2026-07-31 22:00", _utc(2026, 7, 31, 20)),
        ("Europe/Berlin", "2026-07-31", _utc(2026, 7, 30, 22)),
        ("Asia/Kolkata", "2026-01-31T22:00", _utc(2026, 1, 31, 16, 30)),
        ("Europe/Berlin", "2026-01-31T22:00Z", _utc(2026, 1, 31, 22)),
        ("Europe/Berlin", "2026-01-31T22:00-05:00", _utc(2026, 2, 1, 3)),
        # Both are on the clock twice, and say which they mean.
        ("Europe/Berlin", "2026-10-25T02:30+02:00", _utc(2026, 10, 25, 0, 30)),
        ("Europe/Berlin", "2026-10-25T02:30+01:00", _utc(2026, 10, 25, 1, 30)),
    ],
)
def test_written(zone: Zone, name: str, text: str, at: float) -> None:
    zone(name)
    assert times.ago(text) == at


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        (
            "Europe/Berlin",
            "2026-10-25T02:30",
            "2026-10-25T02:30 is on the local clock twice, which is put back then: say "
            "2026-10-25T02:30:00+02:00 or 2026-10-25T02:30:00+01:00",
        ),
        (
            "Europe/Berlin",
            "2027-03-28T02:30",
            "2027-03-28T02:30 is not on the local clock, which is put forward over it: "
            "say 2027-03-28T03:30:00+02:00 or 2027-03-28T01:30:00+01:00",
        ),
        # The clock jumps by half an hour.
        ("Australia/Lord_Howe", "2027-04-04T01:45", "is on the local clock twice"),
        # Over midnight: a date alone is no time of that day.
        ("Africa/Cairo", "2026-04-24", "is not on the local clock"),
        ("UTC", "soon", "soon is no time like 2026-01-31T22:00 (local time)"),
        ("UTC", "25:00", "and no duration like 90s, 2h or 30d"),
        ("UTC", "0001-01-01T00:00+14:00", "is too far away"),
        ("UTC", "99999999999w", "is too far away"),
    ],
)
def test_refused(zone: Zone, name: str, text: str, words: str) -> None:
    zone(name)
    for read in (times.ago, times.ahead):
        with pytest.raises(argparse.ArgumentTypeError) as error:
            read(text)
        assert words in str(error.value)


def test_so_long_from_now() -> None:
    now = time.time()
    assert times.ago("2h") == pytest.approx(now - 7200, abs=60)
    assert times.ahead("2h") == pytest.approx(now + 7200, abs=60)


def test_who_pauses_is_told_until_when(site: Site, zone: Zone) -> None:
    zone("Europe/Berlin")
    said = site.run("pause", *BY, "--until", "2999-01-31T22:00", "-f", "json")
    told = "--until: 2999-01-31 22:00:00+01:00, which is 2999-01-31 21:00:00 UTC"
    assert told in said.err
    assert said.json["until"] == "2999-01-31T21:00:00.000Z"
    assert "2999-01-31 22:00:00+01:00" in site.run("status").out


@pytest.mark.parametrize("command", ["abort", "retry", "confirm-fenced"])
def test_until_when_an_order_waits(site: Site, zone: Zone, command: str) -> None:
    zone("Europe/Berlin")
    order = (command, "node1", *BY)
    said = site.run(*order, "--expires", "2999-01-31T22:00", "-f", "json")
    assert "which is 2999-01-31 21:00:00 UTC" in said.err
    (row,) = said.json if isinstance(said.json, list) else [said.json]
    assert row["expires"] == "2999-01-31T21:00:00.000Z"
    assert "which is" not in site.run(*order).err


def test_of_the_history(site: Site, zone: Zone) -> None:
    zone("Europe/Berlin")
    span = ("--since", "2026-01-31T22:00", "--until", "2026-01-31T23:00")
    said = site.run("history", "list", *span)
    assert said.code == 0
    assert "--since: 2026-01-31 22:00:00+01:00, which is 2026-01-31 21" in said.err
    assert "--until: 2026-01-31 23:00:00+01:00, which is 2026-01-31 22" in said.err
    help = " ".join(site.run("history", "list", "--help").out.split())
    assert "2026-01-31T22:00 (local time), 2026-01-31T22:00+01:00" in help


@pytest.mark.parametrize("command", ["list", "events"])
@pytest.mark.parametrize(
    ("span", "words"),
    [
        (("--since", "2h", "--until", "3h"), "--since is not before --until"),
        (("--since", "2999-01-31"), "--since lies ahead"),
    ],
)
def test_a_span_that_has_nothing_in_it(
    site: Site, command: str, span: tuple[str, ...], words: str
) -> None:
    said = site.run("history", command, *span)
    assert (said.code, said.out) == (2, "")
    assert words in said.err


def test_in_utc_it_is_said_once(site: Site, zone: Zone) -> None:
    zone("UTC")
    said = site.run("history", "list", "--since", "2026-01-31T22:00")
    assert said.err == "--since: 2026-01-31 22:00:00 UTC\n"
    zone("Europe/London")  # the same only in winter
    assert "which is" not in site.run("history", "list", "--since", "2026-01-31").err
    assert "which is" in site.run("history", "list", "--since", "2026-07-31").err
