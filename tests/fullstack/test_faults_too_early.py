# SPDX-License-Identifier: Apache-2.0
"""Hosts come back before their servers are recovered."""

import pytest

from nova_ha_scheduler.reasons import Reason
from nova_ha_scheduler.records.server_recovery import ServerState
from tests.lib.stack.fleet import Fleet

pytestmark = pytest.mark.stand_ins("real/test_in_the_middle.py shows more.")

A, B = "nfs-a", "nfs-b"


def test_dead_hosts_come_back_early(fleet: Fleet) -> None:
    """Two before Nova was told of their death, two in the middle: what was not
    evacuated stays, with the reason, and nothing runs twice."""
    fleet.spoilt = True
    some, others = fleet.kill(A), fleet.kill(B)
    hosts = some.hosts + others.hosts
    fleet.early |= set(hosts)
    some.told("host.fencing")
    for host in some.hosts:
        fleet.stack.machines[host].start()
    others.progress(4)
    for host in others.hosts:
        fleet.stack.machines[host].start()
    for death in (some, others):
        fleet.ended(death)
        for server in death.servers():
            stays = server.reason in (Reason.HOST_RETURNED, Reason.GONE)
            assert server.state is ServerState.RECOVERED or stays, server
    for host in hosts:
        # It cleans up after what had ended when it started, and no more.
        fleet.stack.machines[host].crash()
    fleet.back(*hosts)
    fleet.check()
