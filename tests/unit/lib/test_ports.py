# SPDX-License-Identifier: Apache-2.0
"""A port that is free stays so until its program listens, whoever connects."""

import socket
from pathlib import Path

from tests.lib import ports


def test_no_connection_of_others_gets_it() -> None:
    given = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()
    ephemeral = range(int(given[0]), int(given[1]) + 1)
    found = [ports.free_port() for _ in range(50)]
    assert not any(port in ephemeral for port in found)
    assert len(set(found)) > 40


def test_it_is_free() -> None:
    port = ports.free_port()
    assert not ports.listens(port)
    with socket.create_server(("127.0.0.1", port)):
        assert ports.listens(port)
