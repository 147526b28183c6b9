# SPDX-License-Identifier: Apache-2.0
"""A BMC that speaks Redfish, as long as it likes to."""

import json
import socket
import threading
import time
from collections.abc import Callable

import pytest

from nova_ha_scheduler.evacuation.interfaces import Power
from nova_ha_scheduler.fencing import Deadlines
from tests.integration.fencing.conftest import fencing  # noqa: F401
from tests.lib.hostile_peer import OK, PAUSE, Peer, peer

AT_MOST = 12.0
"""Seconds, on a machine that has other work: what does not end takes for ever."""

_ROOT = {
    "Id": "RootService",
    "Name": "root",
    "RedfishVersion": "1.6.0",
    "UUID": "u",
    "Systems": {"@odata.id": "/redfish/v1/Systems"},
    "SessionService": {"@odata.id": "/redfish/v1/SessionService"},
    "Links": {"Sessions": {"@odata.id": "/redfish/v1/SessionService/Sessions"}},
}
_SYSTEM = {"Id": "1", "Name": "one", "PowerState": "On"}


class Bmc:
    """Answers well, but for the system, of which it says what it is given.

    :ivar heard: the requests: method, path, and whether a token came with it.
    """

    def __init__(self, system: Callable[[socket.socket, threading.Event], None]):
        self._system = system
        self.heard: list[tuple[str, str, bool]] = []

    def __call__(self, sock: socket.socket, over: threading.Event) -> None:
        data = sock.recv(65536)
        method, path, _ = data.decode().split(" ", 2)
        self.heard.append((method, path, b"x-auth-token" in data.lower()))
        if path.startswith("/redfish/v1/Systems/1"):
            self._system(sock, over)
        elif method == "POST":
            self._say(sock, {}, 201, "X-Auth-Token: t\r\nLocation: /redfish/v1/s\r\n")
        elif method == "GET" and path.rstrip("/") == "/redfish/v1":
            self._say(sock, _ROOT)
        else:
            self._say(sock, {})

    @staticmethod
    def _say(
        sock: socket.socket, body: object, code: int = 200, more: str = ""
    ) -> None:
        data = json.dumps(body)
        head = f"HTTP/1.1 {code} OK\r\n{more}Connection: close\r\n"
        sock.sendall(f"{head}Content-Length: {len(data)}\r\n\r\n{data}".encode())


def whole(body: str) -> Callable[[socket.socket, threading.Event], None]:
    def say(sock: socket.socket, over: threading.Event) -> None:
        head = OK + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(body)
        sock.sendall(head + body.encode())

    return say


def drip(sock: socket.socket, over: threading.Event) -> None:
    sock.sendall(OK + b"Content-Length: 9999\r\n\r\n")
    while not over.wait(PAUSE):
        sock.sendall(b" ")


def flood(sock: socket.socket, over: threading.Event) -> None:
    sock.sendall(OK + b"Content-Length: 99999999999\r\n\r\n")
    while not over.is_set():
        sock.sendall(b" " * 65536)


def _of(found: Peer) -> dict[str, str]:
    return {
        "method": "redfish",
        "address": found.address,
        "username": "u",
        "password": "hunter2",
        "system": "/redfish/v1/Systems/1",
    }


@pytest.mark.parametrize(
    ("talk", "words"),
    [(drip, "no whole answer within 0.5 s"), (flood, "more than 4194304 bytes")],
)
def test_a_power_off_ends_in_time(fencing, talk, words):  # noqa: F811
    """However it is held up, somebody's word is heard then, and SIGTERM."""
    with peer(Bmc(talk)) as found:
        fences = fencing({"c1": _of(found)}, Deadlines(1, 0.5))
        began = time.monotonic()
        report = fences.power_off("c1")
        assert time.monotonic() - began < AT_MOST
    assert report.power is Power.UNKNOWN
    assert words in report.detail


@pytest.mark.parametrize(
    "body",
    [
        '{"PowerState":' + "[" * 100_000 + "]" * 100_000 + "}",
        "{",
        "[]",
        '"Off"',
        json.dumps({**_SYSTEM, "PowerState": ["Off"]}),
        json.dumps({**_SYSTEM, "PowerState": {"a": "Off"}}),
        json.dumps({**_SYSTEM, "PowerState": "off"}),
        json.dumps({**_SYSTEM, "PowerState": None}),
        json.dumps({**_SYSTEM, "PowerState": 0}),
        json.dumps({**_SYSTEM, "UUID": ["x"], "PowerState": {}}),
    ],
)
def test_what_is_no_answer_is_never_off(fencing, body):  # noqa: F811
    with peer(Bmc(whole(body))) as found:
        report = fencing({"c1": _of(found)}, Deadlines(0.1, 0.5)).power("c1")
    assert report.power is Power.UNKNOWN
    assert "broke with" not in report.detail


def test_no_other_bmc_gets_the_token_or_is_believed(fencing):  # noqa: F811
    off = json.dumps({**_SYSTEM, "PowerState": "Off"})
    other = Bmc(whole(off))
    with peer(other) as second:

        def away(sock: socket.socket, over: threading.Event) -> None:
            place = f"http://localhost:{second.port}/redfish/v1/Systems/1"
            head = f"HTTP/1.1 307 Temporary Redirect\r\nLocation: {place}\r\n"
            sock.sendall(f"{head}Content-Length: 0\r\n\r\n".encode())

        with peer(Bmc(away)) as found:
            report = fencing({"c1": _of(found)}, Deadlines(0.1, 0.5)).power("c1")
    assert report.power is Power.UNKNOWN
    assert "it sends us to another host" in report.detail
    assert other.heard == []
