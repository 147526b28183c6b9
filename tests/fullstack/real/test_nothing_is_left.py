# SPDX-License-Identifier: Apache-2.0
"""Nothing of the stack outlives the program that has started it."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fullstack.real.left import Traces

pytestmark = pytest.mark.real

PATIENCE = 300.0
REPOSITORY = Path(__file__).parents[3]
PROGRAMS = {
    "a guest with a volume and a port": (["tests.lib.real"], r"^/.* \d+$"),
    "the demo, in a recovery": (["demo", "--real"], "a1 loses its power"),
    "chaos": (
        ["tests.lib.chaos", "--real", "--seed=1", "--minutes=3"],
        r"seed 1 begins\n(.*\n)*.*, the .*fullest:",
    ),
}
"""What runs, and what it has said when it is killed."""


@pytest.fixture
def folder() -> Iterator[Path]:
    """Of the files of one; pytest's has a long name, and sockets must not."""
    found = Path(tempfile.mkdtemp(prefix="nova-ha-left-"))
    yield found
    shutil.rmtree(found)


@pytest.mark.parametrize("name", PROGRAMS)
def test_after_kill_9(name: str, folder: Path, tmp_path: Path) -> None:
    """No process, mount, namespace or network device, whatever goes on."""
    module, said = PROGRAMS[name]
    log, traces = tmp_path / "log", Traces()
    with log.open("w") as out:
        program = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", *module],
            stdout=out,
            stderr=out,
            cwd=REPOSITORY,
            env={**os.environ, "TMPDIR": str(folder)},
        )
    try:
        end = time.monotonic() + PATIENCE
        while not re.search(said, log.read_text(), re.MULTILINE):
            assert program.poll() is None, log.read_text()
            assert time.monotonic() < end, log.read_text()
            time.sleep(0.5)
        (stack,) = folder.glob("nova-ha-stack-*")
        traces.see(stack)
    finally:
        program.kill()
        program.wait()
    traces.gone(folder)
