# SPDX-License-Identifier: Apache-2.0
"""A cloud as a short text, and from one line; what is wrong with either is said."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nova_ha_scheduler.cluster import snapshot, synthetic, text
from nova_ha_scheduler.cluster.amounts import amounts
from nova_ha_scheduler.cluster.picture import Picture
from nova_ha_scheduler.cluster.snapshot import BadFile
from nova_ha_scheduler.cluster.synthetic import BadLine

CLOUD = """
hosts:
  node08..node10: {zone: nfs-a, room: "8 vCPU, 32 GiB, 1 CUSTOM_FPGA"}
  spare1: {zone: nfs-a, reserved: true, traits: [CUSTOM_GOLD], az: az2}
  old1: {ha: false, maintenance: true, disabled: "new memory", down: true}
servers:
  web1..web2: {host: node08, needs: "2 vCPU, 8 GiB", priority: 900, recovery: none}
  db1: {host: node09, vcpus: 3, group: db, traits: [CUSTOM_GOLD]}
  db2: {host: node10, group: db, apart: false}
  plain: {host: spare1, ha: null, vm_state: stopped, metadata: {ha:priority: 3}}
"""


def test_text() -> None:
    picture = text.load(CLOUD)
    assert sorted(picture.hosts) == ["node08", "node09", "node10", "old1", "spare1"]
    node, spare, old = (picture.hosts[n] for n in ("node08", "spare1", "old1"))
    assert node.facts.zones == {"nfs-a"}
    assert node.capacity == {"VCPU": 8, "MEMORY_MB": 32768, "CUSTOM_FPGA": 1}
    assert node.free == {"VCPU": 4, "MEMORY_MB": 16384, "CUSTOM_FPGA": 1}
    assert (spare.facts.flags, spare.traits) == ({"ha", "ha:reserved"}, {"CUSTOM_GOLD"})
    assert (spare.availability_zone, spare.free) == ("az2", {"VCPU": 7})
    assert (old.up, old.disabled_reason) == (False, "new memory")
    assert old.facts.flags == {"ha:maintenance"}
    web, db1, plain = (picture.servers[f"uuid-{n}"] for n in ("web2", "db1", "plain"))
    assert web.extra_specs == {
        "ha": "true",
        "ha:priority": "900",
        "ha:recovery": "none",
    }
    assert (db1.group_hosts, db1.traits) == ({"node10"}, {"CUSTOM_GOLD"})
    assert (plain.extra_specs, plain.running) == ({}, False)
    assert plain.metadata == {"ha:priority": "3"}
    assert snapshot.load(snapshot.dump(picture)) == picture


BOMB = (
    "hosts: {n: {down: [&a [x,x,x,x,x,x,x,x,x], "
    + "".join(f"&{b} [{','.join(['*' + a] * 9)}], " for a, b in pairwise("abcdefghij"))
    + "*j]}}"
)
"""Of some hundred characters; written out, it has billions."""


@pytest.mark.parametrize(
    ("cloud", "problem"),
    [
        ("", "no mapping with hosts and servers"),
        ("hosts: [", "it is no YAML: while parsing a flow node, at line 1"),
        ("? [a, b]\n: c\nhosts: {}", "it is no YAML: while constructing a mapping"),
        ("hosts: " + "{a: " * 3000 + "1" + "}" * 3000, "it is nested too deeply"),
        (BOMB, r"hosts.n.down: \[\["),
        ("hosts: {n1..n999999: {}}", "stands for more than 100000 names"),
        (f"hosts: {{n1..n{'9' * 900}: {{}}}}", "stands for more than 100000 names"),
        ("servers: {}", "hosts is no mapping of names"),
        ("hosts: {}", "it has no hosts"),
        ("hosts: {n: {}}\nspares: {}", "spares is not known"),
        ("hosts: [n]", "hosts is no mapping of names"),
        ("hosts: {n: 3}", "hosts.n is no mapping of keys"),
        ("hosts: {n: {zones: a}}", "hosts.n.zones is not known: az, "),
        ("hosts: {n: {down: 3}}", "hosts.n.down: 3 is no boolean"),
        ("hosts: {n: {room: true}}", "hosts.n.room: True is no text or number"),
        ("hosts: {n: {room: 8 GB}}", "'8 GB' is no amount"),
        ("hosts: {n: {room: '8 GiB, 9 MiB'}}", "'9 MiB' is no amount"),
        ("hosts: {n1..n3: {}, n2: {}}", "n2 was there before"),
        ("hosts: {n3..n1: {}}", "n3..n1: it begins after its end"),
        ("hosts: {n: {}}\nservers: {s: {}}", "servers.s: host is missing"),
        ("hosts: {n: {}}\nservers: {s: {host: m}}", "s: there is no host m"),
        (
            "hosts: {n: {}}\nservers: {s: {host: n, needs: 1 GiB}}",
            "hosts.n: its servers take MEMORY_MB, and it has none",
        ),
    ],
)
def test_bad_text(cloud: str, problem: str) -> None:
    with pytest.raises(BadFile, match=problem):
        text.load(cloud)


def test_amounts() -> None:
    found = amounts("64 vCPU, 1 TiB, 20 GiB disk, 2 PCPU, 3 VGPU")
    expected = {"VCPU": 64, "MEMORY_MB": 1048576, "DISK_GB": 20, "PCPU": 2, "VGPU": 3}
    assert found == expected


LINE = "4 zones of 25 hosts of 64 vCPU, 512 GiB, 2 reserved each, 70 % full"


def _used(picture: Picture, name: str, what: str) -> int:
    on = (s for s in picture.servers.values() if s.host == name)
    return sum(server.needs[what] for server in on)


def test_a_line() -> None:
    picture = synthetic.parse(LINE)
    assert len(picture.hosts) == 100
    assert {z for h in picture.hosts.values() for z in h.facts.zones} == {
        "zone1",
        "zone2",
        "zone3",
        "zone4",
    }
    reserve = [h for h in picture.hosts.values() if "ha:reserved" in h.facts.flags]
    assert len(reserve) == 8
    assert all(h.free == h.capacity for h in reserve)
    for name, host in picture.hosts.items():
        assert host.capacity == {"VCPU": 64, "MEMORY_MB": 524288}
        used = _used(picture, name, "VCPU")
        assert host.free is not None
        assert host.free["VCPU"] == 64 - used
        if host not in reserve:
            assert 64 * 0.7 - 8 < used <= 64 * 0.7
    assert {s.needs["VCPU"] for s in picture.servers.values()} == set(range(2, 9))


def test_the_same_line_is_the_same_cloud() -> None:
    assert snapshot.dump(synthetic.parse(LINE)) == snapshot.dump(synthetic.parse(LINE))
    assert synthetic.parse(f"{LINE}, seed 7") != synthetic.parse(LINE)


def test_a_line_with_all() -> None:
    line = (
        "5 hosts with 8 vCPU, 16 GiB, 1 under maintenance each, 1 reserved, "
        "90% full, servers of 1 vCPU, 1-3 GiB, 50 % protected, seed 3"
    )
    picture = synthetic.parse(line)
    assert sorted(picture.hosts)[0] == "zone1-host1"
    flags = [sorted(h.facts.flags) for _, h in sorted(picture.hosts.items())]
    assert flags == [["ha"]] * 3 + [["ha", "ha:maintenance"], ["ha", "ha:reserved"]]
    servers = picture.servers.values()
    assert {s.needs["VCPU"] for s in servers} == {1}
    assert {s.extra_specs["ha"] for s in servers} == {"true", "false"}


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("", "'' is not understood"),
        ("4 zones", "'4 zones' is not understood. A line is made of: 4 zones of 25"),
        ("70 % full", "it has no hosts"),
        ("5 hosts", "the hosts have no size"),
        ("5 hosts of 8 cores", "'8 cores' is not understood"),
        ("5 hosts of 8-9 vCPU", "one number"),
        ("5 hosts of 8 vCPU, 8 vCPU", "'8 vCPU' is not understood"),
        ("5 hosts of 8 vCPU, 6 hosts of 8 vCPU", "'6 hosts of 8 vCPU': that was said"),
        ("2 hosts of 8 vCPU, 2 reserved", "no host of a zone is left"),
        ("2 hosts of 8 vCPU, 101 % full", "a share is 100 % at most"),
        ("2 hosts of 8 vCPU, servers of 1 GiB", "servers take MEMORY_MB, but hosts"),
        ("2 hosts of 8 vCPU, servers of 0-1 vCPU", "takes nothing"),
        ("2 hosts of 8 GiB, 50 % full", "the size of the servers is not said"),
        ("0 hosts of 8 vCPU", "it has no hosts"),
    ],
)
def test_bad_lines(line: str, problem: str) -> None:
    with pytest.raises(BadLine, match=problem):
        synthetic.parse(line)


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=40))
def test_any_text_is_a_cloud_or_said_to_be_none(words: str) -> None:
    for read, error in ((synthetic.parse, BadLine), (text.load, BadFile)):
        try:
            read(words)
        except error:
            continue
