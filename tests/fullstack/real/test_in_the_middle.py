# SPDX-License-Identifier: Apache-2.0
"""Something else happens to hosts while servers are being recovered."""

from collections.abc import Callable, Collection
from typing import Any

import pytest

from nova_ha_scheduler.journal.history import HistoryQuery
from nova_ha_scheduler.reasons import Reason
from tests.fullstack.conftest import check, recovered
from tests.lib.real import disks
from tests.lib.real.disks import Mark
from tests.lib.real.stack import RealStack
from tests.lib.stack import servers, truth
from tests.lib.stack.evacuator import Trigger
from tests.lib.stack.faults import BadAnswers, injected
from tests.lib.stack.heal import CleaningUp

pytestmark = pytest.mark.real

ZONE, HOST = "nfs-a", "a1"
SMALL = {
    "guard": {"max_zone_percent": 100, "max_cloud_percent": 100},
    "evacuation": {"retry_interval": 2},
}
"""Two of three hosts of a zone die."""
STAYS = {reason.value for reason in (Reason.HOST_RETURNED, Reason.GONE)}


def under_way(real: RealStack, ids: Collection[str]) -> dict[str, str]:
    """The hosts that are at work on servers, by the server's id."""
    path = "/os-migrations?migration_type=evacuation&status=pre-migrating"
    found = real.nova("GET", path).json()["migrations"]
    at_work = {m["instance_uuid"]: m["dest_compute"] for m in found}
    return {server: host for server, host in at_work.items() if server in ids}


def written(real: RealStack, ids: Collection[str]) -> dict[str, Mark | None]:
    """What is on the root disk of each."""
    return {server: disks.read(real.disks_of(server)[0]) for server in ids}


def broken(
    real: RealStack, found: dict[str, Any], ids: Collection[str], early: bool = False
) -> list[str]:
    """The rules that were broken, and what the disks say against it.

    :param early: the host was on again before its servers had left it.
    """
    facts = truth.facts(real.records(), real.switched())
    hosts = {HOST} if early else set()
    return [
        *truth.breaches(facts, [found], set(ids), early=hosts),
        *real.disks.breaches,
    ]


def let_in(real: RealStack, ours: Trigger, host: str) -> None:
    """Return when the trigger has opened a host that is back; its operator starts its
    nova-compute again where the trigger asks for that."""
    cleaning_up = CleaningUp(8)

    def open_() -> bool:
        found = ours.shown(host)[0]
        if "restart it there if this lasts" in found["reason"]:
            cleaning_up.awaited(real.machines[host], host)
        return bool(found["ended"])

    real.wait(f"{host} is let in", open_)


def test_its_destination_dies(real: RealStack, trigger: Callable[..., Trigger]) -> None:
    """It loses its power before it has started the guests. They are recovered on the
    zone's last host, from the same disks: two on the zone's storage, one on a volume,
    with a port. When the first host is back, its nova-compute has to be started twice:
    Nova cleans up after one record for each server, and some have two."""
    plain = servers.boot(real, HOST, 2)
    port = real.port()
    volume = real.boot_from(HOST, real.volume(ZONE, image=True), ports=[port])
    ids = plain | {volume}
    assert real.standing(ids) == []
    real.rebuild_seconds(20)
    ours = trigger(conf=SMALL)
    ours.service().start()
    real.machines[HOST].kill()
    at_work = real.wait("it is at work", lambda: under_way(real, ids))
    there = next(iter(at_work.values()))
    real.machines[there].kill()
    real.rebuild_seconds(0)
    found = recovered(real, ours, HOST)
    check(real, [found], ids)
    (last,) = {real.host(server) for server in ids}
    assert last not in (HOST, there)
    assert real.openstack().network.get_port(port).binding_host_id == last
    reasons = [e["reason"] for e in found["events"] if e["kind"] == "server.stranded"]
    assert any(f"{there} died in the middle" in reason for reason in reasons)
    for host in (HOST, there):
        real.machines[host].start()
        let_in(real, ours, host)
    assert real.standing(ids) == []
    assert real.openstack().network.get_port(port).binding_host_id == last
    assert {server: real.runs_on(server) for server in ids} == dict.fromkeys(
        ids, {last}
    )


def test_back_before_the_proof(
    real: RealStack, trigger: Callable[..., Trigger]
) -> None:
    """Its fence device does not answer, and it is on again before that does. Nothing is
    fenced and nothing evacuated; its guests are off, and on when their owners start
    them, from the disks that they had."""
    ids = servers.boot(real, HOST, 2)
    assert real.standing(ids) == []
    ours = trigger(conf={"fencing": {"power_off_timeout": 5}})
    ours.service().start()
    with injected(BadAnswers("redfish", "answer"), real):
        real.machines[HOST].kill()
        told = HistoryQuery(host=HOST, outcome="host.fencing")
        real.wait("it is to be fenced", lambda: ours.history().events(told))
        before = written(real, ids)
        real.machines[HOST].start()
        real.wait("it is over", lambda: ours.shown(HOST)[0]["ended"])
    found = ours.shown(HOST)[0]
    assert [e["kind"] for e in found["events"]][-1] == "host.cleared", found
    assert found["servers"] == []
    assert real.switched()[-1]["event"] == "on", "nobody has cut its power since"
    assert under_way(real, ids) == {}
    assert real.machines[HOST].alive
    for server in ids:
        real.wait_status(server, "SHUTOFF")
        assert real.host(server) == HOST
    assert written(real, ids) == before
    for server in ids:
        real.nova("POST", f"/servers/{server}/action", {"os-start": None})
    for server in ids:
        real.wait_status(server, "ACTIVE")
    assert real.standing(ids) == []
    assert {real.boot_number(server) for server in ids} == {2}
    assert broken(real, found, ids) == []


def test_back_in_the_middle(real: RealStack, trigger: Callable[..., Trigger]) -> None:
    """It is on again when one of its servers has landed, the next is on its way, and
    the others wait. It starts none. What is on its way lands; where its old host has
    written into Nova's record that it is off, Nova stops it there, and the trigger
    starts it again. What waits stays, with that reason, and its owner starts it."""
    ids = servers.boot(real, HOST, 4)
    assert real.standing(ids) == []
    real.rebuild_seconds(8)
    ours = trigger(conf={"evacuation": {"max_in_flight": 1}})
    ours.service().start()
    real.machines[HOST].kill()

    landed = HistoryQuery(host=HOST, outcome="server.landed")
    real.wait("one has landed", lambda: ours.history().events(landed))
    real.machines[HOST].start()
    let_in(real, ours, HOST)
    found = ours.shown(HOST)[0]
    rows = {row["server"]: row for row in found["servers"]}
    assert set(rows) == ids
    moved = {server for server, row in rows.items() if row["outcome"] == "recovered"}
    stays = ids - moved
    assert moved
    assert stays
    for server in stays:
        assert rows[server]["reason"] in STAYS, rows[server]
        assert real.host(server) == HOST
        real.nova("POST", f"/servers/{server}/action", {"os-start": None})
    for server in ids:
        real.wait_status(server, "ACTIVE")
        assert real.runs_on(server) == {real.host(server)}
    assert real.standing(ids) == []
    boots = {server: real.boot_number(server) for server in ids}
    assert {boots[server] for server in stays} == {2}
    assert {boots[server] for server in moved} <= {2, 3}
    assert broken(real, found, ids, early=True) == []
