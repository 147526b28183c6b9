# SPDX-License-Identifier: Apache-2.0
"""What becomes of servers whose volumes and ports are in the hands of services that die
in the middle of their recovery."""

from collections.abc import Callable, Collection
from functools import partial

import pytest

from nova_ha_scheduler.journal.history import HistoryQuery
from tests.fullstack.conftest import check, recovered
from tests.lib.real.stack import RealStack
from tests.lib.stack import servers
from tests.lib.stack.evacuator import Trigger
from tests.lib.stack.faults import Outage, injected

pytestmark = pytest.mark.real

ZONE, HOST = "nfs-a", "a1"
QUICK = {"evacuation": {"retry_interval": 2, "attempts": 5}}


def on_a_volume(real: RealStack) -> str:
    """A new server, with a port, too."""
    root = real.volume(ZONE, image=True)
    made = real.boot_from(HOST, root, ports=[real.port()])
    assert real.standing([made]) == []
    return made


def tried_again(real: RealStack, ours: Trigger) -> str:
    """Wait until an evacuation has failed; return why."""
    waits = HistoryQuery(host=HOST, outcome="server.waiting")

    def why() -> str | None:
        reasons = [event.reason for _, event in ours.history().events(waits)]
        return next((r for r in reasons if "evacuation failed" in r), None)

    return real.wait("it has failed once", why)


def test_cinder_is_dead(real: RealStack, trigger: Callable[..., Trigger]) -> None:
    """The evacuation fails, and the next one after cinder is back does not."""
    server = on_a_volume(real)
    ours = trigger(conf=QUICK)
    ours.service().start()
    with injected(Outage("cinder-api"), real):
        real.machines[HOST].kill()
        tried_again(real, ours)
    check(real, [recovered(real, ours, HOST)], {server})
    assert real.boot_number(server) == 2


def test_neutron_is_dead(real: RealStack, trigger: Callable[..., Trigger]) -> None:
    """It dies when Nova has accepted the evacuations, before its conductor has begun.
    That gives them up, and leaves records and task states as they are, for ever. Once
    neutron is back, the trigger asks what has become of them, and asks anew."""
    (plain,) = servers.boot(real, HOST, 1)
    ids = {plain, on_a_volume(real)}
    gate, conductor = real.gates["compute"], real.handle("nova-conductor")
    ours = trigger(conf=QUICK)
    ours.service().start()
    held = gate.rule("delay", method="POST", body="evacuate", seconds=60)
    real.machines[HOST].kill()
    real.wait("Nova is asked", lambda: held.hits == len(ids))
    conductor.freeze()
    try:
        gate.lift(held)
        real.wait("it has accepted", partial(accepted, real, ids))
        neutron = Outage("neutron")
        neutron.inject(real)
    finally:
        conductor.thaw()
    try:
        gave_up = partial(all_gave_up, real, ids)
        real.wait("its conductor has given up", gave_up)
        shown = real.nova("GET", f"/servers/{plain}")
        assert shown.status_code == 500, "Nova shows nothing without neutron"
    finally:
        neutron.heal(real)
    assert accepted(real, ids)
    for each in ids:
        assert real.server(each)["OS-EXT-STS:task_state"] == "rebuilding"

    found = recovered(real, ours, HOST)
    check(real, [found], ids)
    stranded = [e for e in found["events"] if e["kind"] == "server.stranded"]
    assert {event["server"] for event in stranded} == ids
    why = "Nova has given it up (ConnectFailure). Its state is reset"
    assert all(why in event["reason"] for event in stranded)
    assert {real.boot_number(each) for each in ids} == {2}


def accepted(real: RealStack, ids: Collection[str]) -> bool:
    """Whether each has a record of an evacuation, on which nobody has begun."""
    path = f"/os-migrations?migration_type=evacuation&source_compute={HOST}"
    found = real.nova("GET", path).json()["migrations"]
    ours = {m["instance_uuid"]: m["status"] for m in found if m["instance_uuid"] in ids}
    return ours == dict.fromkeys(ids, "accepted")


def all_gave_up(real: RealStack, ids: Collection[str]) -> bool:
    """Whether the newest action of each server, an evacuation, has failed."""
    newest = []
    for each in ids:
        path = f"/servers/{each}/os-instance-actions"
        newest.append(real.nova("GET", path).json()["instanceActions"][0])
    return all(
        (action["action"], action["message"]) == ("evacuate", "Error")
        for action in newest
    )
