# SPDX-License-Identifier: Apache-2.0
"""Loopback ports for real programs. Needs no pytest: the demo has programs, too."""

import random
import socket
from pathlib import Path

from tests.lib.errors import ProgramError

_LOWEST = 10_000

_TRIES = 100

_EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")
"""The kernel gives these to whoever connects, also between free_port() and the moment
when a program listens."""


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """One that nobody uses now, and that no connection of others gets meanwhile.

    :raises ProgramError: none was found.
    """
    highest = int(_EPHEMERAL.read_text().split()[0])
    dice = random.SystemRandom()  # hypothesis seeds the other one, in each process
    for _ in range(_TRIES):
        port = dice.randrange(_LOWEST, highest)
        with socket.socket(socket.AF_INET, kind) as sock:
            try:
                sock.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
    raise ProgramError(f"no free port between {_LOWEST} and {highest}")


def listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
