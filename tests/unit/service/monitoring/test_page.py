# SPDX-License-Identifier: Apache-2.0
"""docs/monitoring.md has every metric, with its type, its labels and its help."""

import re
from pathlib import Path

import yaml

from nova_ha_scheduler.service.monitoring import pages
from nova_ha_scheduler.service.monitoring.counts import Counts
from nova_ha_scheduler.service.monitoring.metrics import HELPS

PAGE = Path(__file__).parents[4] / "docs" / "monitoring.md"


def rows() -> list[str]:
    """As they have to stand there."""
    found = [(name, "gauge", labels, words) for name, (words, labels) in HELPS.items()]
    for family in Counts().registry.collect():
        name = f"{family.name}_total" if family.type == "counter" else family.name
        labels = LABELS[family.name]
        found.append((name, family.type, labels, family.documentation))
    return [
        f"| `{name}` | {kind} | {', '.join(f'`{one}`' for one in labels)} | {words} |"
        for name, kind, labels, words in found
    ]


LABELS = {
    "nova_ha_events": ("kind",),
    "nova_ha_fence": ("method", "result"),
    "nova_ha_recovery_stage_seconds": ("stage",),
}


def test_the_page_has_all_metrics_and_no_others() -> None:
    part = PAGE.read_text().partition("## The metrics\n")[2].partition("\n## ")[0]
    found = re.findall(r"^\| `.*\|$", part, re.MULTILINE)
    assert found == rows(), "\n".join(rows())


def test_the_page_has_all_addresses() -> None:
    assert pages.__doc__
    addresses = re.findall(r"^(/\S*) ", pages.__doc__, re.MULTILINE)
    assert len(addresses) == 5
    for address in addresses:
        assert f"`{address}`" in PAGE.read_text()


def test_the_page_has_all_alerts_and_no_others() -> None:
    text = (PAGE.parents[1] / "etc/monitoring/nova-ha.rules.yaml").read_text()
    (group,) = yaml.safe_load(text)["groups"]
    part = PAGE.read_text().partition("### Alerts\n")[2]
    rows = re.findall(r"^\| \[`(\w+)`\]\((\S+)\) \| (\w+) \|", part, re.MULTILINE)
    assert rows == [
        (
            rule["alert"],
            rule["annotations"]["runbook_url"].removeprefix("docs/"),
            rule["labels"]["severity"],
        )
        for rule in group["rules"]
    ]
