# SPDX-License-Identifier: Apache-2.0
"""Real programs that tests talk to, started on free loopback ports."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from tests.lib import packages
from tests.lib.errors import ProgramError


def program(name: str, package: str, extra_path: str = "") -> str:
    """The path of a program that a test needs.

    A missing one fails the test: a skipped safety test would look like a passed one.
    """
    try:
        return packages.find(name, package, extra_path)
    except ProgramError as error:
        pytest.fail(f"this test's {error}", pytrace=False)


@contextlib.contextmanager
def running(
    command: Sequence[str],
    log: Path,
    ready: Callable[[], bool],
    stop_signal: int = signal.SIGTERM,
    seconds: float = 30,
    env: dict[str, str] | None = None,
    user: str | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """Start a program, wait until it is ready, stop it and its children at the end."""
    with log.open("wb") as out:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            env={**os.environ, **(env or {})},
            start_new_session=True,
            user=user,
        )
    try:
        end = time.monotonic() + seconds
        while not ready():
            if process.poll() is not None or time.monotonic() > end:
                pytest.fail(f"{command[0]} did not start:\n{log.read_text()[-3000:]}")
            time.sleep(0.05)
        yield process
    finally:
        process.send_signal(stop_signal)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(10)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)
