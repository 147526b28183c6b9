# SPDX-License-Identifier: Apache-2.0
"""The programs end with exit code 2 and one sentence, which the log file has, too."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.service.conftest import Site
from tests.lib.waiting import PATIENCE


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("password = secret\n", "", "[cloud] password is missing"),
        ("[guard]", "[gaurd]", "no section [gaurd] (did you mean guard?)"),
    ],
)
def test_nova_ha_evacuator(
    site: Site, tmp_path: Path, old: str, new: str, words: str
) -> None:
    log = tmp_path / "logged"
    site.change(old, new)
    site.change("[cloud]", f"[DEFAULT]\nlog_file = {log}\n[cloud]")
    service = site.start()
    assert service.process.wait(PATIENCE) == 2, service.log
    assert service.log.startswith("nova-ha-evacuator: ")
    assert service.log.count("\n") == 1, service.log
    assert words in service.log
    assert words in log.read_text()
    assert "Traceback" not in log.read_text()


def test_a_log_file_that_cannot_be(site: Site) -> None:
    site.change("[cloud]", "[DEFAULT]\nlog_file = /nowhere/log\n[cloud]")
    service = site.start()
    assert service.process.wait(PATIENCE) == 2, service.log
    assert "the log cannot be written: /nowhere/log: No such file" in service.log
    assert "Traceback" not in service.log


def test_nova_ha_and_the_journal_that_is_not_there(site: Site, tmp_path: Path) -> None:
    program = Path(sys.executable).with_name("nova-ha")
    command = [program, "--config-file", site.conf, "history", "list"]
    env = {**os.environ, "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(
        command, capture_output=True, text=True, env=env, timeout=PATIENCE
    )
    assert done.returncode == 2
    assert done.stderr.startswith(f"there is no journal at {tmp_path}/journal.sqlite")
    assert not (tmp_path / "journal.sqlite").exists()
