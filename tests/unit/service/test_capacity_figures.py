# SPDX-License-Identifier: Apache-2.0
"""The figures are those of nova-ha capacity, and go from one process to another."""

import json
from pathlib import Path

import pytest

from nova_ha_scheduler import codec
from nova_ha_scheduler.cli import clouds
from nova_ha_scheduler.evacuation.options import Options
from nova_ha_scheduler.service import capacity_figures
from tests.unit import commandline

CLOUD = "docs/examples/cloud.yaml"
ROOT = Path(__file__).parents[3]


def test_they_are_those_of_the_command(tmp_path: Path) -> None:
    conf = tmp_path / "nova-ha.conf"
    conf.touch()
    shown = commandline.run(
        f"--config-file={conf}", "capacity", "--from-file", str(ROOT / CLOUD), "-fjson"
    )
    said = {row["zone"]: row for row in json.loads(shown.out)}
    figures = capacity_figures.of(clouds.read(ROOT / CLOUD), Options())
    assert {zone.name for zone in figures.zones} == said.keys()
    for zone in figures.zones:
        row = said[zone.name]
        assert zone.tolerated == row["survivable"]
        assert zone.exact == (row["how"] == "exact")
        assert zone.left_first == row["left_first"]
        assert list(zone.problems) == row["problems"]
        assert sum(map(len, zone.reserve.values())) == row["reserve"]
        assert zone.hosts == row["hosts"]


def test_they_come_back_as_they_went() -> None:
    figures = capacity_figures.of(clouds.read(ROOT / CLOUD), Options())
    assert capacity_figures.load(capacity_figures.dump(figures)) == figures
    assert "\n" not in capacity_figures.dump(figures)


@pytest.mark.parametrize("text", ["", "{}", '{"schema": "nova-ha-capacity"}', "[1]"])
def test_what_is_none_is_refused(text: str) -> None:
    with pytest.raises(codec.Unreadable):
        capacity_figures.load(text)
