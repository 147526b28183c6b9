# SPDX-License-Identifier: Apache-2.0
"""``make bench`` works: each part, in its short form, has figures of what it promises.

How large they are is not judged: a machine that does other things, too, tells nothing.
"""

import json
import math
import subprocess
import sys
from pathlib import Path

import pytest

from bench.__main__ import PARTS, each_by_itself

FIGURES = {
    "filters": {
        f"filter_cost_ratio.{name}.100"
        for name in (
            "FailoverHostFilter",
            "HAAdmissionFilter",
            "HAFlavorFilter",
            "HostMaintenanceFilter",
            "StorageZoneFilter",
        )
    },
    "scheduling": {
        "boot_ratio_filters_off",
        "boot_ratio_plugin_on_off",
        "evacuation_schedule_ratio_prefilter_filters",
    },
    "recovery": {
        "notification_to_evacuate_s",
        "recovery_ratio_2",
        "recovery_ratio_2_nova_alone",
        "placement_requests",
        "requests_per_server",
    },
    "commands": {
        f"command_{kind}_{figure}"
        for kind in ("help", "journal", "cloud")
        for figure in ("s", "ratio_imports", "core_s")
    },
    "scrape": {
        "scrape_ratio_sending.100",
        "scrape_text_s.100",
        "scrape_text_new_s.100",
    },
    "detection": {
        "power_cut_to_evacuate_median_s",
        "power_cut_to_evacuate_worst_s",
        "quiet_requests_per_look",
    },
    "pacing": {
        f"{figure}_ratio_{way}"
        for figure in ("first_up", "mean_up", "all_up", "nova_cpu")
        for way in ("one_by_one", "all_at_once")
    }
    | {"last_up_to_recovered_s"},
    "planner": {
        "placed_share_of_exact_mean",
        "placed_share_of_exact_min",
        "plan_every_host_s",
        "plan_one_host_s",
    },
}


@pytest.mark.parametrize("part", PARTS)
def test_part(part: str, tmp_path: Path) -> None:
    output = tmp_path / "bench.json"
    command = [sys.executable, "-m", "bench", part, "--short", f"--output={output}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=420)
    assert done.returncode == 0, done.stderr
    figures = json.loads(output.read_text())
    assert figures.keys() == FIGURES[part]
    assert all(math.isfinite(value) and value >= 0 for value in figures.values())


def test_a_part_that_breaks_is_counted(tmp_path: Path) -> None:
    """Its exit code is make's."""
    output = tmp_path / "bench.json"
    assert each_by_itself(["filters"], output, ["--short", "--hosts=few"]) == 1
