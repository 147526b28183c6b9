# SPDX-License-Identifier: Apache-2.0
"""How many hosts of a zone may die."""

from dataclasses import replace
from itertools import combinations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nova_ha_scheduler.cluster import synthetic
from nova_ha_scheduler.cluster.picture import Picture
from nova_ha_scheduler.planner import capacity, remedies, repacking
from nova_ha_scheduler.planner.capacity import zones
from nova_ha_scheduler.planner.ground import Ground
from nova_ha_scheduler.planner.losses import WhatIf
from nova_ha_scheduler.planner.preferences import Preferences


def _ground(picture: Picture) -> Ground:
    return Ground(picture.hosts, Preferences())


_ONCE = [HealthCheck.function_scoped_fixture]  # one value holds for all examples


@pytest.fixture(autouse=True)
def _brief(monkeypatch: pytest.MonkeyPatch) -> None:
    """A short search for each plan: there are many."""
    monkeypatch.setattr(repacking, "_EFFORT", 1000)


_lines = st.builds(
    "{} zones of {} hosts of 16 vCPU, 64 GiB, {} reserved each, {} % full, "
    "servers of 1-8 vCPU, 1-32 GiB, seed {}".format,
    st.integers(1, 2),
    st.integers(3, 6),
    st.integers(0, 2),
    st.integers(0, 100),
    st.integers(0, 99),
)


@settings(max_examples=40, deadline=None, suppress_health_check=_ONCE)
@given(_lines, st.integers(1, 3))
def test_as_many_as_it_says_may_die_and_one_more_may_not(
    line: str, failures: int
) -> None:
    picture = synthetic.parse(line)
    what_if = WhatIf(_ground(picture), picture.servers)
    for zone in zones(_ground(picture), picture.servers, failures):
        assert zone.exact

        def leaves(count: int, hosts: list[str]) -> bool:
            return any(what_if.die(*dead).left for dead in combinations(hosts, count))

        hosts = sorted(zone.hosts)
        for count in range(1, zone.survivable + 1):
            assert not leaves(count, hosts)
        if zone.survivable < len(hosts):
            assert leaves(zone.survivable + 1, hosts)
        assert zone.ok == (not leaves(min(failures, len(hosts)), hosts))
        if zone.worst:
            assert len(zone.worst.hosts) == min(failures, len(hosts))
            assert what_if.die(*zone.worst.hosts).homeless


@settings(max_examples=40, deadline=None, suppress_health_check=_ONCE)
@given(_lines)
def test_the_bound_says_no_more_than_is_true(line: str) -> None:
    picture = synthetic.parse(line)
    exact = list(zones(_ground(picture), picture.servers))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(capacity, "PLANS", 0)
        bounded = list(zones(_ground(picture), picture.servers))
    for true, safe in zip(exact, bounded, strict=True):
        assert safe.survivable <= true.survivable
        assert safe.survivable >= min(1, true.survivable)  # single hosts are tried
        assert not (safe.ok and not true.ok)


def test_what_would_mend_it_mends_it() -> None:
    line = "1 zones of 4 hosts of 16 vCPU, 64 GiB, 100 % full, servers of 4 vCPU"
    picture = synthetic.parse(line)
    (zone,) = zones(_ground(picture), picture.servers)
    assert zone.worst
    first, second = remedies.problems(_ground(picture), picture.servers, zone, 1)
    assert "MEMORY_MB=65536, VCPU=16 short, were all free room in one piece" in first
    assert "1 more reserve host as large as zone1-host4" in second


def test_a_host_that_is_down_counts_in_every_answer() -> None:
    line = "1 zones of 4 hosts of 16 vCPU, 64 GiB, 1 reserved each, 60 % full"
    picture = synthetic.parse(line)
    before = next(zones(_ground(picture), picture.servers)).survivable
    hosts = dict(picture.hosts)
    hosts["zone1-host1"] = replace(hosts["zone1-host1"], up=False)
    (zone,) = zones(Ground(hosts, Preferences()), picture.servers)
    assert zone.survivable == before - 1
    assert "zone1-host1" not in zone.hosts


def test_a_server_that_nova_would_refuse_is_left() -> None:
    line = "1 zones of 4 hosts of 16 vCPU, 64 GiB, 1 reserved each, 60 % full"
    picture = synthetic.parse(line)
    servers = dict(picture.servers)
    uuid, server = next(iter(servers.items()))
    servers[uuid] = replace(server, refused_by_nova="it has a vTPM")
    (zone,) = zones(_ground(picture), servers)
    assert not zone.ok
    assert zone.worst is None
    (words,) = remedies.problems(_ground(picture), servers, zone, 1)
    assert words == (
        f"server {server.name} on {server.host} would be left: "
        "Nova refuses: it has a vTPM"
    )
