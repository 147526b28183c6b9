# SPDX-License-Identifier: Apache-2.0
"""A cloud as a file: it comes back as it was, or says what is wrong with the file."""

import json
import os
import stat
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nova_ha_scheduler.cli import plan_file
from nova_ha_scheduler.cluster import snapshot, synthetic
from nova_ha_scheduler.cluster.anonymise import anonymise
from nova_ha_scheduler.cluster.picture import Host, Migration, Picture, Server
from nova_ha_scheduler.cluster.providers import Inventory, Portion, Provider
from nova_ha_scheduler.cluster.snapshot import BadFile
from nova_ha_scheduler.evacuation.options import Options
from nova_ha_scheduler.rules.terms import HostFacts

HOST = Host(
    "compute-secret",
    facts=HostFacts.of([{"storage_zone": "acme-nfs", "ha": "acme-perhaps"}]),
    up=False,
    forced_down=True,
    disabled=True,
    disabled_reason="acme pulled the plug",
    updated_at=12.5,
    availability_zone="acme-az",
    free={"VCPU": 3, "CUSTOM_ACME_FPGA": 1},
    capacity={"VCPU": 8, "CUSTOM_ACME_FPGA": 2},
    traits=frozenset({"HW_CPU_X86_AVX", "CUSTOM_ACME_GOLD"}),
    providers=(
        Provider({"VCPU": Inventory(8, 5, 4)}, frozenset({"HW_CPU_X86_AVX"})),
        Provider(
            {"CUSTOM_ACME_FPGA": Inventory(2, 1, step_size=2)},
            frozenset({"CUSTOM_ACME_GOLD"}),
        ),
    ),
)
SERVER = Server(
    "0d5b2f5e-1111-4f4f-8a8a-123456789abc",
    "acme-payroll",
    "compute-secret",
    vm_state="error",
    task_state="rebuilding",
    extra_specs={"ha": "true", "ha:priority": "acme", "acme:flavor": "acme-spec"},
    metadata={"ha:recovery": "none", "acme-owner": "acme-ann"},
    needs={"VCPU": 2, "CUSTOM_ACME_FPGA": 1},
    refused_by_nova="port acme-port has an accelerator",
    refused_live="acme-live",
    refused_cold="acme-cold",
    traits=frozenset({"CUSTOM_ACME_GOLD"}),
    forbidden_traits=frozenset({"CUSTOM_ACME_SLOW"}),
    availability_zone="acme-az",
    group="acme-group-id",
    group_hosts=frozenset({"compute-other"}),
    portions=(
        Portion(
            {"CUSTOM_ACME_FPGA": 1},
            frozenset({"CUSTOM_ACME_GOLD"}),
            frozenset({"CUSTOM_ACME_SLOW"}),
        ),
    ),
)
RECORD = Migration(7, SERVER.uuid, "compute-secret", "compute-other", "done")


def _picture() -> Picture:
    other = Host("compute-other", capacity={"VCPU": 4})
    return snapshot.picture(99.5, [HOST, other], [SERVER], [RECORD])


def test_there_and_back() -> None:
    assert snapshot.load(snapshot.dump(_picture())) == _picture()


def test_one_that_knows_sums_alone() -> None:
    """As versions have kept it that knew no resource providers."""
    found = json.loads(snapshot.dump(_picture()))
    (host,) = (one for one in found["hosts"] if one["name"] == HOST.name)
    (server,) = found["servers"]
    del host["providers"], server["portions"]
    picture = snapshot.load(json.dumps(found))
    assert picture.hosts[HOST.name] == replace(HOST, providers=())
    assert picture.servers[SERVER.uuid] == replace(SERVER, portions=())


def _records(cls: Any, key: str) -> Any:
    words = st.text(max_size=6)
    amounts = st.none() | st.dictionaries(words, st.integers(), max_size=2)
    facts = st.builds(
        HostFacts,
        st.frozensets(words, max_size=2),
        st.frozensets(words, max_size=2),
        st.just(()) | st.just((("ha", "ha='?' is no boolean"),)),
    )
    st.register_type_strategy(float, st.floats(allow_nan=False, allow_infinity=False))
    kinds = {"free": amounts, "capacity": amounts, "facts": facts}
    if cls is Server:
        kinds = {"missing": st.none()}
    return st.lists(
        st.builds(cls, **kinds), max_size=4, unique_by=lambda r: getattr(r, key)
    )


