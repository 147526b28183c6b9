# SPDX-License-Identifier: Apache-2.0
"""``nova-ha simulate`` and ``nova-ha replay`` on the picture of a real Nova."""

from tests.integration.trigger.conftest import HOSTS, MakeTrigger, Trigger, boot_on  # isort: skip

import json
from pathlib import Path
from typing import Any

from tests.lib.cloud import Cloud

KILLED = HOSTS[2]


def played(configured: Trigger, *more: str, code: int = 0) -> list[str]:
    said = configured.nova_ha("simulate", *more, "-f", "json", code=code)
    rows: list[dict[str, Any]] = json.loads(
        said[said.index("[") : said.rindex("]") + 1]
    )
    return [row["what"] for row in rows]


def test_what_would_happen_and_nothing_does(
    cloud: Cloud, flavor: str, trigger: MakeTrigger, tmp_path: Path
) -> None:
    ids = boot_on(cloud, KILLED, flavor, "simulated-1", "simulated-2")
    configured, kept = trigger(), tmp_path / "kept.sqlite"
    lines = played(configured, "--kill", KILLED, "--journal", str(kept))
    landed = [line for line in lines if line.startswith("server.recovered simulated-")]
    assert len(landed) == 2
    lost = [line for line in lines if line.startswith("NOT RECOVERED")]
    assert "simulated-" not in "".join(lost)
    assert [cloud.host(uuid) for uuid in ids] == [KILLED, KILLED]
    assert cloud.is_running(KILLED)
    again = trigger(database={"connection": f"sqlite:///{kept}"})
    rows = again.json("replay", KILLED)
    assert {"simulated-1", "simulated-2"} <= {row["server"] for row in rows}
    assert all(row["same"] for row in rows)
    snapshot = tmp_path / "cloud.json"
    configured.nova_ha("snapshot", str(snapshot))
    assert played(configured, "--kill", KILLED, "--from-file", str(snapshot)) == lines
    for uuid in ids:
        cloud.delete(uuid)
