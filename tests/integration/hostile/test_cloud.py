# SPDX-License-Identifier: Apache-2.0
"""A cloud whose services drip, from the login to the last page."""

import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
import requests

from nova_ha_scheduler.cluster.errors import CloudUnreachable
from nova_ha_scheduler.cluster.openstack import fields
from nova_ha_scheduler.cluster.openstack.api import Api, _object
from nova_ha_scheduler.cluster.openstack.fields import BadAnswer
from nova_ha_scheduler.cluster.openstack.login import connect
from nova_ha_scheduler.cluster.openstack.renewal import FAILURES
from nova_ha_scheduler.service import startup
from tests.lib.hostile_peer import OK, PAUSE, Peer, peer

AT_MOST = 10.0
"""Seconds, on a machine that has other work: what does not end takes for ever."""

TOKEN = {
    "methods": ["password"],
    "user": {"id": "u", "name": "u", "domain": {"id": "d", "name": "d"}},
    "project": {"id": "t", "name": "t", "domain": {"id": "d", "name": "d"}},
    "roles": [],
    "expires_at": "2099-01-01T00:00:00.000000Z",
    "issued_at": "2020-01-01T00:00:00.000000Z",
}


class Cloud:
    """A keystone and a Nova, at one address.

    :ivar dripping: what of it drips: a part of a request's line.
    :ivar next: the query of a list's next page, for ever.
    :ivar wrong: what is answered to the next request with these words in its line.
    """

    def __init__(self) -> None:
        self.address, self.dripping, self.next = "", "never", ""
        self.wrong: dict[str, str] = {}

    def __call__(self, sock: socket.socket, over: threading.Event) -> None:
        line = sock.recv(65536).decode().partition("\r\n")[0]
        body, more = self._answer(line)
        spoilt = [words for words in self.wrong if words in line]
        text = self.wrong.pop(spoilt[0]) if spoilt else json.dumps(body)
        data = text.replace("ADDRESS", self.address).encode()
        head = OK + more.encode() + b"Connection: close\r\n"
        head += b"Content-Length: %d\r\n\r\n" % len(data)
        if self.dripping not in line:
            sock.sendall(head + data)
            return
        sock.sendall(head)
        for byte in data:
            sock.sendall(bytes([byte]))
            if over.wait(PAUSE):
                return

    def _answer(self, line: str) -> tuple[object, str]:
        if "/auth/tokens" in line:
            url = f"{self.address}/compute/v2.1"
            ends = {"interface": "internal", "region": "R", "region_id": "R"}
            found = {"type": "compute", "name": "nova", "id": "n"}
            catalog = [{**found, "endpoints": [{**ends, "id": "e", "url": url}]}]
            return {"token": {**TOKEN, "catalog": catalog}}, "X-Subject-Token: t\r\n"
        if "/os-services" in line:
            links = [{"rel": "next", "href": f"{self.address}/x?{self.next}"}]
            some = [{"id": number} for number in range(200)]
            more = {"services_links": links} if self.next else {}
            return {"services": some, **more}, ""
        version = {"id": "v2.1", "status": "CURRENT", "version": "2.103"}
        link = {"rel": "self", "href": f"{self.address}/compute/v2.1"}
        if "/v3" in line:
            link = {"rel": "self", "href": f"{self.address}/v3"}
            version = {"id": "v3.14", "status": "stable"}
        return {"version": {**version, "min_version": "2.1", "links": [link]}}, ""


@pytest.fixture
def cloud() -> Iterator[tuple[Cloud, Peer]]:
    cloud = Cloud()
    with peer(cloud) as found:
        cloud.address = found.address
        yield cloud, found


@pytest.fixture
def api(cloud: tuple[Cloud, Peer], tmp_path: Path) -> Callable[[], Api]:
    def make() -> Api:
        login = "username = u\npassword = p\nproject_name = t\n"
        domains = "user_domain_name = d\nproject_domain_name = d\n"
        file = tmp_path / "nova-ha.conf"
        file.write_text(
            f"[cloud]\nauth_type = password\nauth_url = {cloud[0].address}/v3\n"
            f"timeout = 1\n{login}{domains}"
        )
        conf = startup.load("test", [f"--config-file={file}"])
        again = partial(connect, conf)
        return Api(connect(conf), conf.cloud.timeout, again=again)

    return make


