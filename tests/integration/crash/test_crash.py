# SPDX-License-Identifier: Apache-2.0
"""kill -9 at any point of a recovery: nobody evacuated too early, twice or never."""

from tests.integration.crash.conftest import HOSTS, Site  # isort: skip  (prepares for Nova)

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.crash.accident import Point
from tests.integration.crash.lives import Lives
from tests.integration.crash.points import POINTS


@pytest.fixture
def lives(point: Point, site: Site, tmp_path: Path) -> Iterator[Lives]:
    """Of a host for each point."""
    host = HOSTS[POINTS.index(point)]
    assert site.bmcs.power(host) == "On"
    found = Lives(site, host, tmp_path)
    yield found
    found.repair()


@pytest.mark.parametrize("point", POINTS, ids=lambda point: point.name)
def test_killed_and_started_again(lives: Lives, point: Point) -> None:
    lives.die_at(point)
    lives.recover()
    lives.require_once()
