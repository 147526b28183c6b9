# SPDX-License-Identifier: Apache-2.0
"""ha=true flavors run on the hosts of ha=true aggregates."""

import pytest

PROTECTED = {"a1", "a2", "b1"}  # and, for evacuations, a9 and b9


def test_boots_land_on_protected_hosts(op, cloud, either_way):
    for _ in range(4):
        assert cloud.host(op.boot(flavor="ha")) in PROTECTED


def test_a_boot_elsewhere_is_refused(op, either_way, log):
    assert "No valid host" in op.boot_fails("a3", flavor="ha")
    if not either_way:
        assert (
            "a host with ha=true required: 1 host in no aggregate with ha=true"
        ) in log()


@pytest.mark.parametrize("move", ["live_migrate", "cold_migrate"])
def test_moves_stay_on_protected_hosts(op, cloud, either_way, move):
    uuid = op.boot("a1", flavor="ha")
    assert not getattr(op, move)(uuid, "a3")
    assert getattr(op, move)(uuid)
    assert cloud.host(uuid) == "a2"


def test_evacuations_stay_on_protected_hosts(op, cloud, either_way):
    op.aggregate({"ha:maintenance": "true"}, ["a2"])
    uuid = op.boot("a1", flavor="ha")
    with op.dead("a1"):
        assert op.evacuate(uuid)
        assert cloud.host(uuid) == "a9"


def test_a_resize_to_an_ha_flavor_needs_a_protected_host(op, cloud, either_way):
    uuid = op.boot("a3")
    assert op.resize(uuid, "ha")
    assert cloud.host(uuid) in ("a1", "a2")


def test_without_any_protected_host(op, cloud, scheduler, log):
    """Placement has no words for "in one of no aggregates"; the filter says it."""
    for host in ("a1", "a2", "a9", "b1", "b9"):
        op.leave("protected", host)
    assert "No valid host" in op.boot_fails(flavor="ha")
    assert "a host with ha=true required: " in log()


@pytest.mark.parametrize("prefilter", [True, False])
def test_protected_hosts_may_be_kept_for_ha_flavors(op, cloud, scheduler, prefilter):
    scheduler({"isolate_ha_hosts": True, "placement_prefilter": prefilter})
    assert "No valid host" in op.boot_fails("a1")
    assert cloud.host(op.boot()) not in PROTECTED
    assert cloud.host(op.boot("a1", flavor="ha")) == "a1"


def test_an_unreadable_flavor_goes_nowhere(op, cloud, either_way, log):
    # An API older than 2.86 does not validate extra specs.
    flavor = cloud.openstack().compute.create_flavor(
        name=f"odd-{either_way}", ram=64, vcpus=1, disk=1
    )
    answer = cloud.nova(
        "POST",
        f"/flavors/{flavor.id}/os-extra_specs",
        {"extra_specs": {"ha": "ja"}},
        microversion="2.85",
    )
    assert answer.ok, answer.text
    assert "No valid host" in op.boot_fails(flavor=flavor.id)
    assert "ha='ja' is not a boolean (true or false)" in log()


def test_an_unreadable_aggregate_takes_no_ha_flavor(op, cloud, either_way, log):
    op.aggregate({"ha": "tru"}, ["a1"])
    assert "No valid host" in op.boot_fails("a1", flavor="ha")
    assert cloud.host(op.boot("a1")) == "a1"
    assert "ha='tru' is not a boolean" in log()
