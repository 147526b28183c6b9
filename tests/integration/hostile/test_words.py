# SPDX-License-Identifier: Apache-2.0
"""Words of others neither forge a line of the log nor steer a terminal."""

import json
import logging
from collections.abc import Callable
from typing import Any

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from nova_ha_scheduler import host_facts
from nova_ha_scheduler.clock import SystemClock
from nova_ha_scheduler.cluster.errors import CloudUnreachable, Refused
from nova_ha_scheduler.cluster.openstack import parse, tags
from nova_ha_scheduler.cluster.openstack.aggregates import Aggregates, untagging
from nova_ha_scheduler.cluster.openstack.api import Api
from nova_ha_scheduler.cluster.openstack.fields import Notes
from nova_ha_scheduler.evacuation.interfaces import (
    Power,
    PowerReport,
    Testimony,
    WitnessVerdict,
)
from nova_ha_scheduler.health.troubles import Trouble, Troubles
from nova_ha_scheduler.printable import flat, one_line, plain
from nova_ha_scheduler.records.commands import Command, CommandKind
from nova_ha_scheduler.records.effects import Effect, Intent
from nova_ha_scheduler.rules import vocabulary
from nova_ha_scheduler.rules.terms import HostFacts
from nova_ha_scheduler.service.execution.executor import perform
from tests.lib import answers

EVIL = (
    "x\n2026-11-29 00:00:00 INFO host.fenced c9\r\x1b[2J\x1b]0;t\x07\u202egnp"
    "\u2066\ud800\u0085\u2028\u200f\x00" + "y" * 5000
)

_texts = st.text(st.characters(exclude_categories=()), max_size=50)


@given(_texts, st.integers(4, 60))
def test_whatever_is_said_can_be_shown_and_kept(said: str, most: int) -> None:
    for make in (plain, flat, one_line):
        found = make(said, most)
        assert found.isprintable()
        assert len(found) <= most
        assert make is one_line or make(found, most) == found, "once is enough"
        found.encode()
    if said.isprintable() and len(said) <= most:
        assert plain(said, most) == said


def test_what_cannot_be_shown_is_still_told_apart() -> None:
    assert plain("a\nb\x1b[2J\u202e\ud800é") == r"a\nb\x1b[2J\u202e\ud800é"
    assert flat(" a\n\tb. ") == "a b."
    assert one_line("a\nb.") == "a b"


class _Answer:
    """A service's answer, as the connection's proxies give it."""

    def __init__(self, status: int, body: Any, reason: str = "Bad") -> None:
        self.found = requests.Response()
        self.found.status_code, self.found.reason = status, reason
        self.found._content = json.dumps(body).encode()
        self.found.headers["Content-Type"] = "application/json"
        self.found.headers["x-openstack-request-id"] = EVIL
        self.found.url = "http://192.0.2.1/"

    def __getattr__(self, name: str) -> "_Answer":
        return self

    def __call__(self) -> "_Answer":
        return self

    def request(self, *_: Any, **__: Any) -> requests.Response:
        return self.found


def _refusal(body: Any) -> str:
    connection: Any = _Answer(409, body, EVIL)
    with pytest.raises(Refused) as error:
        Api(connection).act("POST", "/servers/x/action", {})
    return str(error.value)


def _failure(body: Any) -> str:
    connection: Any = _Answer(500, body, EVIL)
    with pytest.raises(CloudUnreachable) as error:
        Api(connection).get("compute", "/os-services")
    return str(error.value)


def _request_id() -> str:
    connection: Any = _Answer(200, {})
    return Api(connection).act("POST", "/servers/x/action", {})


def _outcome(error: Exception) -> str:
    class World:
        def carry_out(self, intent: Intent) -> str:
            raise error

    world: Any = World()
    intent = Intent("id", Effect.FORCE_DOWN, "c1", 0.0, "recovery")
    return perform(world, intent, SystemClock()).detail


def _disabled() -> str:
    service = {**answers.service("c1"), "disabled_reason": EVIL}
    return parse.host(service, HostFacts(), 0.0).disabled_reason


def _command() -> str:
    times = 0.0, 1.0
    return str(Command("id", CommandKind.CONFIRM_FENCED, "c1", EVIL, EVIL, *times))


def _metadata() -> str:
    server = {**answers.server(answers.WEB, "c2"), "metadata": {EVIL: EVIL}}
    return str(list(parse.server(server).metadata.items())[0])


def _unread(raw: Any, why: object = "") -> str:
    return str(Notes().add("server", raw, why))


def _aggregate() -> str:
    found = {**answers.aggregate(1, "c1"), "name": EVIL}
    found["metadata"] |= {"note": "x" * 9}
    api: Any = answers.Api({"/os-aggregates": {"aggregates": [found]}})
    with pytest.raises(Refused) as error:
        untagging(Aggregates(api).all(), "c1", "ha")
    return str(error.value)


ENTRIES: dict[str, Callable[[], str]] = {
    "a fence device's answer": lambda: PowerReport(Power.ON, "redfish", EVIL).detail,
    "a witness's": lambda: Testimony("ping", WitnessVerdict.DEAD, EVIL).detail,
    "a person's word": _command,
    "Nova's refusal": lambda: _refusal({"conflictingRequest": {"message": EVIL}}),
    "a refusal of a proxy": lambda: _refusal([EVIL]),
    "a failure": lambda: _failure({"computeFault": {"message": EVIL}}),
    "a failure of a proxy": lambda: _failure("x"),
    "a request id": _request_id,
    "what an effect raised": lambda: _outcome(ValueError(EVIL)),
    "what Nova refused": lambda: _outcome(Refused(EVIL)),
    "why a service is disabled": _disabled,
    "a server's name": lambda: (
        parse.server({**answers.server(answers.WEB, "c2"), "name": EVIL}).name
    ),
    "a server's metadata": _metadata,
    "why a request failed": lambda: parse.failure(
        [{"result": "Error", "details": EVIL}]
    ),
    "the name of what cannot be read": lambda: _unread({"name": EVIL}),
    "why it cannot be read": lambda: _unread({}, ValueError(EVIL)),
    "an aggregate's name": lambda: tags.read({"name": EVIL}).name,
    "an aggregate that is refused": _aggregate,
}


@pytest.mark.parametrize("entry", ENTRIES)
def test_each_entry(entry: str) -> None:
    said = ENTRIES[entry]()
    assert said
    assert said.isprintable()
    assert len(said) < 10_000


@pytest.mark.parametrize("key", ["host", "zone", "state", "status"])
def test_what_is_compared_is_refused_instead(key: str) -> None:
    """A name that is changed is another one."""
    for evil in (EVIL, "c1\n", "c1\u202e"):
        with pytest.raises(ValueError, match=key if key in ("host", "zone") else "."):
            parse.host({**answers.service("c1"), key: evil}, HostFacts(), 0.0)


def test_a_zone_that_cannot_be_shown_is_none() -> None:
    """Neither for the trigger, nor for nova-scheduler's filters."""
    facts = HostFacts.of([{vocabulary.STORAGE_ZONE: "nfs\u202ea"}])
    sentence = facts.bad_value(vocabulary.STORAGE_ZONE)
    assert sentence is not None
    assert sentence.isprintable()


def test_the_log_has_one_line_for_each_word(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        for trouble in set(Trouble) - {Trouble.STEP}:
            Troubles().begins(trouble, EVIL)
        host_facts.of_aggregate(EVIL, {vocabulary.HA: EVIL})
    assert len(caplog.records) == len(Trouble)
    for record in caplog.records:
        assert record.getMessage().isprintable()
