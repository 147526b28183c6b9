# SPDX-License-Identifier: Apache-2.0
"""Hosts' cables on a real kernel."""

import os
import signal
import subprocess
import sys

import pytest

from tests.lib.stack.cables import Cables
from tests.lib.waiting import wait

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0, reason="it makes network namespaces, as root alone may"
)

LAID = """
import signal, sys
from tests.lib.stack.cables import Cables
with Cables(["a1", "a2"]):
    print("laid", flush=True)
    signal.pause()
"""


def _answers(cables: Cables, host: str) -> bool:
    ping = ["ping", "-c1", "-W1", cables.address.format(host=host)]
    return subprocess.run(ping, capture_output=True).returncode == 0


def _links(of: int) -> list[str]:
    found = os.listdir("/sys/class/net")
    return [name for name in found if name.startswith(f"nh{of & 0xFFFF:x}-")]


def test_one_is_pulled_and_plugged_in_again() -> None:
    with Cables(["a1", "a2"]) as cables:
        for _ in range(2):
            wait("both answer", lambda: all(_answers(cables, h) for h in ("a1", "a2")))
            cables.pull("a1")
            assert not _answers(cables, "a1")
            assert _answers(cables, "a2")
            cables.plug("a1")
    wait("nothing is left", lambda: not _links(os.getpid()))


def test_nothing_is_left_after_kill_9() -> None:
    held = subprocess.Popen([sys.executable, "-c", LAID], stdout=subprocess.PIPE)
    assert held.stdout
    assert held.stdout.readline() == b"laid\n"
    assert len(_links(held.pid)) == 2
    held.send_signal(signal.SIGKILL)
    held.wait()
    wait("nothing is left", lambda: not _links(held.pid))
