# SPDX-License-Identifier: Apache-2.0
"""HTTP exchanges that end: in time, at a size, and with the peer that was asked.

The time-outs of requests and urllib3 hold for each read alone: a peer that sends a byte
a second is waited for as long as it likes. Here the seconds are those of the whole
exchange, from the connection to the last byte of the body.
"""

import http.client
import io
import socket
import time
import urllib.parse
from typing import Any

import requests
import requests.adapters
import urllib3
from urllib3 import connection, connectionpool, poolmanager

BODY_BYTES = 64 * 1024 * 1024
"""Of one answer, by default: some times what a page of a thousand servers has."""

REDIRECTS = 3
"""That are followed for one request."""

_CHUNK = 64 * 1024


class TooLarge(requests.RequestException):
    """The body of an answer is larger than any that can be meant."""


class SentElsewhere(requests.RequestException):
    """A redirect to another peer, who would get our credentials."""


class _Reader(io.RawIOBase):
    """What a socket brings until a deadline: its time-out, counted once."""

    def __init__(self, raw: Any, sock: socket.socket) -> None:
        self._raw, self._sock = raw, sock
        seconds = sock.gettimeout()
        self._end = None if seconds is None else time.monotonic() + seconds

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if self._end is not None:
            left = self._end - time.monotonic()
            if left <= 0:
                raise TimeoutError("timed out")
            self._sock.settimeout(left)
        found: int | None = self._raw.readinto(buffer)
        return found

    def close(self) -> None:
        self._raw.close()
        super().close()


def until_timeout(sock: socket.socket) -> io.BufferedReader:
    """What a socket brings within its time-out, counted once and from now on."""
    raw: Any = _Reader(sock.makefile("rb", buffering=0), sock)
    return io.BufferedReader(raw)


class _Response(http.client.HTTPResponse):
    """Its status line, headers and body have one deadline together."""

    def __init__(self, sock: socket.socket, *args: Any, **more: Any) -> None:
        super().__init__(sock, *args, **more)
        self.fp: Any = io.BufferedReader(_Reader(self.fp.detach(), sock))


class _HTTPConnection(connection.HTTPConnection):
    response_class = _Response

    def _new_conn(self) -> socket.socket:
        whole = self.timeout
        if isinstance(whole, int | float):
            # urllib3 would give so much to each address of a name.
            self.timeout = whole / self._addresses()
        try:
            return super()._new_conn()
        finally:
            self.timeout = whole

    def _addresses(self) -> int:
        try:
            found = socket.getaddrinfo(
                self._dns_host, self.port, type=socket.SOCK_STREAM
            )
        except (OSError, UnicodeError):
            return 1  # urllib3 says what is wrong with it
        return len(found)


class _HTTPSConnection(connection.HTTPSConnection, _HTTPConnection):
    response_class = _Response


class _HTTPPool(connectionpool.HTTPConnectionPool):
    ConnectionCls = _HTTPConnection


class _HTTPSPool(connectionpool.HTTPSConnectionPool):
    ConnectionCls = _HTTPSConnection


def _bound(manager: poolmanager.PoolManager) -> None:
    manager.pool_classes_by_scheme = {"http": _HTTPPool, "https": _HTTPSPool}


class BoundedAdapter(requests.adapters.HTTPAdapter):
    """Mounted on a session of requests, it bounds each exchange of that session."""

    def __init__(
        self, *args: Any, seconds: float, limit: int = BODY_BYTES, **more: Any
    ) -> None:
        """
        :param seconds: for one exchange that brings no time-out of its own.
        :param limit: bytes of the body of an answer, unpacked.
        """
        self._seconds, self._limit = seconds, limit
        super().__init__(*args, **more)

    def init_poolmanager(self, *args: Any, **more: Any) -> None:
        super().init_poolmanager(*args, **more)
        _bound(self.poolmanager)

    def proxy_manager_for(self, *args: Any, **more: Any) -> Any:
        manager = super().proxy_manager_for(*args, **more)
        _bound(manager)
        return manager

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        **more: Any,
    ) -> requests.Response:
        """Send a request and have its whole answer.

        :param timeout: seconds for all of that; of a pair, the longer ones.
        :raises requests.Timeout: there was no whole answer in time.
        :raises TooLarge, SentElsewhere: see there.
        """
        seconds = _total(timeout) or self._seconds
        whole = urllib3.Timeout(total=seconds)
        response = super().send(request, stream=True, timeout=whole, **more)
        try:
            _refuse_others(request, response)
            if not stream:
                self._read(response, seconds)
        except BaseException:
            response.close()
            raise
        return response

    def _read(self, response: requests.Response, seconds: float) -> None:
        """As requests does, which has no limit."""
        found, size = [], 0
        try:
            for chunk in response.iter_content(_CHUNK):
                size += len(chunk)
                if size > self._limit:
                    words = f"the answer has more than {self._limit} bytes"
                    raise TooLarge(words, request=response.request)
                found.append(chunk)
        except requests.ConnectionError as error:
            if not isinstance(error.args[0], urllib3.exceptions.ReadTimeoutError):
                raise
            words = f"no whole answer within {seconds:g} s"
            raise requests.ReadTimeout(words, request=response.request) from None
        response._content = b"".join(found)
        response._content_consumed = True


def _total(timeout: Any) -> float | None:
    if isinstance(timeout, tuple):
        return max((part for part in timeout if part), default=None)
    return float(timeout) if timeout else None


def _refuse_others(
    request: requests.PreparedRequest, response: requests.Response
) -> None:
    """requests keeps a password from another host, but no session's token, and
    keystoneauth1 neither."""
    place = response.headers.get("location")
    if not (300 <= response.status_code < 400 and place):
        return
    ours = str(request.url)
    theirs = urllib.parse.urljoin(ours, place)
    if requests.Session().should_strip_auth(ours, theirs):
        found = urllib.parse.urlsplit(theirs)
        words = f"it sends us to another host: {found.scheme}://{found.netloc}"
        raise SentElsewhere(words, request=request)


def session(seconds: float, limit: int = BODY_BYTES) -> requests.Session:
    """A session of requests, each of which has so many seconds."""
    found = requests.Session()
    bound(found, BoundedAdapter(seconds=seconds, limit=limit))
    return found


def bound(session: requests.Session, adapter: BoundedAdapter) -> None:
    """Bound all requests of a session, and the redirects that each may follow."""
    session.max_redirects = REDIRECTS
    for scheme in ("http://", "https://"):
        session.mount(scheme, adapter)
