# SPDX-License-Identifier: Apache-2.0
"""Each alert fires from a failure that the simulation has played, and from nothing
else, by Prometheus' own promtool."""

import re
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from nova_ha_scheduler.service.monitoring.trigger_facts import AdmissionAge
from tests.integration.monitoring import recorded
from tests.lib import packages
from tests.lib.simulation.watched import Watched

ROOT = Path(__file__).parents[3]
RULES = ROOT / "etc" / "monitoring" / "nova-ha.rules.yaml"
RUNBOOK = ROOT / "docs" / "runbook.md"

ALERTS: Mapping[str, Any] = {
    rule["alert"]: rule
    for group in yaml.safe_load(RULES.read_text())["groups"]
    for rule in group["rules"]
}

MINUTE, HOUR, DAY = 60, 3600, 86400


def promtool(*arguments: str, given: str | None = None) -> str:
    """What it says. :raises AssertionError: it is not content."""
    unpacked = str(ROOT / ".packages" / "prometheus" / "usr" / "bin")
    program = packages.find("promtool", "prometheus", unpacked)
    done = subprocess.run(
        [program, *arguments], input=given, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


SMALL = {
    "hosts": {"node1..node4": {"zone": "nfs-a"}, "spare": {"reserved": True}},
    "servers": {"vm1..vm3": {"host": "node1"}},
}
SMALL["hosts"]["spare"]["zone"] = "nfs-a"


def without(device: str) -> dict[str, Any]:
    """A cloud in which the fence device of node1 is none, or does not serve."""
    node1 = {"zone": "nfs-a", "device": device}
    hosts = {"node1": node1, "node2..node4": {"zone": "nfs-a"}}
    return {**SMALL, "hosts": hosts, "options": {"device_check_interval": 60}}


def crowded() -> dict[str, Any]:
    """Two hosts that are full, and nothing beside them."""
    full = {"zone": "nfs-a", "room": 4}
    servers = {"vm1": {"host": "node1", "vcpus": 3}, "vm2": {"host": "node2"}}
    servers["vm2"]["vcpus"] = 3
    return {"hosts": {"node1..node2": full}, "servers": servers}


def worked_out(played: Watched) -> None:
    """The publisher's process works out what is tolerated."""
    played.capacity_every = 60


def published_once(played: Watched) -> None:
    """What admission goes by was published at the start, and never again."""
    played.admission = AdmissionAge(0.0, 900.0)


@dataclass(frozen=True)
class Scene:
    """A failure that brings an alert about.

    :ivar commands: what happens; the rest of the time, nothing does.
    :ivar at: when the alert has to have fired, in seconds.
    :ivar labels: those of each alert that fires then, beside its severity.
    """

    alert: str
    cluster: Mapping[str, Any]
    commands: str
    at: int
    labels: tuple[Mapping[str, str], ...] = field(default=({},))
    before: Callable[[Watched], None] = lambda played: None


NODE1 = {"host": "node1"}

SCENES = [
    Scene("NovaHaNoActiveTrigger", SMALL, "at 60 kill\nat 120 end", 5 * MINUTE),
    Scene(
        "NovaHaBlind",
        SMALL,
        "at 60 api down\nat 600 end",
        10 * MINUTE,
        ({"kind": "cloud"},),
    ),
    Scene(
        "NovaHaHostUnfenced",
        without("unreachable"),
        "at 30 power off node1\nat 600 end",
        10 * MINUTE,
        (NODE1,),
    ),
    Scene(
        "NovaHaRecoveryIncomplete",
        SMALL,
        "at 20 rebuild-fails vm1 9\nat 30 power off node1\nat 900 end",
        15 * MINUTE,
        (NODE1,),
    ),
    Scene(
        "NovaHaWaitsForAPerson",
        crowded(),
        "at 30 power off node1\nat 900 end",
        15 * MINUTE,
        ({**NODE1, "kind": "servers_wait"},),
    ),
    Scene(
        "NovaHaGuardTripped",
        {**SMALL, "options": {"max_hosts": 1}},
        "at 30 power off node1\nat 30 power off node2\nat 150 end",
        2 * MINUTE,
    ),
    Scene(
        "NovaHaFenceDeviceDown",
        {**SMALL, "options": {"device_check_interval": 60}},
        "at 30 device node1 unreachable\nat 300 end",
        30 * MINUTE,
        (NODE1,),
    ),
    Scene(
        "NovaHaHostWithoutMethod",
        without("none"),
        "at 300 end",
        30 * MINUTE,
        (NODE1,),
    ),
    Scene(
        "NovaHaNextFailureNotSurvived",
        crowded(),
        "at 60 end",
        HOUR,
        ({"zone": "nfs-a"},),
        worked_out,
    ),
    Scene(
        "NovaHaReserveInUse",
        SMALL,
        "at 30 power off node1\nat 300 end",
        2 * DAY,
        ({"zone": "nfs-a"},),
        worked_out,
    ),
    Scene(
        "NovaHaPaused", SMALL, "at 30 pause node1 bob 'new memory'\nat 60 end", 5 * HOUR
    ),
    Scene(
        "NovaHaAdmissionStale",
        SMALL,
        "at 1000 end",
        30 * MINUTE,
        before=published_once,
    ),
    Scene(
        "NovaHaDegraded",
        {**SMALL, "options": {"device_check_interval": 60}},
        "at 30 device node1 unreachable\nat 300 end",
        2 * HOUR,
    ),
]


def expected(alert: str, labels: Mapping[str, str]) -> dict[str, Any]:
    """What Prometheus sends of it."""
    rule = ALERTS[alert]

    def filled(text: str) -> str:
        return re.sub(r"{{ \$labels\.(\w+) }}", lambda found: labels[found[1]], text)

    annotations = {key: filled(text) for key, text in rule["annotations"].items()}
    return {
        "exp_labels": {**rule["labels"], **labels},
        "exp_annotations": annotations,
    }


def judge(
    folder: Path, series: recorded.Series, at: int, fires: Mapping[str, Any]
) -> None:
    """:param fires: the labels of each alert that fires, by the alert."""
    checks = [
        {
            "eval_time": f"{at}s",
            "alertname": alert,
            "exp_alerts": [expected(alert, labels) for labels in found],
        }
        for alert, found in fires.items()
    ]
    given = {
        "rule_files": [str(RULES)],
        "evaluation_interval": "15s",
        "tests": [
            {
                "interval": f"{recorded.INTERVAL}s",
                "input_series": recorded.input_series(series, at),
                "alert_rule_test": checks,
            }
        ],
    }
    path = folder / "test.yaml"
    path.write_text(yaml.safe_dump(given, width=10**6))
    promtool("test", "rules", str(path))


def test_the_rules_are_rules() -> None:
    assert f"{len(ALERTS)} rules found" in promtool("check", "rules", str(RULES))


def test_the_metrics_are_metrics() -> None:
    played = Watched(SMALL)
    played.work_out()
    played.admission = AdmissionAge(0.0, 900.0)
    played.play(played.read("at 30 power off node1\nat 300 end"))
    assert not promtool("check", "metrics", given=played.metrics()).strip()


def test_each_alert_has_a_scene() -> None:
    assert [scene.alert for scene in SCENES] == [*ALERTS]


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.alert)
def test_it_fires(scene: Scene, tmp_path: Path) -> None:
    series = recorded.play(scene.cluster, scene.commands, scene.before)
    judge(tmp_path, series, scene.at, {scene.alert: scene.labels})


