# SPDX-License-Identifier: Apache-2.0
"""A trigger that runs as a service, and what becomes of it."""

from tests.integration.trigger.conftest import Trigger  # isort: skip

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.lib.cloud import Cloud
from tests.lib.waiting import PATIENCE


@contextmanager
def running(trigger: Trigger, log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    process = trigger.start(log)
    try:
        yield process
        assert process.poll() is None, log.read_text()
    finally:
        process.terminate()
        assert process.wait(PATIENCE) == 0, log.read_text()


def active(trigger: Trigger) -> bool:
    return bool(
        trigger.journal.exists()
        and trigger.json("status")["active_trigger"].count(":") == 2
    )


def recovered(cloud: Cloud, trigger: Trigger, host: str) -> Any:
    """The line of a host's history, once it is recovered."""
    cloud.wait("recovery", lambda: trigger.outcome(host) == "recovered")
    return trigger.json("history", "list", "--host", host)[0]
