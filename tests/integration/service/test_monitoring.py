# SPDX-License-Identifier: Apache-2.0
"""A port that cannot be served: what is wrong in nova-ha.conf stops the start, and what
is only so now does not."""

import socket
from pathlib import Path

import pytest

from tests.integration.service.conftest import Site
from tests.lib import certificates, ports
from tests.lib.waiting import PATIENCE


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("port = 99999", "[health] port: Should be less than or equal to 65535"),
        ("port = 0", "[health] port: Should be greater than or equal to 1"),
        (
            "port = 9791\nbind_host = the.machine",
            "[health] bind_host: the.machine is not IPv4 or IPv6 address",
        ),
        (
            "port = 9791\ncert_file = /nowhere/tls.crt",
            "[health] cert_file: /nowhere/tls.crt: No such file or directory",
        ),
        (
            "port = 9791\nkey_file = {folder}/ours.key",
            "[health] key_file without [health] cert_file",
        ),
        (
            "port = 9791\ncert_file = {folder}/ours.crt",
            "[health] cert_file {folder}/ours.crt: no certificate with its key",
        ),
    ],
)
def test_what_cannot_be_meant(
    site: Site, tmp_path: Path, said: str, words: str
) -> None:
    certificates.made(tmp_path)
    site.change("[health]", f"[health]\n{said.format(folder=tmp_path)}")
    service = site.start()
    assert service.process.wait(PATIENCE) == 2, service.log
    assert service.log.startswith("nova-ha-evacuator: ")
    assert words.format(folder=tmp_path) in service.log
    assert service.log.count("\n") == 1, service.log


def test_a_port_that_is_taken_leaves_nobody_unprotected(site: Site) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        site.change("[health]", f"[health]\nport = {port}")
        service = site.start()
        service.says("This trigger is the active one")
        service.says("The page and the metrics cannot be served: [health] port")
        assert f"[health] port {port} of 127.0.0.1: Address already" in service.log
        assert service.process.poll() is None
    service.says("The page and the metrics are served again.")
    assert ports.listens(port)
