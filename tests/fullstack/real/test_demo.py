# SPDX-License-Identifier: Apache-2.0
"""``make demo REAL=1``: what it shows is on the guest's own screen."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fullstack.real.left import Traces

pytestmark = pytest.mark.real

PATIENCE = 400
REPOSITORY = Path(__file__).parents[3]


def test_its_own_screen(tmp_path: Path) -> None:
    """After the power cut the counter goes on; without the plugin it begins anew. The
    demo leaves no files, and nothing that runs."""
    traces = Traces()
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "demo", "--real"],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        cwd=REPOSITORY,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 of 4 steps came true" in done.stdout
    screens = [
        (screen[1], [int(beat) for beat in re.findall(r"beat (\d+)", screen[2])])
        for screen in re.finditer(r"screen on (\S+) .*:\n((?: +\| .*\n)+)", done.stdout)
    ]
    assert [host for host, _ in screens] == ["a1", "a1", "a9", "a9", "b1"]
    first, cut, after, again, lost = (beats for _, beats in screens)
    assert first[0] == lost[0] == 1
    on_disk = re.search(r"Its disk: boot 1, (\d+) beats at the power cut", done.stdout)
    assert on_disk
    assert first[-1] <= cut[-1] <= int(on_disk[1]) == after[0] - 1, "it goes on"
    assert after[-1] <= again[-1]
    assert done.stdout.count("boot 00000002 from disk") == 1
    assert [*tmp_path.iterdir()] == []
    traces.gone(tmp_path)
