# SPDX-License-Identifier: Apache-2.0
"""A real Prometheus, set up by what docs/monitoring.md says: it scrapes, and an alert
fires."""

import contextlib
import json
import re
import shutil
import subprocess
import textwrap
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.integration.monitoring.test_alerts import ALERTS, ROOT, RULES, SMALL
from tests.lib import packages, ports
from tests.lib.night import Night
from tests.lib.waiting import PATIENCE

PAGE = (ROOT / "docs" / "monitoring.md").read_text()

TARGETS, COPY = '["ctl1:9791", "ctl2:9791"]', "/etc/prometheus/nova-ha.rules.yaml"
"""What stands in the page, and is otherwise here."""

STORM = "at 20 power off node1\nat 20 power off node2\nat {end} end"


def said(*begins: str) -> str:
    """Blocks of the page, by their first lines, as one file."""
    blocks = re.findall(r"(?:^ {4}.*\n)+", PAGE, re.MULTILINE)
    texts = [textwrap.dedent(block) for block in blocks]
    return "".join(next(t for t in texts if t.startswith(each)) for each in begins)


class Prometheus:
    def __init__(self, folder: Path, target: str) -> None:
        rules = folder / "nova-ha.rules.yaml"
        shutil.copy(RULES, rules)
        text = said("scrape_configs:", "rule_files:")
        assert TARGETS in text
        assert COPY in text
        text = text.replace(TARGETS, json.dumps([target])).replace(COPY, str(rules))
        text = text.replace("scrape_interval: 15s", "scrape_interval: 1s")
        conf = folder / "prometheus.yml"
        conf.write_text(f"global: {{evaluation_interval: 1s}}\n{text}")
        unpacked = str(ROOT / ".packages" / "prometheus" / "usr" / "bin")
        program = packages.find("prometheus", "prometheus", unpacked)
        self._port = ports.free_port()
        self.log = folder / "prometheus.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [
                    program,
                    f"--config.file={conf}",
                    f"--storage.tsdb.path={folder}/data",
                    f"--web.listen-address=127.0.0.1:{self._port}",
                ],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
            )

    def ask(self, path: str) -> Any:
        place = f"http://127.0.0.1:{self._port}/api/v1/{path}"
        with urllib.request.urlopen(place, timeout=10) as answer:
            return json.load(answer)["data"]

    def value(self, query: str) -> float | None:
        found = self.ask(f"query?query={quote(query)}")["result"]
        return float(found[0]["value"][1]) if found else None

    def firing(self) -> dict[str, Any]:
        alerts = self.ask("alerts")["alerts"]
        return {a["labels"]["alertname"]: a for a in alerts if a["state"] == "firing"}

    def wait(self, found: Any) -> Any:
        end = time.monotonic() + PATIENCE
        while True:
            with contextlib.suppress(OSError):
                if value := found():
                    return value
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < end, self.log.read_text()[-2000:]
            time.sleep(0.2)


@pytest.fixture
def night() -> Iterator[Night]:
    found = Night({**SMALL, "options": {"max_hosts": 1}})
    yield found
    found.close()


@pytest.fixture
def prometheus(tmp_path: Path, night: Night) -> Iterator[Prometheus]:
    found = Prometheus(tmp_path, night.url.partition("//")[2].strip("/"))
    try:
        yield found
    finally:
        found.process.kill()
        found.process.wait()


def test_an_alert_fires(prometheus: Prometheus, night: Night) -> None:
    assert prometheus.wait(lambda: prometheus.value("nova_ha_active")) == 1
    assert prometheus.value("nova_ha_protected_hosts") == 5
    assert prometheus.firing() == {}
    night.play(120, STORM)
    prometheus.wait(lambda: "NovaHaGuardTripped" in prometheus.firing())
    alert = prometheus.firing()["NovaHaGuardTripped"]
    assert alert["labels"]["severity"] == "critical"
    assert alert["annotations"] == ALERTS["NovaHaGuardTripped"]["annotations"]
    assert prometheus.value('nova_ha_events_total{kind="guard.tripped"}') == 1


def test_it_knows_each_metric_by_its_type_and_help(
    prometheus: Prometheus, night: Night
) -> None:
    prometheus.wait(lambda: prometheus.value("nova_ha_active"))
    known = prometheus.wait(lambda: prometheus.ask("metadata"))
    ours = {name: found for name, (found,) in known.items() if "nova_ha" in name}
    text = night.script.metrics()
    assert ours.keys() == set(re.findall(r"^# TYPE (\w+)", text, re.MULTILINE))
    assert all(found["help"] for found in ours.values())
    assert ours["nova_ha_recovery_stage_seconds"]["type"] == "histogram"
