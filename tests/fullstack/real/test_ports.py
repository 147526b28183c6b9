# SPDX-License-Identifier: Apache-2.0
"""Ports that neutron does not bind at the new host, or that nobody sets up there."""

from collections.abc import Callable, Iterator

import pytest

from tests.fullstack.conftest import check, ended, recovered
from tests.lib.real.networks import Networks
from tests.lib.real.stack import RealStack
from tests.lib.stack import servers
from tests.lib.stack.evacuator import Trigger

pytestmark = pytest.mark.real

ZONE, HOST, OTHER, RESERVE = "nfs-a", "a1", "a2", "a9"
CONF = {"evacuation": {"retry_interval": 2, "attempts": 2, "check_time": 20}}
WHY = (
    "migration record failed: Unexpected vif_type=binding_failed (neutron cannot bind "
    "a port of it at that host: see whether the agent there is alive, and its network "
    "there; openstack network agent list)"
)


@pytest.fixture
def networks(real: RealStack) -> Iterator[Networks]:
    found = real.services.networks
    yield found
    found.heal()


def with_a_port(real: RealStack) -> tuple[str, str]:
    """A new server, and its port."""
    port = real.port()
    server = real.boot_from(HOST, real.volume(ZONE, image=True), ports=[port])
    assert real.standing([server]) == []
    return server, port


def bound(real: RealStack, port: str) -> tuple[str, str]:
    found = real.openstack().network.get_port(port)
    return found.binding_host_id, found.status


def test_one_host_gets_none(
    real: RealStack, trigger: Callable[..., Trigger], networks: Networks
) -> None:
    """The evacuation fails there, as Nova says a moment later, and the next one goes to
    another host. A server without ports is there at once."""
    (plain,) = servers.boot(real, HOST, 1)
    server, port = with_a_port(real)
    ours = trigger(conf=CONF)
    ours.service().start()
    networks.refused.write_text(RESERVE)
    real.machines[HOST].kill()
    found = recovered(real, ours, HOST)
    check(real, [found], {plain, server})
    reasons = [e["reason"] for e in found["events"] if e["kind"] == "server.waiting"]
    assert reasons == [f"its evacuation failed and will be tried again: {WHY}"]
    assert real.host(server) == OTHER
    assert bound(real, port) == (OTHER, "ACTIVE")


def test_no_host_gets_one(
    real: RealStack, trigger: Callable[..., Trigger], networks: Networks
) -> None:
    """Each attempt fails, and the history says why, and what to see to. When that is
    mended, an order recovers the server, whose disk is as it was."""
    server, port = with_a_port(real)
    ours = trigger(conf=CONF)
    ours.service().start()
    networks.refused.write_text(f"{RESERVE} {OTHER}")
    real.machines[HOST].kill()
    (row,) = ended(real, ours, HOST)["servers"]
    assert row["outcome"] == "failed"
    assert f"every attempt failed. The last one: {WHY}" in row["reason"]
    assert real.runs_on(server) == set()
    networks.heal()
    ours.nova_ha("retry", HOST, "--by", "tests", "--reason", "the agents are alive")
    found = recovered(real, ours, HOST)
    check(real, [found], {server})
    assert bound(real, port) == (real.host(server), "ACTIVE")
    assert real.boot_number(server) == 2


def test_it_landed_but(
    real: RealStack, trigger: Callable[..., Trigger], networks: Networks
) -> None:
    """Its port is bound at the new host, and nobody there sets it up. The server runs
    and cannot be reached: it is not called recovered until the port is up."""
    server, port = with_a_port(real)
    ours = trigger(conf=CONF)
    ours.service().start()
    networks.down.write_text(f"{RESERVE} {OTHER}")
    real.machines[HOST].kill()
    (row,) = ended(real, ours, HOST)["servers"]
    assert (row["outcome"], row["reason"]) == (
        "failed",
        f"it landed, but port {port} is down",
    )
    there = real.host(server)
    assert bound(real, port) == (there, "DOWN")
    assert real.runs_on(server) == {there}
    assert real.standing([server]) == []
    # Its agent is started, and says that the port is up.
    networks.heal()
    net = real.openstack().network
    for host in ("", there):
        net.update_port(port, binding_host_id=host)
    assert bound(real, port) == (there, "ACTIVE")
    print(
        ours.nova_ha("retry", HOST, "--by", "tests", "--reason", "the agent is alive")
    )
    found = recovered(real, ours, HOST)
    check(real, [found], {server})
