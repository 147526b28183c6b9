# SPDX-License-Identifier: Apache-2.0
"""What owners do while their servers are being recovered."""

import pytest

from nova_ha_scheduler.reasons import Reason
from nova_ha_scheduler.records.server_recovery import ServerState
from tests.lib.stack import servers
from tests.lib.stack.fleet import Fleet

pytestmark = pytest.mark.stand_ins("Its owners only talk to nova-api.")

A = "nfs-a"

REBOOTING = "reboot_started"
"""The task state that nova-compute sets when it begins."""


def test_owners_go_on(fleet: Fleet) -> None:
    """Servers are rebooted, resized, deleted, locked and migrated in the middle."""
    last = servers.by_name(fleet.stack, fleet.homes(A)[0])  # asked for in this order
    resized, rebooted, locked, deleted = last[0], last[1], last[-1], last[-3:-1]

    def at_work() -> bool:
        state: str = fleet.stack.server(rebooted)["OS-EXT-STS:task_state"]
        return state == REBOOTING

    def reboot() -> None:
        fleet.stack.rebuild_seconds(30)
        act(fleet, rebooted, {"reboot": {"type": "SOFT"}})
        fleet.wait("it is at work", at_work)

    death = fleet.kill(A, before=reboot)
    # Nova does not know yet that the host is dead.
    compute = fleet.stack.openstack().compute
    bigger = compute.find_flavor(servers.BIGGER, ignore_missing=False)
    act(fleet, resized, {"resize": {"flavorRef": bigger.id}})
    act(fleet, locked, {"lock": None})
    death.progress(2)
    for each in deleted:
        fleet.delete(each)
    done = [s.server for s in death.servers() if s.landed_at is not None]
    act(fleet, done[0], {"os-migrateLive": {"host": None, "block_migration": "auto"}})
    fleet.ended(death)
    fate = {server.server: server for server in death.servers()}
    assert set(fate) == fleet.ids[A]
    assert fate[resized].reason is Reason.TASK_STATE, fate[resized]
    for each in deleted:
        gone = fate[each].reason is Reason.GONE
        assert gone or fate[each].state is ServerState.RECOVERED, fate[each]
    others = fleet.ids[A] - fleet.deleted - {resized}
    states = {fate[each].state for each in others}
    assert states == {ServerState.RECOVERED}, fate
    fleet.stack.wait_status(done[0], "ACTIVE")
    assert death.told("host.incomplete").reason.endswith(fate[resized].name)
    fleet.check()
    # What was to be resized is half-way when its host is back; its owner gives it up.
    fleet.back(*death.hosts)
    fleet.delete(resized)


def act(fleet: Fleet, server: str, action: dict[str, object]) -> None:
    answer = fleet.stack.nova("POST", f"/servers/{server}/action", action)
    assert answer.ok, answer.text
