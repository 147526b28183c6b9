# SPDX-License-Identifier: Apache-2.0
"""Hosts come back before their servers are recovered."""

from nova_ha_scheduler.evacuation.records import Reason, ServerState
from tests.stack.fleet import Fleet

A, B = "nfs-a", "nfs-b"


def test_dead_hosts_come_back_early(fleet: Fleet) -> None:
    """One before Nova was told of its death, one in the middle: what was not evacuated
    stays, with the reason, and nothing runs twice."""
    fleet.spoilt = True
    one, two = fleet.kill(A), fleet.kill(B)
    fleet.early |= {one.host, two.host}
    one.told("host.fencing")
    fleet.stack.machines[one.host].start()
    two.progress(4)
    fleet.stack.machines[two.host].start()
    for death in (one, two):
        fleet.ended(death)
        for server in death.servers():
            stays = server.reason in (Reason.HOST_RETURNED, Reason.GONE)
            assert server.state is ServerState.RECOVERED or stays, server
    for death in (one, two):
        # It cleans up after what had ended when it started, and no more.
        fleet.stack.machines[death.host].crash()
    fleet.back(one.host, two.host)
    fleet.check()