@settings(max_examples=60, deadline=None)
@given(_records(Host, "name"), _records(Server, "uuid"), st.builds(Migration))
def test_whatever_it_holds_comes_back(
    hosts: list[Host], servers: list[Server], record: Migration
) -> None:
    picture = snapshot.picture(1.0, hosts, servers, [record])
    text = snapshot.dump(picture)
    assert snapshot.load(text) == picture
    assert snapshot.dump(snapshot.load(text)) == text


def _changed(*path: Any, to: Any = None) -> str:
    found = json.loads(snapshot.dump(_picture()))
    place = found
    for key in path[:-1]:
        place = place[key]
    if to is None:
        del place[path[-1]]
    else:
        place[path[-1]] = to
    return json.dumps(found)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "it is no JSON, or only a part of it"),
        (snapshot.dump(_picture())[:-40], "it is no JSON, or only a part of it"),
        ("[]", "it has no schema nova-ha-snapshot"),
        (_changed("schema", to="cloud"), "it has no schema nova-ha-snapshot"),
        (_changed("version", to=2), "its version is 2; this program reads 1 alone"),
        (_changed("version"), "its version is null"),
        (_changed("servers"), "servers is missing"),
        (_changed("taken_at", to="now"), 'taken_at: "now" is no number'),
        (_changed("hosts", to={}), "hosts: {} is no list"),
        (_changed("hosts", 0, "name"), r"hosts\[0\]: name is missing"),
        (_changed("hosts", 0, "size", to=3), r"hosts\[0\]: size is not known"),
        (_changed("hosts", 0, "up", to="yes"), r'hosts\[0\].up: "yes" is no boolean'),
        (
            _changed("servers", 0, "needs", "VCPU", to="2"),
            r'servers\[0\].needs.VCPU: "2" is no whole number',
        ),
        (
            _changed("servers", 0, "needs", "VCPU", to=True),
            r"servers\[0\].needs.VCPU: true is no whole number",
        ),
        (_changed("servers", 0, "traits", 0, to=1), r"traits\[0\]: 1 is no text"),
        (_changed("hosts", 0, "name", to="compute-secret"), "two hosts compute-sec"),
        ('{"schema": "nova-ha-snapshot", "taken_at": NaN}', "NaN is no number"),
    ],
)
def test_what_is_wrong_is_said(text: str, problem: str) -> None:
    with pytest.raises(BadFile, match=problem):
        snapshot.load(text)


def test_nothing_of_the_original_is_left() -> None:
    text = snapshot.dump(anonymise(_picture())).lower()
    for word in ("acme", "secret", "compute-other", "0d5b2f5e", "payroll", "plug"):
        assert word not in text
    kept = snapshot.load(snapshot.dump(anonymise(_picture())))
    host, server = kept.hosts["host2"], next(iter(kept.servers.values()))
    assert (host.facts.zones, host.facts.flags) == ({"zone1"}, frozenset())
    assert [key for key, _ in host.facts.bad] == ["ha"]
    assert host.traits == {"HW_CPU_X86_AVX", "CUSTOM_TRAIT_1"}
    assert host.free == {"VCPU": 3, "CUSTOM_RESOURCE_1": 1}
    assert server.extra_specs == {"ha": "true", "ha:priority": "unreadable"}
    assert server.metadata == {"ha:recovery": "none"}
    assert (server.host, server.group_hosts) == ("host2", {"host1"})
    (record,) = kept.migrations
    assert (record.server, record.destination) == (server.uuid, "host1")


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1000))
def test_the_plan_of_an_anonymous_cloud_is_the_same(seed: int) -> None:
    line = f"2 zones of 4 hosts of 8 vCPU, 1 reserved each, 70 % full, seed {seed}"
    cloud = synthetic.parse(line)
    hidden = anonymise(cloud)
    name = dict(zip(sorted(cloud.hosts), sorted(hidden.hosts), strict=True))
    for host in cloud.hosts:
        plain = plan_file.make(cloud, Options(), [host]).steps
        secret = plan_file.make(hidden, Options(), [name[host]]).steps
        assert [(s.outcome, s.destination and name[s.destination]) for s in plain] == [
            (s.outcome, s.destination) for s in secret
        ]


def test_written_for_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "cloud.json"
    file.write_text("old")
    file.chmod(0o644)
    snapshot.write(file, "new")
    assert file.read_text() == "new"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert os.listdir(tmp_path) == ["cloud.json"]


def test_what_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match=f"{tmp_path}/no/cloud.json: No such file"):
        snapshot.write(tmp_path / "no" / "cloud.json", "new")
    (tmp_path / "folder").mkdir()
    with pytest.raises(BadFile, match="Is a directory"):
        snapshot.write(tmp_path / "folder", "new")
    assert os.listdir(tmp_path) == ["folder"]
