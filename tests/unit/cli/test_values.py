# SPDX-License-Identifier: Apache-2.0
"""Values as people and as programs see them."""

import pytest

from nova_ha_scheduler.cli.values import Moment, Rows, human, plain
from tests.unit.cli.conftest import Zone

SOMETIME = 1790000000.25
"""2026-09-21T14:13:20.250Z, summer in Berlin."""


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Europe/Berlin", "2026-09-21 16:13:20+02:00"),
        ("Asia/Kolkata", "2026-09-21 19:43:20+05:30"),
        ("UTC", "2026-09-21 14:13:20+00:00"),
    ],
)
def test_moment(zone: Zone, name: str, words: str) -> None:
    zone(name)
    moment = Moment(SOMETIME)
    assert moment.human_readable() == words
    assert moment.machine_readable() == "2026-09-21T14:13:20.250Z"


def test_no_moment() -> None:
    none = Moment(None)
    assert (none.human_readable(), none.machine_readable()) == ("-", None)
    assert sorted([none, Moment(2.0), Moment(1.0)]) == [Moment(1.0), Moment(2.0), none]


def test_rows_of_moments(zone: Zone) -> None:
    zone("Europe/Berlin")
    rows = Rows([{"host": "a", "since": Moment(SOMETIME), "until": Moment(None)}])
    assert rows.human_readable() == "host: a, since: 2026-09-21 16:13:20+02:00"
    since = "2026-09-21T14:13:20.250Z"
    assert plain(rows) == [{"host": "a", "since": since, "until": None}]
    assert plain({"rows": rows})["rows"] == plain(rows)


@pytest.mark.parametrize(
    ("value", "words"),
    [(None, "-"), ("", "-"), (0, "0"), (True, "yes"), (["a", None], "a, -")],
)
def test_people_never_see_none(value: object, words: str) -> None:
    assert human(value) == words
