# SPDX-License-Identifier: Apache-2.0
"""status.json: what the page shows, of a size that is bounded."""

import json
import shlex
from dataclasses import replace
from importlib import metadata
from typing import Any

import pytest

from nova_ha_scheduler.health.problems import Kind, Problem
from nova_ha_scheduler.reasons import Reason
from nova_ha_scheduler.records.host_recovery import HostRecovery, HostState
from nova_ha_scheduler.records.server_recovery import ServerRecovery, ServerState
from nova_ha_scheduler.records.state import State
from nova_ha_scheduler.service.monitoring import page_data
from nova_ha_scheduler.service.monitoring.trigger_facts import TriggerFacts
from tests.unit.service.monitoring.conftest import watched, with_state


def test_a_power_cut() -> None:
    script = watched()
    script.work_out()
    script.play(script.read("at 20 power off node1\nat 86 end"))
    assert script.facts is not None
    found = page_data.of(script.facts)
    (recovery,) = found["recoveries"]
    assert recovery["host"] == "node1"
    assert recovery["state"] == "evacuating"
    assert recovery["proof"].startswith("power-off observed by redfish")
    assert (recovery["recovered"], recovery["servers"]) == (0, 3)
    assert sum(wait["number"] for wait in recovery["waits"]) == 3
    (zone,) = found["zones"]
    assert zone["reserve"] == {"free": 1, "in_use": 0, "down": 0, "unusable": 0}
    assert [event["kind"] for event in found["events"]][-1] == "host.suspected"
    assert found["as_of"] == script.facts.now
    script.play(script.read("at 200 end"))
    (recovery,) = page_data.of(script.facts)["recoveries"]
    assert (recovery["state"], recovery["recovered"]) == ("recovered", 3)
    assert recovery["waits"] == []


def command_of(words: list[str]) -> tuple[Any, list[str]]:
    """The class of a command of nova-ha, and the words behind its name."""
    for entry in metadata.entry_points(group="nova_ha.cli"):
        name = entry.name.split("_")
        if words[: len(name)] == name:
            return entry.load(), words[len(name) :]
    raise AssertionError(f"there is no {words}")


@pytest.mark.parametrize("kind", Kind, ids=lambda kind: kind.word)
def test_each_problem_has_a_command_that_can_be_typed(
    kind: Kind, facts: TriggerFacts
) -> None:
    problem = Problem(kind, "a host; ls", details=("this", "that"))
    judged = replace(facts.judgement, problems=(problem,))
    (problem,) = page_data.of(replace(facts, judgement=judged))["problems"]
    words = shlex.split(problem["command"])
    if "{host}" in page_data.COMMANDS[kind]:
        assert "a host; ls" in words
    if words[0] == "nova-ha":
        command, arguments = command_of(words[1:])
        command(None, None).get_parser("nova-ha").parse_args(arguments)
    else:
        assert words[0] in ("systemctl", "journalctl", "openstack", "timedatectl")


def many(number: int) -> State:
    """So many hosts that died, with as many servers each."""
    hosts = [
        HostRecovery(f"h{n}", f"h{n}", HostState.EVACUATING, float(n))
        for n in range(number)
    ]
    servers = [
        ServerRecovery(
            host.id,
            f"{host.id}-{n}",
            "<script>alert(1)</script>" + "א" * 200,
            host.host,
            ServerState.WAITING,
            0.0,
            reason=Reason.NO_ROOM,
            detail=f"reason {n}",
        )
        for host in hosts
        for n in range(50)
    ]
    return State(hosts={h.id: h for h in hosts}, servers={s.key: s for s in servers})


def test_a_storm_does_not_fill_it(facts: TriggerFacts) -> None:
    found = page_data.of(with_state(facts, many(300)))
    assert found["recoveries_in_all"] == 300
    assert len(found["recoveries"]) == 100
    assert found["problems_in_all"] >= 300
    assert len(found["problems"]) == 100
    assert all(len(each["waits"]) <= 5 for each in found["recoveries"])
    assert len(page_data.text(with_state(facts, many(300)))) < 2_000_000


def test_those_that_go_on_stand_first(facts: TriggerFacts) -> None:
    hosts = [
        HostRecovery("old", "old", HostState.EVACUATING, 1.0),
        HostRecovery("done", "done", HostState.RECOVERED, 9.0),
        HostRecovery("new", "new", HostState.FENCING, 5.0),
        HostRecovery("closed", "closed", HostState.CLOSED, 7.0, ended_at=8.0),
    ]
    found = page_data.of(with_state(facts, State(hosts={h.id: h for h in hosts})))
    assert [each["host"] for each in found["recoveries"]] == ["new", "old", "done"]


def test_it_is_json_in_ascii(facts: TriggerFacts) -> None:
    text = page_data.text(with_state(facts, many(1)))
    assert text.isascii()
    assert json.loads(text)["schema"] == page_data.SCHEMA
