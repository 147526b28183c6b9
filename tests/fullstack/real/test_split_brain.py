# SPDX-License-Identifier: Apache-2.0
"""nova-compute and libvirt of a host are dead, and its guests are alive."""

from collections.abc import Callable

import pytest

from tests.fullstack.conftest import check, ended, recovered
from tests.lib.real import disks
from tests.lib.real.stack import RealStack
from tests.lib.stack import servers, truth
from tests.lib.stack.evacuator import Trigger

pytestmark = pytest.mark.real

ZONE, HOST = "nfs-a", "a1"
IMPATIENT = {"evacuation": {"attempts": 2, "retry_interval": 2}}


def two(real: RealStack) -> tuple[str, str]:
    """A server on the zone's storage, and one on a volume; both run on the host."""
    (plain,) = servers.boot(real, HOST, 1)
    server = real.boot_from(HOST, real.volume(ZONE, image=True))
    assert real.standing([plain, server]) == []
    return plain, server


@pytest.mark.short
def test_fenced_first(real: RealStack, trigger: Callable[..., Trigger]) -> None:
    """The old guests end with the power, and then the new ones begin."""
    ids = two(real)
    ours = trigger()
    ours.service().start()
    real.machines[HOST].split()
    assert set(real.machines[HOST].guests()) == set(ids)
    assert real.standing(ids) == [], "they run on, and nobody rules them"
    found = recovered(real, ours, HOST)
    check(real, [found], {*ids})
    (cut,) = [s for s in real.switched() if (s["host"], s["event"]) == (HOST, "off")]
    assert cut["by"] == "redfish"


@pytest.mark.short
def test_a_device_that_lies(real: RealStack, trigger: Callable[..., Trigger]) -> None:
    """The device says that the power is off, and the guests run. QEMU's lock on each
    disk refuses the second guest: the trigger gives up, and says why as far as Nova
    does. When the power is really off, an order brings them back."""
    ids = two(real)
    ours = trigger(conf=IMPATIENT)
    ours.service().start()
    machine = real.machines[HOST]
    machine.lie("Off")
    machine.split()
    found = ended(real, ours, HOST)
    assert found["outcome"] == "incomplete"
    for row in found["servers"]:
        assert row["outcome"] == "failed"
        assert "every attempt failed. The last one: migration record" in row["reason"]
        assert real.server(row["server"])["status"] == "ERROR"
    assert set(machine.guests()) == set(ids)
    assert real.standing(ids) == [], "the old guests go on"
    boots = {disks.read(disk) for server in ids for disk in real.disks_of(server)}
    assert {mark.boot for mark in boots if mark} == {1}, "no other one has begun"
    assert any('Failed to get "write" lock' in text for text in logs(real))

    machine.lie(None)
    machine.kill()
    why = "the device lied; the host is off now"
    ours.nova_ha("retry", HOST, "--by", "tests", "--reason", why)
    found = recovered(real, ours, HOST)
    facts = truth.facts(real.records(), real.switched())
    broken = truth.breaches(facts, [found], ids)
    lied = [breach for breach in broken if "which had power" in breach]
    assert broken == lied, "but for the lie, all was right"
    assert {len(real.runs_on(server)) for server in ids} == {1}
    assert real.standing(ids) == []


def logs(real: RealStack) -> list[str]:
    """Of all nova-computes."""
    return [
        machine.log.read_text(errors="replace") for machine in real.machines.values()
    ]


def test_hung_but_its_guests(real: RealStack, trigger: Callable[..., Trigger]) -> None:
    """The host hangs, its guests do not, and the device lies. After the thaw the old
    guests are the only ones, and Nova shows them as broken until a person has set their
    state (docs/runbook.md)."""
    ids = two(real)
    ours = trigger(conf=IMPATIENT)
    ours.service().start()
    machine = real.machines[HOST]
    machine.lie("Off")
    machine.hang(guests=False)
    assert ended(real, ours, HOST)["outcome"] == "incomplete"
    machine.lie(None)
    machine.thaw()
    real.wait("it is let in", lambda: ours.shown(HOST)[0]["ended"])
    assert {server: real.runs_on(server) for server in ids} == dict.fromkeys(
        ids, {HOST}
    )
    for server in ids:
        assert real.server(server)["status"] == "ERROR"
        action = {"os-resetState": {"state": "active"}}
        real.nova("POST", f"/servers/{server}/action", action).raise_for_status()
        assert real.wait_status(server, "ACTIVE")["OS-EXT-SRV-ATTR:host"] == HOST
    assert real.standing(ids) == []
    marks = {disks.read(disk) for server in ids for disk in real.disks_of(server)}
    assert {mark.boot for mark in marks if mark} == {1}
