# SPDX-License-Identifier: Apache-2.0
"""A reverse proxy that can let a request fail, wait or vanish, by rules.

It stands before nova-api, Placement and the fence devices. By default rules are for
the trigger alone: tests and Nova's own services pass.
"""

import contextlib
import http.client
import re
import socketserver
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from http import server
from typing import Any, Literal, NamedTuple

from tests.lib.web import IDLE, LOOPBACK

Does = Literal["answer", "delay", "hang", "close", "lose"]

_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "server", "date"})
_TIMEOUT = 120.0
_TRIGGER = r"nova-ha"


@dataclass
class Rule:
    """What happens to requests.

    :ivar does: ``answer`` with the status, without asking the server; ``delay`` by the
        seconds, then pass; ``hang``: no answer until the rule is lifted, and then the
        connection is closed; ``close`` the connection; ``lose`` the answer: the
        request is carried out, and then the connection closed.
    :ivar method, path: which requests: regular expressions; the path, with its query,
        has to hold it somewhere.
    :ivar body: the same for what the request carries.
    :ivar agent: the same for the User-Agent: the trigger's, by default.
    :ivar count: for so many requests; None: until it is lifted.
    :ivar hits: how many there were.
    """

    does: Does
    method: str = ""
    path: str = ""
    body: str = ""
    agent: str = _TRIGGER
    status: int = 503
    seconds: float = 0.0
    count: int | None = None
    hits: int = 0
    lifted: threading.Event = field(default_factory=threading.Event)


@dataclass(frozen=True)
class Request:
    """One that has arrived, whatever became of it."""

    at: float
    method: str
    path: str
    agent: str
    body: str
    token: str = ""

    def fits(self, rule: Rule) -> bool:
        return bool(
            re.fullmatch(rule.method or ".*", self.method)
            and re.search(rule.path, self.path)
            and re.search(rule.body, self.body)
            and re.search(rule.agent, self.agent)
        )


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


class Gate:
    """One proxy.

    :ivar url: where it answers; known from the start.
    :ivar requests: all that has come, in order.
    """

    def __init__(self, name: str) -> None:
        self.requests: list[Request] = []
        self._rules: list[Rule] = []
        self._lock = threading.Lock()
        self._server = _Server((LOOPBACK, 0), _Handler)
        self._server.gate = self
        self.url = f"http://{LOOPBACK}:{self._server.server_address[1]}"
        self._thread = threading.Thread(
            target=self._server.serve_forever,
            kwargs={"poll_interval": 0.1},
            name=f"gate-{name}",
            daemon=True,
        )

    def open(self, port: int) -> None:
        """Pass requests on to a port of this machine."""
        self._server.target = port
        self._thread.start()

    def close(self) -> None:
        self.lift()
        if self._thread.is_alive():
            self._server.shutdown()
        self._server.server_close()

    def rule(self, does: Does, **details: Any) -> Rule:
        """Make a rule; the newest that fits a request counts."""
        made = Rule(does, **details)
        with self._lock:
            self._rules.insert(0, made)
        return made

    def lift(self, rule: Rule | None = None) -> None:
        """End a rule, or all of them."""
        with self._lock:
            ended = [r for r in self._rules if rule is None or r is rule]
            self._rules = [r for r in self._rules if r not in ended]
        for each in ended:
            each.lifted.set()

    def admit(self, request: Request) -> Rule | None:
        """Note a request; the rule that counts for it."""
        with self._lock:
            self.requests.append(request)
            for rule in self._rules:
                open_for = rule.count is None or rule.hits < rule.count
                if open_for and request.fits(rule):
                    rule.hits += 1
                    return rule
        return None

    def turn(self, request: Request, answer: Answer) -> Answer | Iterable[bytes]:
        """What is answered instead: bytes are sent as they come, headers and all, and
        then the connection is closed."""
        return answer


class _Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128
    gate: Gate
    target: int

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: clients that are killed are what the tests are about."""


class _Handler(server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = IDLE
    disable_nagle_algorithm = True
    wbufsize = -1
    server: _Server

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        agent = self.headers.get("User-Agent", "")
        text = body.decode(errors="replace")
        token = self.headers.get("X-Auth-Token", "")
        request = Request(time.time(), self.command, self.path, agent, text, token)
        rule = self.server.gate.admit(request)
        if rule is None:
            self._pass(request, body)
        elif rule.does == "answer":
            words = b'{"error": {"message": "by the gate"}}'
            self._answer(Answer(rule.status, {}, words))
        elif rule.does == "delay":
            rule.lifted.wait(rule.seconds)
            self._pass(request, body)
        elif rule.does == "lose":
            self._ask(body)
            self.close_connection = True
        else:
            if rule.does == "hang":
                rule.lifted.wait()
            self.close_connection = True

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = _serve

    def _pass(self, request: Request, body: bytes) -> None:
        try:
            answer = self._ask(body)
        except (OSError, http.client.HTTPException):
            self.close_connection = True  # as if it were asked directly
            return
        turned = self.server.gate.turn(request, answer)
        if isinstance(turned, Answer):
            self._answer(turned)
            return
        self.close_connection = True
        for part in turned:
            self.wfile.write(part)
            self.wfile.flush()

    def _ask(self, body: bytes) -> Answer:
        headers = {k: v for k, v in self.headers.items() if k.lower() not in _HOP}
        # An idle connection may have been closed by the server; a new one is cheap.
        connection = http.client.HTTPConnection(
            LOOPBACK, self.server.target, timeout=_TIMEOUT
        )
        with contextlib.closing(connection):
            connection.request(self.command, self.path, body or None, headers)
            answer = connection.getresponse()
            return Answer(answer.status, dict(answer.getheaders()), answer.read())

    def _answer(self, answer: Answer) -> None:
        status, headers, body = answer
        self.send_response_only(status)
        for name, value in headers.items():
            if name.lower() not in _HOP | {"content-length"}:
                self.send_header(name, value)
        if self.command != "HEAD" and status not in (204, 304):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the gate remembers its requests."""
