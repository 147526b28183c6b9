# SPDX-License-Identifier: Apache-2.0
"""kill -9 of the trigger at one exact request, seen where the request arrives."""

import io
import os
import signal
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import requests

from tests.lib.waiting import PATIENCE

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


@dataclass(frozen=True)
class Call:
    """A request of the trigger.

    :ivar body: with the query before it.
    :ivar answer: None while it was not carried out.
    """

    service: str
    method: str
    path: str
    body: str
    answer: str | None = None


@dataclass(frozen=True)
class Point:
    """Where in a recovery the trigger dies.

    :ivar service, method, path: which requests count; the path ends so.
    :ivar carried_out: the trigger dies after the request took effect and before it
        has the answer; else before anything happens, and the request is lost.
    :ivar words: in the request's query or body, or in its answer.
    :ivar nth: at which of these requests.
    """

    name: str
    service: str
    method: str
    path: str
    carried_out: bool
    words: str = ""
    nth: int = 1

    def fits(self, call: Call) -> bool:
        text = call.body + (call.answer or "")
        return (
            (call.service, call.method) == (self.service, self.method)
            and call.path.endswith(self.path)
            and (call.answer is not None) is self.carried_out
            and self.words in text
        )


@dataclass
class Accident:
    """One life of the trigger that ends at a point.

    :ivar seen: called with each request that arrives, before it is carried out.
    """

    point: Point
    pid: int
    seen: Callable[[Call], None]
    happened: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _fitted: int = 0

    def pass_by(self, call: Call) -> bool:
        """Whether the trigger has died of it, just now."""
        with self._lock:
            if self.happened.is_set() or not self.point.fits(call):
                return False
            self._fitted += 1
            if self._fitted < self.point.nth:
                return False
            os.kill(self.pid, signal.SIGKILL)
            self.happened.set()
            return True


class Crossroads:
    """All requests of the trigger pass here, to Nova and to the fence devices."""

    def __init__(self) -> None:
        self.accident: Accident | None = None

    def middleware(self, service: str, application: Application) -> Application:
        def crossed(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
            accident = self.accident
            if accident is None or not _of_trigger(service, environ):
                return application(environ, start)
            body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            environ["wsgi.input"] = io.BytesIO(body)
            call = Call(
                service,
                environ["REQUEST_METHOD"],
                environ["PATH_INFO"],
                str(environ.get("QUERY_STRING", "")) + body.decode(),
            )
            accident.seen(call)
            if accident.pass_by(call):
                start("503 Service Unavailable", [])  # nobody is there to read it
                return []
            chunks = list(application(environ, start))
            answer = b"".join(chunks).decode(errors="replace")
            done = Call(call.service, call.method, call.path, call.body, answer)
            accident.pass_by(done)
            return chunks

        return crossed


def _of_trigger(service: str, environ: dict[str, Any]) -> bool:
    agent = str(environ.get("HTTP_USER_AGENT", ""))
    return service == "bmc" or agent.startswith("nova-ha")


def forward(address: str) -> Application:
    """A WSGI application that hands each request on to another server."""

    def application(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        names = {"HTTP_AUTHORIZATION": "Authorization", "CONTENT_TYPE": "Content-Type"}
        answer = requests.request(
            environ["REQUEST_METHOD"],
            address + environ["PATH_INFO"],
            data=environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)),
            headers={
                name: environ[key] for key, name in names.items() if environ.get(key)
            },
            timeout=PATIENCE,
        )
        kept = ("Content-Type", "Location", "WWW-Authenticate", "ETag")
        headers = [(k, answer.headers[k]) for k in kept if k in answer.headers]
        length = ("Content-Length", str(len(answer.content)))
        start(f"{answer.status_code} {answer.reason}", [*headers, length])
        return [answer.content]

    return application
