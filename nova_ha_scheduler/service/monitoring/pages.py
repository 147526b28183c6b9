# SPDX-License-Identifier: Apache-2.0
"""Which text stands at which address. All of it lies ready: a request changes nothing,
makes nothing and asks nobody.

==================  ===========================================================
/                   the page for people
/status.json        what it shows
/metrics            for Prometheus
/healthcheck        are the hosts protected? As /healthcheck/ready
/healthcheck/alive  does this trigger work?
==================  ===========================================================
"""

import base64
import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any

from nova_ha_scheduler.health.problems import Code
from nova_ha_scheduler.service.monitoring import healthcheck, metrics
from nova_ha_scheduler.service.monitoring.healthcheck import Answers

Start = Callable[..., Any]

_HEADERS = (
    ("Server", "nova-ha"),
    ("Cache-Control", "no-store"),
    ("Referrer-Policy", "no-referrer"),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
)

_INLINE = re.compile(r"<(script|style)>(.*?)</\1>", re.DOTALL)

_METHODS = ("GET", "HEAD")


@dataclass(frozen=True)
class Texts:
    """What is told from now on."""

    answers: Answers
    metrics: bytes
    status: bytes


_NOT_YET = Texts(
    Answers(Code.CANNOT_TELL, "CANNOT TELL: the trigger has just begun", True),
    b"",
    b"null",
)


class Pages:
    """A WSGI application.

    :ivar ready: replaced as a whole, by whoever writes it.
    """

    def __init__(self) -> None:
        self.ready = _NOT_YET
        page = resources.files(__package__).joinpath("page.html").read_bytes()
        policy = ("Content-Security-Policy", _policy(page.decode()))
        html = ("text/html; charset=utf-8", (policy,))

        def ask() -> Answers:
            return self.ready.answers

        self._texts: Mapping[str, tuple[str, Any, Callable[[], bytes]]] = {
            "/": (*html, lambda: page),
            "/status.json": ("application/json", (), lambda: self.ready.status),
            "/metrics": (metrics.CONTENT_TYPE, (), lambda: self.ready.metrics),
        }
        alive = healthcheck.application(healthcheck.ALIVE, ask)
        is_ready = healthcheck.application(healthcheck.READY, ask)
        self._checks: Mapping[str, Any] = {
            "/healthcheck": is_ready,
            "/healthcheck/ready": is_ready,
            "/healthcheck/alive": alive,
        }

    def __call__(self, environ: dict[str, Any], begin: Start) -> Iterable[bytes]:
        def start(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            return begin(status, [*headers, *_HEADERS], *more)

        path = environ.get("PATH_INFO") or "/"
        method = environ["REQUEST_METHOD"]
        if method not in _METHODS:
            allowed = ("Allow", ", ".join(_METHODS))
            return _answer(start, "405 Method Not Allowed", b"read-only\n", (allowed,))
        if check := self._checks.get(path):
            found: Iterable[bytes] = check(environ, start)
            return found
        if path not in self._texts:
            words = " ".join(sorted((*self._texts, *self._checks)))
            return _answer(start, "404 Not Found", f"there is {words}\n".encode())
        kind, more, text = self._texts[path]
        body = text()
        return _answer(start, "200 OK", body, more, kind, method == "HEAD")


def _answer(
    start: Start,
    status: str,
    body: bytes,
    more: Iterable[tuple[str, str]] = (),
    kind: str = "text/plain; charset=utf-8",
    head: bool = False,
) -> list[bytes]:
    length = ("Content-Length", str(len(body)))
    start(status, [("Content-Type", kind), length, *more])
    return [] if head else [body]


def _policy(page: str) -> str:
    """What the browser lets the page do: its own script and style, and to ask this
    very address. Whatever a name smuggled into it, nothing of that would run."""
    hashes: dict[str, list[str]] = {"script": [], "style": []}
    for kind, text in _INLINE.findall(page):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        hashes[kind].append(f"'sha256-{digest}'")
    script, style = " ".join(hashes["script"]), " ".join(hashes["style"])
    return (
        f"default-src 'none'; connect-src 'self'; img-src data:; base-uri 'none'; "
        f"form-action 'none'; frame-ancestors 'none'; "
        f"script-src {script}; style-src {style}"
    )
