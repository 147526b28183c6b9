# SPDX-License-Identifier: Apache-2.0
"""Volumes that a destination cannot reach, or of which cinder still knows too much."""

from collections.abc import Callable, Iterator

import pytest

from tests.fullstack.conftest import check, recovered
from tests.lib.real.stack import RealStack
from tests.lib.stack.evacuator import Trigger

pytestmark = pytest.mark.real

ZONE, HOST, OTHER, RESERVE = "nfs-a", "a1", "a2", "a9"
CONF = {"evacuation": {"retry_interval": 2}}


@pytest.fixture
def export_refused(real: RealStack) -> Iterator[None]:
    """The reserve may not mount the zone's export."""
    mountable = real.machines[RESERVE].place.mountable
    kept = mountable.read_text()
    mountable.write_text("")
    yield
    mountable.write_text(kept)


def test_no_mount_and_a_stale_attachment(
    real: RealStack, trigger: Callable[..., Trigger], export_refused: None
) -> None:
    """The reserve is asked first, fails cleanly, and the zone's other host is asked. Of
    one volume there is an attachment for the same server that nobody uses, as a move
    that died in the middle leaves it: it is in nobody's way, and stays."""
    stale, ordinary = (real.volume(ZONE, image=True) for _ in range(2))
    servers = {real.boot_from(HOST, volume): volume for volume in (stale, ordinary)}
    ids = set(servers)
    assert real.standing(ids) == []
    store = real.openstack().block_storage
    (its,) = (server for server, volume in servers.items() if volume == stale)
    left = {"attachment": {"volume_uuid": stale, "instance_uuid": its}}
    store.post("/attachments", json=left, microversion="3.27").raise_for_status()

    ours = trigger(conf=CONF)
    ours.service().start()
    real.machines[HOST].kill()
    found = recovered(real, ours, HOST)
    check(real, [found], ids)
    waits = [e["reason"] for e in found["events"] if e["kind"] == "server.waiting"]
    why = "migration record failed: ProcessExecutionError (a command failed there"
    assert len(waits) == len(ids)
    assert all(why in reason for reason in waits), waits
    assert any("access denied by server" in text for text in logs(real))
    for server, volume in servers.items():
        assert real.host(server) == OTHER
        assert real.attached(volume)["instance"] == server
        assert real.boot_number(server) == 2
    states = [a.status for a in store.attachments(details=True, volume_id=stale)]
    assert sorted(states) == ["attached", "reserved"]


def logs(real: RealStack) -> list[str]:
    """Of all nova-computes."""
    return [
        machine.log.read_text(errors="replace") for machine in real.machines.values()
    ]
