# SPDX-License-Identifier: Apache-2.0
"""The connection: as many requests at the same time as there are threads, and URLs
that are none.
"""

import logging
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import requests
from oslo_config import cfg

from nova_ha_scheduler.cluster.openstack.login import connect
from nova_ha_scheduler.service import startup
from tests.lib.waiting import PATIENCE

AT_ONCE = 2 * requests.adapters.DEFAULT_POOLSIZE


class Service(BaseHTTPRequestHandler):
    """Answers when all have asked."""

    protocol_version = "HTTP/1.1"
    all_asked = threading.Barrier(AT_ONCE)

    def do_GET(self) -> None:
        self.all_asked.wait(PATIENCE)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args: object) -> None:
        """Nobody reads it."""


@pytest.fixture
def address() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Service)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("enough", [True, False])
def test_connections_are_kept_for_all_threads(
    address: str, enough: bool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "nova-ha.conf"
    file.write_text(f"[cloud]\nauth_type = none\nendpoint = {address}\n")
    conf = startup.load("test", [f"--config-file={file}"])
    session = (connect(conf, AT_ONCE) if enough else connect(conf)).session
    caplog.set_level(logging.WARNING)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = [pool.submit(session.get, address) for _ in range(AT_ONCE)]
        assert {answer.result().status_code for answer in answers} == {200}
    assert ("Connection pool is full" in caplog.text) is not enough


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://u:hunter2@192.0.2.5/v3", "have options of their own"),
        ("http://hunter2@192.0.2.5/v3", "have options of their own"),
        ("http://[hunter2", "a URL such as"),
        ("http://hunter2:99999/v3", "a URL such as"),
        ("hunter2", "a URL such as"),
    ],
)
@pytest.mark.parametrize("option", ["auth_url", "endpoint"])
def test_a_url_that_cannot_be_meant_is_a_sentence(
    url: str, words: str, option: str, tmp_path: Path
) -> None:
    file = tmp_path / "nova-ha.conf"
    kind = {"auth_url": "password", "endpoint": "none"}[option]
    file.write_text(
        f"[cloud]\nauth_type = {kind}\n{option} = {url}\nusername = u\npassword = p\n"
        + ("auth_url = http://192.0.2.5/v3\n" if option == "endpoint" else "")
    )
    conf = startup.load("test", [f"--config-file={file}"])
    with pytest.raises(cfg.Error, match=rf"^\[cloud\] {option}: .*{words}") as error:
        connect(conf)
    assert "hunter2" not in str(error.value)
