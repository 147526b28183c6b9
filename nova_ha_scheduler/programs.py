# SPDX-License-Identifier: Apache-2.0
"""Running other programs within a time limit."""

import os
import signal
import subprocess
from collections.abc import Sequence


def run(command: Sequence[str], seconds: float, text: str = "") -> tuple[int, str]:
    """Run a program with a standard input: its exit code and all its output.

    :param seconds: after them, it and its children are killed.
    :raises subprocess.TimeoutExpired: they were.
    :raises OSError: it cannot be run.
    """
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, "LC_ALL": "C", "PYTHONWARNINGS": "ignore"},
        text=True,
        errors="replace",
        start_new_session=True,  # a group of its own, to be killed as one
    )
    with process:
        try:
            output, _ = process.communicate(text, timeout=seconds)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    return process.returncode, output
