# SPDX-License-Identifier: Apache-2.0
"""Ctrl-C at a command that waits: who goes on is said, and the order stays."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from nova_ha_scheduler.journal.database import Database
from nova_ha_scheduler.journal.store import SqlJournal
from nova_ha_scheduler.service.startup import load
from tests.integration.service.conftest import Site
from tests.lib.waiting import PATIENCE

EVACUATE = "evacuate c1 --confirm-fenced --by Ann --reason cords --wait"


def command(site: Site, words: str) -> subprocess.Popen[str]:
    program = Path(sys.executable).with_name("nova-ha")
    return subprocess.Popen(
        [program, "--config-file", site.conf, *words.split()],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
        # As a shell does: a process in the background would pass over Ctrl-C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )


def interrupt(waits: subprocess.Popen[str], when: Callable[[], object]) -> str:
    """Press Ctrl-C at that moment. :returns: what is said."""
    end = time.monotonic() + PATIENCE
    while not when():
        assert waits.poll() is None, waits.communicate()
        assert time.monotonic() < end
        time.sleep(0.2)
    waits.send_signal(signal.SIGINT)
    _, said = waits.communicate(timeout=PATIENCE)
    assert waits.returncode == 130, said
    assert "Traceback" not in said
    return said


def journal(site: Site) -> SqlJournal:
    return SqlJournal(Database(load("test", [f"--config-file={site.conf}"])))


@pytest.mark.parametrize(
    "order", [EVACUATE, "maintenance end c1 --wait"], ids=lambda order: order.split()[0]
)
def test_the_service_goes_on(site: Site, order: str) -> None:
    site.start().says("This trigger is the active one")
    with command(site, order) as waits:
        kept = journal(site)
        said = interrupt(waits, lambda: kept.load(0).commands)
    assert f"c1: the trigger {kept.holder()} goes on with it" in said
    assert len(kept.load(0).commands) == 1, "the order stays"


def test_nobody_goes_on(site: Site) -> None:
    with command(site, EVACUATE) as waits:
        path = site.conf.with_name("journal.sqlite")
        is_active = lambda: path.exists() and _holder(site)  # noqa: E731
        said = interrupt(waits, is_active)
    assert "c1: this program was the active trigger: nobody goes on until" in said
    kept = journal(site)
    assert kept.holder() == "", "it has left in an orderly way"
    assert len(kept.load(0).commands) == 1, "the order stays"


def _holder(site: Site) -> str:
    try:
        return journal(site).holder()
    except Exception:
        return ""  # its tables are being made
