# SPDX-License-Identifier: Apache-2.0
"""An exchange over HTTP ends, whatever the peer does."""

import contextlib
import gzip
import socket
import time

import pytest
import requests

from nova_ha_scheduler import exchange
from tests.lib.hostile_peer import OK, drips, floods, peer, says, silent

SECONDS = 0.4
"""Of one exchange; the drips' pauses are far shorter."""

AT_MOST = 3.0
"""Seconds, on a machine that has other work: what does not end takes for ever."""

LIMIT = 256 * 1024

_CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    "talk",
    [
        pytest.param(silent, id="silence"),
        pytest.param(drips(b"", OK), id="the status line drips"),
        pytest.param(drips(OK, b"X-A: b\r\n"), id="the headers drip"),
        pytest.param(drips(b"HTTP/1.1 100 Continue\r\n\r\n", b"a"), id="after 100"),
        pytest.param(drips(OK + b"Content-Length: 9999\r\n\r\n", b" "), id="the body"),
        pytest.param(drips(OK + b"\r\n", b" "), id="a body without a length drips"),
        pytest.param(drips(_CHUNKED, b"1\r\n \r\n"), id="the chunks drip"),
        pytest.param(drips(_CHUNKED + b"fff", b"f"), id="a chunk's size drips"),
    ],
)
def test_it_ends_in_time(talk) -> None:
    with peer(talk) as found:
        began = time.monotonic()
        with pytest.raises((requests.Timeout, requests.ConnectionError)):
            exchange.session(SECONDS).get(found.address)
        assert time.monotonic() - began < AT_MOST


@pytest.mark.parametrize(
    "talk",
    [
        pytest.param(floods(OK + b"Content-Length: 99999999999\r\n\r\n", b" " * 65536)),
        pytest.param(floods(OK + b"\r\n", b" " * 65536)),
        pytest.param(floods(_CHUNKED, b"10000\r\n" + b" " * 65536 + b"\r\n")),
        pytest.param(
            says(
                OK + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b" " * 9_999_999)
            ),
            id="ten megabytes in ten kilobytes",
        ),
    ],
)
def test_it_ends_at_a_size(talk) -> None:
    with (
        peer(talk) as found,
        pytest.raises(exchange.TooLarge, match="more than 262144 bytes"),
    ):
        exchange.session(60, LIMIT).get(found.address)


def test_headers_without_end() -> None:
    with (
        peer(floods(OK, b"X-A: " + b"b" * 1000 + b"\r\n")) as found,
        pytest.raises(requests.RequestException),
    ):
        exchange.session(60).get(found.address)


def test_a_good_answer_is_had_whole() -> None:
    body = b'{"a": "' + b"b" * 200_000 + b'"}'
    answer = OK + b"Content-Length: %d\r\n\r\n" % len(body) + body
    with peer(says(answer)) as found:
        assert exchange.session(60).get(found.address).content == body


def test_the_callers_own_seconds_count() -> None:
    with peer(drips(b"", OK)) as found:
        began = time.monotonic()
        with pytest.raises(requests.Timeout):
            exchange.session(60).get(found.address, timeout=(0.1, SECONDS))
        assert time.monotonic() - began < AT_MOST


def _sends_to(place: str) -> bytes:
    head = f"HTTP/1.1 307 Temporary Redirect\r\nLocation: {place}\r\n"
    return f"{head}Connection: close\r\nContent-Length: 0\r\n\r\n".encode()


def test_all_addresses_of_a_name_have_the_seconds_together(monkeypatch) -> None:
    """None of them answers: a full queue, where the kernel drops what knocks."""
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        place = server.getsockname()
        for _ in range(4):
            knocking = stack.enter_context(socket.socket())
            knocking.setblocking(False)
            knocking.connect_ex(place)
        one = (socket.AF_INET, socket.SOCK_STREAM, 6, "", place)
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [one] * 20)
        began = time.monotonic()
        with pytest.raises(requests.ConnectionError):
            exchange.session(SECONDS).get(f"http://many.example:{place[1]}")
        assert time.monotonic() - began < 20 * SECONDS / 2


@pytest.mark.parametrize("code", ["get", "post"])
def test_no_credentials_for_another_host(code) -> None:
    """A token, as requests and keystoneauth1 would send it there, and a password."""
    with (
        peer(says(OK + b"Content-Length: 2\r\n\r\n{}")) as other,
        peer(says(_sends_to(f"http://localhost:{other.port}/v3"))) as found,
    ):
        session = exchange.session(5)
        session.headers["X-Auth-Token"] = "secret"
        with pytest.raises(exchange.SentElsewhere, match="another host: http://localh"):
            session.request(code, found.address, json={"password": "secret"})


def test_a_redirect_without_end() -> None:
    with (
        peer(says(_sends_to("/again"))) as found,
        pytest.raises(requests.TooManyRedirects),
    ):
        exchange.session(5).get(found.address)