@pytest.mark.parametrize("what", ["/auth/tokens", "/compute/v2.1", "os-serv"])
def test_every_request_ends_in_time(cloud, api, what):
    cloud[0].dripping = what
    began = time.monotonic()
    with pytest.raises(CloudUnreachable):
        api().get("compute", "/os-services", "2.100")
    assert time.monotonic() - began < AT_MOST


def test_what_keystone_can_do_is_not_waited_for(cloud, api):
    cloud[0].dripping = "GET /v3"
    began = time.monotonic()
    assert api().get("compute", "/os-services", "2.100")["services"]
    assert time.monotonic() - began < AT_MOST


def test_each_page_ends_in_time(cloud, api):
    cloud[0].next = "marker=7"
    pages = api().pages("compute", "/os-services", "services", "2.100")
    for _ in range(200):
        next(pages)
    cloud[0].dripping = "marker=7"
    began = time.monotonic()
    with pytest.raises(CloudUnreachable):
        next(pages)
    assert time.monotonic() - began < AT_MOST


def test_pages_that_lead_back_to_one_another(cloud, api):
    cloud[0].next = "marker=7"
    pages = api().pages("compute", "/os-services", "services", "2.100")
    with pytest.raises(CloudUnreachable, match="lead back to one another"):
        list(pages)


# What was said wrongly once.

_TOKEN = '{"token": {"expires_at": "2099-01-01T00:00:00.000000Z", "catalog": %s}}'
_VERSION = '{"version": {"id": "v2.1", "status": %s, "version": %s, "links": %s}}'
WRONG = {
    "a catalog that is none": ("POST /v3/auth", _TOKEN % "null"),
    "an empty catalog": ("POST /v3/auth", _TOKEN % "[]"),
    "a catalog of nothing": ("POST /v3/auth", _TOKEN % "[null, {}, 7]"),
    "a service without a type": (
        "POST /v3/auth",
        _TOKEN % '[{"type": null, "endpoints": []}]',
    ),
    "another place": (
        "POST /v3/auth",
        _TOKEN % '[{"type": "compute", "endpoints": [{"interface": "internal", '
        '"region": "R", "region_id": "R", "url": "ADDRESS/elsewhere"}]}]',
    ),
    "no version": ("GET /compute/v2.1", "[]"),
    "no JSON": ("GET /compute/v2.1", "<html>"),
    "an old version": (
        "GET /compute/v2.1",
        _VERSION % ('"CURRENT"', '"2.1"', '[{"rel": "self", "href": "ADDRESS/x"}]'),
    ),
    "a version without links": ("GET /compute/v2.1", _VERSION % ("7", "null", "null")),
    "a status of another kind": ("GET /compute/v2.1", _VERSION % ("{}", "[]", "{}")),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_was_said_wrongly_once_is_forgotten(cloud, api, what):
    """The libraries keep what they learn of a service as long as a connection lives."""
    words, said = WRONG[what]
    cloud[0].wrong = {words: said}
    asked = api()
    for _ in range(FAILURES):
        with contextlib.suppress(CloudUnreachable):
            asked.get("compute", "/os-services", "2.100")
    assert asked.get("compute", "/os-services", "2.100")["services"]


def test_a_cloud_that_is_down_is_not_logged_in_to_at_each_look(cloud, api):
    made = []
    asked = api()
    again = asked._connections._again
    asked._connections._again = lambda: made.append(1) or again()
    cloud[1].close()
    for _ in range(5 * FAILURES):
        with pytest.raises(CloudUnreachable):
            asked.get("compute", "/os-services", "2.100")
    assert len(made) == 1


def test_one_number_without_end_is_not_the_whole_answer():
    answer = requests.Response()
    answer._content = b'{"servers": [{"id": %s}, {"id": 7}]}' % (b"9" * 5000)
    spoilt, other = _object(answer)["servers"]
    assert other == {"id": 7}
    with pytest.raises(BadAnswer, match="id is inf"):
        fields.amount(spoilt, "id")
