# SPDX-License-Identifier: Apache-2.0
"""The board asks for metrics that exist, by labels that they have, in Prometheus'
language; and answers its four questions in their order."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families as parsed

from nova_ha_scheduler.service.monitoring.trigger_facts import AdmissionAge
from tests.integration.monitoring.test_alerts import ALERTS, ROOT, SMALL, promtool
from tests.lib.simulation.watched import Watched

BOARD: Any = json.loads((ROOT / "etc/monitoring/nova-ha-board.json").read_text())

_OF_THE_SCRAPE = {"instance", "job"}
"""Labels that Prometheus adds."""


def queries() -> Iterator[tuple[str, str]]:
    """Each query, and the title of its panel."""
    for panel in BOARD["panels"]:
        for target in panel.get("targets", ()):
            yield target["expr"], panel["title"]


@pytest.fixture(scope="module")
def told() -> dict[str, set[str]]:
    """All that a trigger tells: the series, with their labels."""
    played = Watched(SMALL)
    played.capacity_every = 60
    played.admission = AdmissionAge(0.0, 900.0)
    played.play(played.read("at 30 device node1 unreachable\nat 40 end"))
    found: dict[str, set[str]] = {}
    played.play(played.read("at 45 power off node1\nat 300 end"))
    for family in parsed(played.metrics()):
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found


EXPRESSIONS = [*queries(), *((rule["expr"], name) for name, rule in ALERTS.items())]


@pytest.mark.parametrize(("expr", "title"), EXPRESSIONS, ids=lambda text: text[:40])
def test_it_asks_for_what_is_there(
    expr: str, title: str, told: dict[str, set[str]]
) -> None:
    names = set(re.findall(r"\bnova_ha_\w+", expr))
    assert names, title
    assert names <= told.keys()
    labels = set().union(*(told[name] for name in names)) | _OF_THE_SCRAPE
    for found in re.findall(r"\b(?:by|on) \(([^)]*)\)", expr):
        assert {label.strip() for label in found.split(",")} <= labels, title
    for found in re.findall(r"{([^}]*)}", expr):
        assert set(re.findall(r"(\w+)[=!]~?=?\"", found)) <= labels, title


def test_legends_name_labels_that_are_left() -> None:
    for panel in BOARD["panels"]:
        for target in panel.get("targets", ()):
            kept = ",".join(re.findall(r"\bby \(([^)]*)\)", target["expr"]))
            shown = set(re.findall(r"{{(\w+)}}", target["legendFormat"]))
            assert shown <= {label.strip() for label in kept.split(",")}


def test_prometheus_understands_each_query(tmp_path: Path) -> None:
    rules = [
        {"record": f"board:{number}", "expr": expr.replace("$__rate_interval", "1m")}
        for number, (expr, _) in enumerate(queries())
    ]
    path = tmp_path / "rules.yaml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "board", "rules": rules}]}))
    assert f"{len(rules)} rules found" in promtool("check", "rules", str(path))


def test_the_questions_stand_in_their_order() -> None:
    rows = [panel for panel in BOARD["panels"] if panel["type"] == "row"]
    rows.sort(key=lambda panel: panel["gridPos"]["y"])
    assert [row["title"] for row in rows] == [
        "Is it armed?",
        "What goes on?",
        "What needs me?",
        "Would the next failure be survived?",
    ]


def test_no_panel_lies_upon_another() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in BOARD["panels"]:
        x, y, w, h = (panel["gridPos"][key] for key in "xywh")
        assert x + w <= 24
        cells = {(i, j) for i in range(x, x + w) for j in range(y, y + h)}
        assert not cells & taken, panel["title"]
        taken |= cells
    assert len({panel["id"] for panel in BOARD["panels"]}) == len(BOARD["panels"])


def test_each_panel_asks_the_chosen_prometheus() -> None:
    (variable,) = BOARD["templating"]["list"]
    assert variable["type"] == "datasource"
    for panel in BOARD["panels"]:
        for target in panel.get("targets", ()):
            assert target["datasource"]["uid"] == f"${{{variable['name']}}}"
