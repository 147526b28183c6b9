# SPDX-License-Identifier: Apache-2.0
"""Who is told: a real HTTP server and a real mail server, on loopback."""

import json
import threading
import time
from collections.abc import Callable, Mapping
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from tests.lib import ports
from tests.lib.web import LOOPBACK, WebServer


class Hook:
    """Takes JSON by POST.

    :ivar took: the bodies of those that it has answered with 200, and when.
    :ivar status: what it answers with.
    :ivar seconds: before it answers.
    """

    def __init__(self) -> None:
        self.took: list[tuple[float, Any]] = []
        self.asked: list[Mapping[str, Any]] = []
        self.status, self.seconds = "200 OK", 0.0
        self.headers: list[tuple[str, str]] = []
        self._server = WebServer("hook")
        self._server.start(self._answer)
        self.url = self._server.url

    def _answer(self, asked: WSGIEnvironment, start: StartResponse) -> list[bytes]:
        self.asked.append(dict(asked))
        body = asked["wsgi.input"].read()
        time.sleep(self.seconds)
        if self.status.startswith("2") and asked["REQUEST_METHOD"] == "POST":
            self.took.append((time.time(), json.loads(body)))
        start(self.status, [("Content-Length", "4"), *self.headers])
        return [b"seen"]

    @property
    def bodies(self) -> list[Any]:
        return [body for _, body in self.took]

    def stop(self) -> None:
        self._server.stop()


class Mails:
    """Takes mails.

    :ivar took: those that it has taken, and when.
    :ivar refuses: recipients that it does not know.
    """

    def __init__(self, port: int = 0, password: str = "", **more: Any) -> None:
        """:param password: of the user nova-ha, whom alone it lets in then."""
        self.took: list[tuple[float, EmailMessage]] = []
        self.refuses: set[str] = set()
        if password:
            more |= {"authenticator": _asks(password), "auth_required": True}
        self.port = port or ports.free_port()
        self._controller = Controller(self, hostname=LOOPBACK, port=self.port, **more)
        self._controller.start()

    async def handle_RCPT(
        self,
        server: SMTP,
        session: Session,
        envelope: Envelope,
        address: str,
        options: list[str],
    ) -> str:
        if address in self.refuses:
            return "550 5.1.1 nobody of that name"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        content: Any = envelope.content
        mail: Any = message_from_bytes(content, policy=policy.default)
        self.took.append((time.time(), mail))
        return "250 taken"

    @property
    def mails(self) -> list[EmailMessage]:
        return [mail for _, mail in self.took]

    def stop(self) -> None:
        self._controller.stop()


def _asks(password: str) -> Callable[..., AuthResult]:
    def ask(*said: Any) -> AuthResult:
        data = said[-1]
        known = (data.login, data.password) == (b"nova-ha", password.encode())
        return AuthResult(success=known, handled=False)

    return ask


class Dripping:
    """A mail server that says a byte now and then, and never ends a line."""

    def __init__(self, seconds: float = 0.2) -> None:
        import socket

        self._server = socket.create_server((LOOPBACK, 0))
        self.port = self._server.getsockname()[1]
        self._seconds = seconds
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            threading.Thread(target=self._drip, args=[connection], daemon=True).start()

    def _drip(self, connection: Any) -> None:
        try:
            while True:
                connection.sendall(b"2")
                time.sleep(self._seconds)
        except OSError:
            connection.close()

    def stop(self) -> None:
        self._server.close()
