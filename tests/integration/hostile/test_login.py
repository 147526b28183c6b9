# SPDX-License-Identifier: Apache-2.0
"""What stands at [cloud] auth_url is no keystone, or lets nobody in: each time, one
sentence names the setting, and nobody waits for ever."""

import json
import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nova_ha_scheduler.cluster.errors import CloudUnreachable
from nova_ha_scheduler.service import parts, startup
from tests.integration.hostile.test_cloud import AT_MOST, Cloud
from tests.lib import ports
from tests.lib.hostile_peer import Talk, peer, says

RAW = re.compile(r"HTTPS?Pool|HTTPS?Connection|Max retries|Caused by|object at 0x|_ssl")
"""What the libraries say to programmers."""

NO_KEYSTONE = "what answers at {url} ([cloud] auth_url) is no keystone, or one that is"
NO_ANSWER = "keystone does not answer at {url} ([cloud] auth_url): "
REFUSED = "keystone at {url} ([cloud] auth_url) refuses the login: "


def http(status: str, body: object, more: str = "") -> Talk:
    data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    kind = "text/html" if isinstance(body, str) else "application/json"
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\n{more}Connection: close\r\n"
    return says(f"{head}Content-Length: {len(data)}\r\n\r\n".encode() + data)


UNAUTHORIZED = {"error": {"code": 401, "message": "Wrong\nuser or password"}}


def ask(folder: Path, url: str) -> str:
    """What is said of a look at such a cloud."""
    file = folder / "nova-ha.conf"
    file.write_text(
        f"[cloud]\nauth_type = password\nauth_url = {url}\ntimeout = 2\n"
        "username = u\npassword = hunter2\nproject_name = t\n"
        "user_domain_name = d\nproject_domain_name = d\n"
    )
    api = parts.cloud(startup.load("test", [f"--config-file={file}"]))
    found: list[str] = []

    def look() -> None:
        with pytest.raises(CloudUnreachable) as error:
            api.get("compute", "/os-services", "2.100")
        found.append(str(error.value))
        try:
            api.newest("compute")  # the catalog alone may say it
        except CloudUnreachable as error:
            found.append(str(error))

    looker = threading.Thread(target=look, daemon=True)
    looker.start()
    looker.join(6 * AT_MOST)  # some requests, each of which is given up
    assert not looker.is_alive(), "it waits for ever"
    for said in found:
        assert "\n" not in said
        assert "hunter2" not in said
        assert not RAW.search(said), said
    return found[0]


@pytest.mark.parametrize(
    ("talk", "words"),
    [
        # keystoneauth would wait here for a token that it is about to get.
        (http("401 Unauthorized", UNAUTHORIZED), f"{REFUSED}Wrong user or password"),
        (http("403 Forbidden", UNAUTHORIZED), f"{REFUSED}Wrong user or password"),
        (http("404 Not Found", "<p>nothing here"), NO_KEYSTONE),
        (http("500 Oops", "<p>boom"), NO_KEYSTONE),
        (http("200 OK", "<p>It works!"), NO_KEYSTONE),
        (http("200 OK", [1, 2]), NO_KEYSTONE),
        (
            http("201 Created", {"token": 5}, "X-Subject-Token: t\r\n"),
            "compute GET /os-services: what was answered cannot be read: ",
        ),
        (says(b"SSH-2.0-OpenSSH_9.2\r\n"), NO_ANSWER),
        (says(b""), NO_ANSWER),  # closed, or reset
        (lambda _, over: over.wait(), f"{NO_ANSWER}timed out"),
    ],
)
def test_what_is_no_keystone(tmp_path: Path, talk: Talk, words: str) -> None:
    with peer(talk) as found:
        url = f"{found.address}/v3"
        said = ask(tmp_path, url)
    assert said.startswith(words.format(url=url))


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://127.0.0.1:{port}/v3", f"{NO_ANSWER}Connection refused; see that"),
        ("http://keystone.invalid/v3", f"{NO_ANSWER}"),
    ],
)
def test_nobody_is_there(tmp_path: Path, url: str, words: str) -> None:
    url = url.format(port=ports.free_port())
    assert ask(tmp_path, url).startswith(words.format(url=url))


def test_no_tls(tmp_path: Path) -> None:
    with peer(http("200 OK", "<p>It works!")) as found:
        url = f"https://127.0.0.1:{found.port}/v3"
        said = ask(tmp_path, url)
    assert said.startswith(f"there is no TLS with keystone at {url} ([cloud] auth_url)")
    assert "cafile" in said


def _catalog(change: Callable[[Any], None]) -> Callable[[Any], Any]:
    class Changed(Cloud):
        def _answer(self, line: str) -> tuple[object, str]:
            body, more = super()._answer(line)
            if "/auth/tokens" in line:
                change(body)
            return body, more

    return Changed


def _empty(body: Any) -> None:
    body["token"]["catalog"] = []


def _nobody(body: Any) -> None:
    url = f"http://127.0.0.1:{ports.free_port()}/v2.1"
    body["token"]["catalog"][0]["endpoints"][0]["url"] = url


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_empty, "keystone's catalog has no endpoint of compute for interface interna"),
        (_nobody, "compute does not answer at http://127.0.0.1:"),
    ],
)
def test_the_service_is_named(
    tmp_path: Path, change: Callable[[Any], None], words: str
) -> None:
    cloud = _catalog(change)
    with peer(made := cloud()) as found:
        made.address = found.address
        said = ask(tmp_path, f"{found.address}/v3")
    assert said.startswith(f"compute GET /os-services: {words}")
