# SPDX-License-Identifier: Apache-2.0
"""No ha=true server that the reserve of its zone could not take.

Each host is empty, but for the memory that Nova keeps for it.
"""

import time

import pytest

from nova_ha_scheduler.admission import published
from nova_ha_scheduler.rules.admission import ReserveHost, ZoneReserve

SHORT = "room on 1 reserve host required, should the host die: "


@pytest.fixture
def publish(tmp_path):
    """Say that a9 has room for so many vCPUs; return the option that names the file."""
    path = tmp_path / "admission.json"

    def write(vcpus, age=0):
        free = {"VCPU": vcpus, "MEMORY_MB": 4096, "DISK_GB": 100}
        zone = ZoneReserve("nfs-a", (ReserveHost("a9", free),))
        published.write(path, time.time() - age, (zone,))
        return {"admission_file": path}

    return write


@pytest.fixture
def enforce(scheduler, publish):
    """A reserve that can take one server of a host."""
    scheduler({"admission": "enforce", **publish(1)})


def test_a_boot_too_much_is_refused_and_the_log_says_why(op, cloud, enforce, log):
    op.boot("a1", flavor="ha")
    assert "No valid host" in op.boot_fails("a1", flavor="ha")
    assert (f"{SHORT}1 host in nfs-a, where 0 of 1 have it (too little VCPU)") in log()
    # Who would not be recovered takes nothing from the reserve.
    op.boot("a1")
    # The next one goes elsewhere by itself; zone nfs-b is not in the file.
    assert cloud.host(op.boot(flavor="ha")) == "a2"
    assert "No valid host" in op.boot_fails(flavor="ha")
    assert (
        f"{SHORT}2 hosts in nfs-a, where 0 of 1 have it (too little VCPU), "
        "1 in nfs-b, of which nothing is published"
    ) in log()


def test_servers_that_are_asked_for_together(op, cloud, enforce):
    """Each counts for the next: two have room, a third one has none."""
    first = op.ask_boot(flavor="ha", min_count=3, max_count=3)
    name = cloud.server(first)["name"].rpartition("-")[0]
    found = cloud.nova("GET", f"/servers?name={name}-").json()["servers"]
    assert len(found) == 3
    for server in found:
        if server["id"] != first:
            op.clean_up(server["id"])
        cloud.wait_status(server["id"], "ERROR")
    servers = op.boot_several(2, flavor="ha")
    assert {cloud.host(uuid) for uuid in servers} == {"a1", "a2"}


def test_a_resize(op, cloud, enforce):
    """On its host, what it was counts until the resize is confirmed."""
    uuid = op.boot("a1")
    assert op.resize(uuid, "ha")
    assert cloud.host(uuid) == "a2"
    other = op.boot("a1")
    assert not op.resize(other, "ha")


def test_an_unshelve(op, cloud, scheduler, publish, log):
    """Whatever else Nova still counts on the hosts: none, and then room for all."""
    uuid = op.boot("a1", flavor="ha")
    op.shelve(uuid)
    scheduler({"admission": "enforce", **publish(0)})
    op.act(uuid, "unshelve")
    refused = f"no host for unshelve of server {uuid}: {SHORT}"
    cloud.wait("the refusal", lambda: refused in log())
    cloud.wait("its end", lambda: cloud.server(uuid)["OS-EXT-STS:task_state"] is None)
    publish(60)
    op.unshelve(uuid)
    assert cloud.host(uuid) in ("a1", "a2")


def test_audit_says_it_and_lets_it_pass(op, scheduler, publish, log):
    scheduler({"admission": "audit", **publish(1)})
    op.boot("a1", flavor="ha")
    assert "HAAdmissionFilter: audit" not in log()
    uuid = op.boot("a1", flavor="ha")
    assert (
        f"HAAdmissionFilter: audit: boot of server {uuid} would get no host: {SHORT}"
    ) in log()


def test_a_file_that_is_too_old(op, scheduler, publish, log):
    """No boot; evacuations and migrations never wait for it."""
    uuid = op.boot("a1", flavor="ha")
    scheduler({"admission": "enforce", **publish(9, age=1000)})
    for _ in range(2):
        assert "No valid host" in op.boot_fails(flavor="ha")
    assert log().count("admission.json is too old. Until") == 1
    assert "knowledge of the reserve required: " in log()
    assert op.live_migrate(uuid, "a2")
    with op.dead("a2"):
        assert op.evacuate(uuid)


def test_a_file_that_is_not_there(op, scheduler, publish, log, tmp_path):
    path = tmp_path / "none.json"
    when = {"admission_file": path, "admission_when_stale": "allow"}
    scheduler({"admission": "enforce", **when})
    op.boot("a1", flavor="ha")
    assert f"{path} cannot be read: No such file or directory" in log()
