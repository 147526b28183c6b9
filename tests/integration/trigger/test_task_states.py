# SPDX-License-Identifier: Apache-2.0
"""Nova evacuates whatever the task state, and what owners have asked of a dead host is
carried out when that returns."""

from tests.lib.cloud import Cloud  # isort: skip  (prepares the process for Nova)

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from nova import context as nova_context
from nova import objects

from nova_ha_scheduler.evacuation.server.task_states import TABLE, Done
from tests.integration.trigger.conftest import HOSTS, MakeTrigger, Trigger, boot_on
from tests.integration.trigger.running import active, running

OFF = ("--confirm-fenced", "--by", "Bob", "--reason", "I pulled the plug")
TASK, HOST = "OS-EXT-STS:task_state", "OS-EXT-SRV-ATTR:host"


def act(cloud: Cloud, server: str, **action: Any) -> None:
    answer = cloud.nova("POST", f"/servers/{server}/action", action)
    assert answer.ok, answer.text


def set_task(server: str, state: str) -> None:
    """As the nova-compute of its host has left it."""
    context = nova_context.get_admin_context()
    mapping = objects.InstanceMapping.get_by_instance_uuid(context, server)
    with nova_context.target_cell(context, mapping.cell_mapping) as cell:
        instance = objects.Instance.get_by_uuid(cell, server)
        instance.task_state = state
        instance.save()


@pytest.fixture
def servers(cloud: Cloud) -> Iterator[list[str]]:
    """Those that a test makes."""
    made: list[str] = []
    yield made
    for server in made:
        cloud.delete(server)


def test_each_that_is_asked_for_at_once_is_recovered(
    cloud: Cloud, flavor: str, trigger: MakeTrigger, servers: list[str]
) -> None:
    """By Nova itself, without a word on its task state."""
    at_once = [row for row in TABLE.values() if row.done is Done.AT_ONCE]
    states = [row.name for row in at_once if row.ends_running is not False]
    host = "node5"
    servers += boot_on(cloud, host, flavor, *states)
    cloud.crash(host)
    for server, state in zip(servers, states, strict=True):
        set_task(server, state)
    cloud.force_down(host)
    trigger().nova_ha("evacuate", host, *OFF, "--wait")
    for server, state in zip(servers, states, strict=True):
        assert cloud.wait_status(server, "ACTIVE")[HOST] != host, state


def test_what_owners_have_asked_of_a_dead_host(
    cloud: Cloud,
    flavor: str,
    trigger: MakeTrigger,
    servers: list[str],
    tmp_path: Path,
) -> None:
    """Their requests wait in its queue. What these do when it returns is put right; a
    server that they would start waits for a person's word."""
    host, names = "node6", ("stopped", "suspended", "paused", "rebooted", "saved", "on")
    servers += boot_on(cloud, host, flavor, *names)
    stopped, suspended, paused, rebooted, saved, on = servers
    act(cloud, on, **{"os-stop": None})
    cloud.wait_status(on, "SHUTOFF")
    cloud.crash(host)
    act(cloud, stopped, **{"os-stop": None})
    act(cloud, suspended, suspend=None)
    act(cloud, paused, pause=None)
    act(cloud, rebooted, reboot={"type": "HARD"})
    act(cloud, saved, createImage={"name": "a picture"})
    act(cloud, on, **{"os-start": None})
    cloud.force_down(host)
    used = trigger(evacuation={"task_state_grace": 3, "settle": 5})
    with running(used, tmp_path / "trigger.log"):
        cloud.wait("the service", lambda: active(used))
        used.nova_ha("evacuate", host, *OFF)
        cloud.wait("all but one", lambda: used.outcome(host) == "incomplete")
        for server in (suspended, paused, rebooted, saved):
            assert cloud.wait_status(server, "ACTIVE")[HOST] != host
        assert cloud.wait_status(stopped, "SHUTOFF")[HOST] != host
        shown = cloud.server(on)
        assert (shown[HOST], shown[TASK]) == (host, "powering-on")
        act(cloud, stopped, **{"os-start": None})  # its owner thinks better of it
        there = cloud.wait_status(stopped, "ACTIVE")[HOST]
        cloud.revive(host)
        events = cloud.wait("both are put right", lambda: resets(used, 2))
        assert {event["server_name"] for event in events} == {"stopped", "suspended"}
        for server in servers:
            assert cloud.wait_status(server, "ACTIVE")
        assert cloud.host(stopped) == there
    for server in servers:
        guests = [h for h in HOSTS if server in cloud.hardware.guests(h)]
        assert guests == [cloud.host(server)]


def resets(used: Trigger, wanted: int) -> list[dict[str, str]]:
    events = used.json("history", "events", "--kind", "server.reset")
    return events if len(events) == wanted else []
