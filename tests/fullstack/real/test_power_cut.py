# SPDX-License-Identifier: Apache-2.0
"""A host loses its power: what becomes of disks, volumes, ports and config drives."""

from collections.abc import Callable

import pytest

from tests.fullstack.conftest import check, ended, recovered
from tests.lib.real import disks
from tests.lib.real.stack import RealStack
from tests.lib.stack import servers, truth
from tests.lib.stack.evacuator import Trigger

pytestmark = pytest.mark.real

ZONE, HOST = "nfs-a", "a1"


@pytest.mark.short
def test_volumes_and_a_port(real: RealStack, trigger: Callable[..., Trigger]) -> None:
    """One server's root is on the zone's storage; one's is a volume, and has another
    volume, a port and a config drive. Both boot from the disk that they had, and what
    they had written is there; the port is bound at the new host."""
    ours = trigger()
    (plain,) = servers.boot(real, HOST, 1)
    volumes = [real.volume(ZONE, image=True), real.volume(ZONE)]
    port = real.port()
    server = real.boot_from(HOST, *volumes, ports=[port], config_drive=True)
    assert real.standing([plain, server]) == []
    before = {path: disks.read(path) for path in real.disks_of(server)}
    assert len(before) == 2
    first = real.attached(volumes[0])

    ours.service().start()
    real.machines[HOST].kill()
    found = recovered(real, ours, HOST)
    check(real, [found], {plain, server})

    there = real.host(server)
    for path, old in before.items():
        now = disks.read(path)
        assert now is not None
        assert old is not None
        assert (now.boot, now.beats > old.beats) == (2, True), path
    bound = real.openstack().network.get_port(port)
    assert (bound.status, bound.binding_host_id) == ("ACTIVE", there)
    for volume in volumes:
        assert real.attached(volume)["instance"] == server
    assert real.attached(volumes[0])["id"] != first["id"], "it is a new one"
    guest = real.xml(server, there)
    assert all(f"volume-{volume}" in guest for volume in volumes)
    assert "device='cdrom'" in guest, "the config drive"
    assert f"tap{port[:11]}" in guest


def test_what_does_not_run(real: RealStack, trigger: Callable[..., Trigger]) -> None:
    """What is stopped is evacuated and off in the end: Nova starts it at its new host,
    and stops it at once; it may come so far as to boot. Nova evacuates nothing that is
    paused or suspended: it is left, with that reason, and its disk is as it was, until
    a person has set its state, as docs/runbook.md says."""
    ours = trigger()
    ids = servers.boot(real, HOST, 3)
    stopped, *left = sorted(ids)
    compute = real.openstack().compute
    servers.stop(real, [stopped])
    compute.pause_server(left[0])
    compute.suspend_server(left[1])
    real.wait_status(left[0], "PAUSED")
    real.wait_status(left[1], "SUSPENDED")
    before = {server: disks.read(real.disks.of(server)[0]) for server in ids}
    ours.service().start()
    real.machines[HOST].kill()
    found = ended(real, ours, HOST)
    rows = {row["server"]: row for row in found["servers"]}
    assert rows[stopped]["outcome"] == "recovered"
    for server, word in zip(left, ("paused", "suspended"), strict=True):
        assert (rows[server]["outcome"], word in rows[server]["reason"]) == (
            "left",
            True,
        )
    assert real.server(stopped)["status"] == "SHUTOFF"
    assert all(real.runs_on(server) == set() for server in ids)
    after = {server: disks.read(real.disks.of(server)[0]) for server in ids}
    assert [after[server] for server in left] == [before[server] for server in left]
    once, then = before[stopped], after[stopped]
    assert once is not None
    assert then is not None
    assert then.boot - once.boot in (0, 1), "started once at most, and stopped"
    assert then.beats - once.beats < 15
    for server in left:
        action = {"os-resetState": {"state": "error"}}
        real.nova("POST", f"/servers/{server}/action", action).raise_for_status()
    ours.nova_ha("retry", HOST, "--by", "tests", "--reason", "their state is set")
    found = recovered(real, ours, HOST)
    for server in left:
        assert real.host(server) != HOST
        print(real.server(server)["status"])
    assert (
        truth.breaches(truth.facts(real.records(), real.switched()), [found], ids) == []
    )
