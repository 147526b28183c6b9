# SPDX-License-Identifier: Apache-2.0
"""BMCs have a few sessions each, for half an hour: none is left open on one."""

import gc
import http.server
import json
import threading
from collections.abc import Iterator

import pytest

from nova_ha_scheduler.evacuation.interfaces import Power
from nova_ha_scheduler.fencing import Deadlines

_SESSIONS = "/redfish/v1/SessionService/Sessions"
_SYSTEM = "/redfish/v1/Systems/1"
_PAGES = {
    "/redfish/v1/": {
        "Id": "RootService",
        "Name": "root",
        "RedfishVersion": "1.6.0",
        "Links": {"Sessions": {"@odata.id": _SESSIONS}},
        "SessionService": {"@odata.id": "/redfish/v1/SessionService"},
        "Systems": {"@odata.id": "/redfish/v1/Systems"},
    },
    "/redfish/v1/SessionService": {
        "Id": "SessionService",
        "Name": "sessions",
        "Sessions": {"@odata.id": _SESSIONS},
    },
    _SYSTEM: {"Id": "1", "Name": "one", "PowerState": "Off"},
}


class Bmc(http.server.ThreadingHTTPServer):
    """:ivar open: sessions. :ivar broken: whether systems are not shown any more."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.open: set[str] = set()
        self.made, self.broken = 0, False

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(http.server.BaseHTTPRequestHandler):
    server: Bmc

    def do_GET(self) -> None:
        path = self.path if self.path == "/redfish/v1/" else self.path.rstrip("/")
        if self.server.broken and path == _SYSTEM:
            self._answer(500, {})
        elif path in _PAGES:
            self._answer(200, _PAGES[path])
        else:
            self._answer(404, {})

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.made += 1
        place = f"{_SESSIONS}/{self.server.made}"
        self.server.open.add(place)
        self._answer(201, {}, {"Location": place, "X-Auth-Token": place})

    def do_DELETE(self) -> None:
        self.server.open.discard(self.path)
        self._answer(204)

    def _answer(
        self, code: int, body: object = None, more: dict[str, str] | None = None
    ) -> None:
        data = b"" if body is None else json.dumps(body).encode()
        self.send_response(code)
        for key, value in {**(more or {}), "Content-Length": str(len(data))}.items():
            self.send_header(key, value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def bmc() -> Iterator[Bmc]:
    with Bmc() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        gc.disable()  # sushy closes what is collected, whenever that may be
        yield server
        gc.enable()
        server.shutdown()


def host(bmc: Bmc) -> dict[str, str]:
    login = {"username": "fencer", "password": "secret"}
    return {"method": "redfish", "address": bmc.address, "system": _SYSTEM, **login}


def test_a_look_leaves_no_session(bmc, fencing):
    fences = fencing({"c1": host(bmc)})
    for _ in range(3):
        assert fences.power("c1").power is Power.OFF
    assert (bmc.made, bmc.open) == (3, set())


def test_a_power_off_leaves_no_session(bmc, fencing):
    assert fencing({"c1": host(bmc)}).power_off("c1").power is Power.OFF
    assert (bmc.made, bmc.open) == (1, set())


def test_a_system_that_is_not_shown_leaves_no_session(bmc, fencing):
    fences = fencing({"c1": host(bmc)}, Deadlines(0.1, 3))
    bmc.broken = True
    assert fences.power("c1").power is Power.UNKNOWN
    assert fences.power_off("c1").power is Power.UNKNOWN
    assert bmc.made
    assert not bmc.open
