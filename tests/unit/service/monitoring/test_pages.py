# SPDX-License-Identifier: Apache-2.0
"""Each address has its text, and nothing can be ordered."""

import base64
import hashlib
import re
from collections.abc import Mapping
from importlib import resources

import pytest
from webob import Request

from nova_ha_scheduler.health.problems import Code
from nova_ha_scheduler.service.monitoring import healthcheck
from nova_ha_scheduler.service.monitoring.healthcheck import Answers
from nova_ha_scheduler.service.monitoring.pages import Pages, Texts

WELL = Answers(Code.PROTECTED, "PROTECTED: 42 hosts", True)


@pytest.fixture
def pages() -> Pages:
    found = Pages()
    found.ready = Texts(WELL, b"nova_ha_active 1.0\n", b'{"as_of": 1}')
    return found


def ask(pages: Pages, path: str, method: str = "GET", **headers: str) -> object:
    request = Request.blank(path, method=method, headers=headers)
    return request.get_response(pages)


@pytest.mark.parametrize(
    ("path", "kind", "body"),
    [
        ("/metrics", "text/plain; version=0.0.4; charset=utf-8", b"nova_ha_active"),
        ("/status.json", "application/json", b'{"as_of": 1}'),
        ("/", "text/html; charset=utf-8", b"<!DOCTYPE html>"),
    ],
)
def test_a_text(pages: Pages, path: str, kind: str, body: bytes) -> None:
    found = ask(pages, path)
    assert (found.status_int, found.headers["Content-Type"]) == (200, kind)
    assert found.body.startswith(body)
    assert found.headers["Cache-Control"] == "no-store"
    head = ask(pages, path, "HEAD")
    assert head.headers["Content-Length"] == str(len(found.body))
    assert head.body == b""


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
@pytest.mark.parametrize("path", ["/", "/metrics", "/healthcheck", "/status.json"])
def test_it_is_read_only(pages: Pages, path: str, method: str) -> None:
    found = ask(pages, path, method)
    assert found.status_int == 405
    assert found.headers["Allow"] == "GET, HEAD"


@pytest.mark.parametrize("path", ["/page.html", "/../setup.cfg", "//", "/metrics/"])
def test_there_is_nothing_else(pages: Pages, path: str) -> None:
    assert ask(pages, path).status_int == 404


READY = {Code.PROTECTED: 200, Code.DEGRADED: 200, Code.NOT_PROTECTING: 503}


@pytest.mark.parametrize(
    ("code", "alive"), [(code, alive) for code in Code for alive in (True, False)]
)
def test_ready_and_alive_are_two_things(pages: Pages, code: Code, alive: bool) -> None:
    pages.ready = Texts(Answers(code, f"{code.words}: why", alive), b"", b"")
    ready = ask(pages, "/healthcheck/ready")
    assert ready.status_int == READY.get(code, 503)
    assert f"{code.words}: why" in ready.text
    assert ask(pages, "/healthcheck").status_int == ready.status_int
    assert ask(pages, "/healthcheck/alive").status_int == (200 if alive else 503)


def test_the_health_in_json(pages: Pages) -> None:
    found = ask(pages, "/healthcheck", Accept="application/json")
    assert found.json["reasons"] == ["PROTECTED: 42 hosts"]


def test_before_anything_is_known_nobody_is_told_that_all_is_well() -> None:
    pages = Pages()
    assert ask(pages, "/healthcheck").status_int == 503
    assert ask(pages, "/healthcheck/alive").status_int == 200
    assert ask(pages, "/status.json").json is None


def test_a_check_that_is_not_installed_is_no_yes() -> None:
    with pytest.raises(RuntimeError, match="install the package anew"):
        healthcheck.application("nova_ha_misspelt", lambda: WELL)


def policy(headers: Mapping[str, str]) -> dict[str, list[str]]:
    parts = headers["Content-Security-Policy"].split("; ")
    return {part.split()[0]: part.split()[1:] for part in parts}


def test_the_browser_runs_the_pages_own_script_alone(pages: Pages) -> None:
    found = ask(pages, "/")
    rules = policy(found.headers)
    assert rules["default-src"] == ["'none'"]
    for kind in ("script", "style"):
        (inline,) = re.findall(rf"<{kind}>(.*?)</{kind}>", found.text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(inline.encode()).digest()).decode()
        assert rules[f"{kind}-src"] == [f"'sha256-{digest}'"]


def test_the_page_asks_nobody_else() -> None:
    package = resources.files("nova_ha_scheduler.service.monitoring")
    page = package.joinpath("page.html").read_text()
    assert not re.search(r"https?://|//[a-z]|innerHTML|insertAdjacent|\beval\b", page)
