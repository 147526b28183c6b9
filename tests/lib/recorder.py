# SPDX-License-Identifier: Apache-2.0
"""A stand-in for OpenStack that records who asks for what.

It is not what is tested, and a real Nova could not tell one trigger from another: here
each trigger logs in at an address of its own. It knows compute services that are down
or up, no servers, and can be slow.
"""

import datetime
import json
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from tests.lib.cloud.stubs import Keystone, Neutron, Request, Stub, StubError
from tests.lib.web import WebServer

Json = dict[str, Any]

HANG = "504 Gateway Timeout"

_KINDS = ("compute", "placement", "identity", "image", "network", "block-storage")


def _versions(id: str, low: str, high: str) -> Json:
    links = [{"rel": "self", "href": ""}]
    version = {"id": id, "status": "CURRENT", "links": links, "min_version": low}
    return {"versions": [{**version, "version": high, "max_version": high}]}


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


def ago(seconds: float) -> datetime.datetime:
    return _now() - datetime.timedelta(seconds=seconds)


@dataclass
class Service:
    """A nova-compute service, as Nova shows it."""

    host: str
    up: bool
    forced_down: bool = False
    status: str = "enabled"
    disabled_reason: str | None = None
    beats: bool = True
    heard_at: datetime.datetime = field(default_factory=lambda: ago(600))

    def shown(self) -> Json:
        seen = _now() if self.up and self.beats else self.heard_at
        return {
            "id": f"id-{self.host}",
            "binary": "nova-compute",
            "host": self.host,
            "zone": "nova",
            "status": self.status,
            "state": "up" if self.up and not self.forced_down else "down",
            "updated_at": seen.strftime("%Y-%m-%dT%H:%M:%S.000000"),
            "disabled_reason": self.disabled_reason,
            "forced_down": self.forced_down,
        }


def _hypervisor(host: str) -> Json:
    return {
        "id": f"node-{host}",
        "hypervisor_hostname": host,
        "service": {"host": host},
    }


class Nova(Stub):
    """Compute and Placement: the services, all protected and in one zone."""

    def __init__(self, dead: Iterable[str], alive: Iterable[str]) -> None:
        super().__init__()
        self.services = {host: Service(host, up=False) for host in dead}
        self.services |= {host: Service(host, up=True) for host in alive}
        self.looks = 0
        """How often the services were listed."""
        self.routes = {
            "GET /compute": lambda _: ("200 OK", _versions("v2.1", "2.1", "2.100")),
            "GET /placement": lambda _: ("200 OK", _versions("v1.0", "1.0", "1.39")),
            "GET /compute/os-services": self._list,
            "PUT /compute/os-services/id-(.*)": self._change,
            "GET /compute/os-aggregates": self._aggregates,
            "GET /placement/allocation_candidates": lambda _: (
                "200 OK",
                {"provider_summaries": {}, "allocation_requests": []},
            ),
            "GET /placement/resource_providers/.*/allocations": lambda _: (
                "200 OK",
                {"allocations": {}},
            ),
            "GET /compute/os-migrations": lambda _: ("200 OK", {"migrations": []}),
            "GET /compute/servers/detail": lambda _: ("200 OK", {"servers": []}),
            "GET /compute/os-hypervisors/detail": lambda _: (
                "200 OK",
                {"hypervisors": [_hypervisor(host) for host in self.services]},
            ),
        }

    def _list(self, request: Request) -> tuple[Any, ...]:
        self.looks += 1
        found = [service.shown() for service in self.services.values()]
        return "200 OK", {"services": found}

    def _aggregates(self, request: Request) -> tuple[Any, ...]:
        metadata = {"ha": "true", "storage_zone": "nfs-a"}
        one = {"name": "protected", "metadata": metadata, "hosts": [*self.services]}
        return "200 OK", {"aggregates": [one]}

    def _change(self, request: Request, host: str) -> tuple[Any, ...]:
        if host not in self.services:
            raise StubError("404 Not Found", f"no {host}")
        for name, value in request.body.items():
            setattr(self.services[host], name, value)
        return "200 OK", {"service": self.services[host].shown()}


@dataclass(frozen=True)
class Change:
    """A request that is no look: from which trigger, and to which host."""

    trigger: str
    host: str
    body: str


@dataclass
class Recorder:
    """What each trigger sees of the cloud.

    :ivar changes: requests for an effect, in the order in which they came.
    :ivar answers: how long each of them takes, in seconds.
    :ivar on_change: called with each, while its sender waits for the answer.
    """

    nova: Nova
    changes: list[Change] = field(default_factory=list)
    answers: float = 0.2
    on_change: Callable[[Change], None] = lambda change: None
    _fronts: dict[str, WebServer] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)
    """The HTTP status that a service answers with; HANG: nothing, for long."""
    failed: int = 0
    """How many requests have met such a fault, or had a token that has expired."""
    _good: str = "token"

    def front(self, trigger: str) -> str:
        """The address at which a trigger logs in."""
        if trigger not in self._fronts:
            server = self._fronts[trigger] = WebServer(f"front-{trigger}")
            server.start(self._application(trigger, server.url))
        return f"{self._fronts[trigger].url}/identity/v3"

    def expire_tokens(self) -> None:
        """Those that were given out so far are good for nothing any more."""
        self._good = f"token-{self.nova.looks}"

    def stop(self) -> None:
        for server in self._fronts.values():
            server.stop()

    def by(self, trigger: str) -> list[Change]:
        return [change for change in self.changes if change.trigger == trigger]

    def _with_token(self, start: Any, status: str, headers: list[Any]) -> Any:
        """The stand-in for keystone has one token; here it is today's."""
        name = "X-Subject-Token"
        new = [(k, self._good if k == name else v) for k, v in headers]
        return start(status, new)

    def _application(self, trigger: str, url: str) -> Callable[..., Any]:
        endpoints = {kind: f"{url}/{kind}" for kind in _KINDS}
        keystone, neutron = Keystone(endpoints), Neutron(endpoints["network"])
        lock = threading.Lock()

        def application(environ: Json, start: Any) -> Any:
            path: str = environ["PATH_INFO"]
            kind = path.split("/")[1]
            if status := self.faults.get(kind):
                self.failed += 1
                while self.faults.get(kind) == HANG:
                    time.sleep(0.05)
                start(status, [("Content-Length", "0")])
                return []
            if kind == "identity":
                environ["PATH_INFO"] = path.removeprefix("/identity")
                return keystone(environ, partial(self._with_token, start))
            token = environ.get("HTTP_X_AUTH_TOKEN", self._good)
            if token != self._good:
                self.failed += 1
                start("401 Unauthorized", [("Content-Length", "0")])
                return []
            if kind == "network":
                environ["PATH_INFO"] = path.removeprefix("/network")
                return neutron(environ, start)
            if environ["REQUEST_METHOD"] != "GET":
                body = environ["wsgi.input"].getvalue().decode()
                host = path.rpartition("/")[-1].removeprefix("id-")
                change = Change(trigger, host, json.dumps(json.loads(body)))
                with lock:
                    self.changes.append(change)
                self.on_change(change)
                time.sleep(self.answers)
            return self.nova(environ, start)

        return application
