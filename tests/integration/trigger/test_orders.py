# SPDX-License-Identifier: Apache-2.0
"""A real Nova: whether a server that has landed runs is what its users ordered last."""

from tests.integration.trigger.conftest import boot_on  # isort: skip

import threading
import time
from typing import Any

import pytest

from tests.integration.trigger.conftest import MakeTrigger
from tests.lib.cloud import Cloud
from tests.lib.cloud.driver import Driver

BY = ("--by", "J. Doe", "--reason", "pulled both cords")


def _act(cloud: Cloud, server: str, **action: Any) -> None:
    answer = cloud.nova("POST", f"/servers/{server}/action", action)
    assert answer.ok, answer.text


def _shows(cloud: Cloud, server: str, status: str) -> bool:
    shown = cloud.server(server)
    return shown["status"] == status and shown["OS-EXT-STS:task_state"] is None


def test_somebodys_evacuation_failed_before(
    cloud: Cloud, flavor: str, trigger: MakeTrigger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nova leaves both in ERROR without power: one ran before that, one did not."""
    ran, off = ids = boot_on(cloud, "node3", flavor, "ran", "off")
    _act(cloud, off, **{"os-stop": None})
    cloud.wait("off", lambda: _shows(cloud, off, "SHUTOFF"))
    cloud.crash("node3")
    cloud.force_down("node3")
    with monkeypatch.context() as patched:
        patched.setattr(Driver, "spawn", _broken)
        for server in ids:
            _act(cloud, server, evacuate={"host": "node5"})
        for server in ids:
            cloud.wait("failed", lambda s=server: _shows(cloud, s, "ERROR"))
    configured = trigger()
    order = ("evacuate", "node3", "--confirm-fenced", "--wait", *BY)
    done = configured.json(*order)
    assert {row["outcome"] for row in done if row["server"] in ids} == {"recovered"}
    assert cloud.server(ran)["status"] == "ACTIVE"
    assert cloud.server(off)["status"] == "SHUTOFF"


def _broken(*_: Any, **__: Any) -> None:
    raise RuntimeError("the hypervisor could not start the guest")


def test_its_owner_stops_what_has_just_landed(
    cloud: Cloud, flavor: str, trigger: MakeTrigger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The check of the one waits for the other, which takes longer."""
    quick, slow = ids = boot_on(cloud, "node3", flavor, "quick", "slow")
    spawn = Driver.spawn

    def slowly(
        self: Driver, context: Any, instance: Any, *rest: Any, **more: Any
    ) -> None:
        time.sleep(12 if instance.uuid == slow else 0)
        spawn(self, context, instance, *rest, **more)

    monkeypatch.setattr(Driver, "spawn", slowly)
    cloud.crash("node3")
    cloud.force_down("node3")
    configured = trigger()
    order = ("evacuate", "node3", "--confirm-fenced", "--wait", *BY)
    done: list[Any] = []
    helper = threading.Thread(target=lambda: done.extend(configured.json(*order)))
    helper.start()

    def landed() -> bool:
        return cloud.host(quick) != "node3" and _shows(cloud, quick, "ACTIVE")

    cloud.wait("landed", landed)
    _act(cloud, quick, **{"os-stop": None})
    helper.join()
    assert {row["outcome"] for row in done if row["server"] in ids} == {"recovered"}
    cloud.wait("stopped", lambda: _shows(cloud, quick, "SHUTOFF"))
    actions = cloud.nova("GET", f"/servers/{quick}/os-instance-actions").json()
    said = [action["action"] for action in actions["instanceActions"]]
    assert said == ["stop", "evacuate", "create"]
    events = configured.json("history", "events", "--server", quick)
    words = "it stays stopped, as its users, or Nova by itself, have stopped it last"
    assert words in {
        event["how"] for event in events if event["kind"] == "server.recovered"
    }