def test_nothing_fires_while_all_is_well(tmp_path: Path) -> None:
    """A host dies, is recovered and comes back, with which nobody need be woken."""

    def before(played: Watched) -> None:
        played.capacity_every = 60

    story = "at 60 power off node1\nat 240 power on node1\nat 900 end"
    series = recorded.play(SMALL, story, before)
    recovered = series['nova_ha_events_total{kind="host.recovered"}'][-1]
    assert recovered == 1
    for at in (5 * MINUTE, 15 * MINUTE, 2 * HOUR):
        # Of the alerts by time alone: the series stand still after their end.
        judge(tmp_path, series, at, dict.fromkeys(ALERTS, ()))


@pytest.mark.parametrize("alert", ALERTS)
def test_whoever_is_woken_can_read_it(alert: str) -> None:
    rule = ALERTS[alert]
    assert rule["labels"]["severity"] in ("critical", "warning")
    assert {*rule["annotations"]} == {"summary", "description", "runbook_url"}
    page, _, anchor = rule["annotations"]["runbook_url"].partition("#")
    assert ROOT / page == RUNBOOK
    headings = re.findall(r"^## (.+)$", RUNBOOK.read_text(), re.MULTILINE)
    assert anchor in {heading.lower().replace(" ", "-") for heading in headings}
    section = RUNBOOK.read_text().partition(f"`{alert}`")[2].partition("\n## ")[0]
    assert "nova-ha" in section or "systemctl" in section, "no command to type"
