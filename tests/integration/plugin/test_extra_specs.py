# SPDX-License-Identifier: Apache-2.0
"""nova-api refuses bad extra specs, from microversion 2.86 on."""

import pytest


@pytest.fixture
def flavor(cloud, request):
    compute = cloud.openstack().compute
    flavor = compute.create_flavor(name=request.node.name, ram=64, vcpus=1, disk=1)
    yield flavor.id
    compute.delete_flavor(flavor)


def ask(cloud, flavor, key, value, microversion="2.86"):
    return cloud.nova(
        "POST",
        f"/flavors/{flavor}/os-extra_specs",
        {"extra_specs": {key: value}},
        microversion,
    )


@pytest.mark.parametrize(
    ("key", "value", "complaint"),
    [
        ("ha", "maybe", "'maybe' is not a valid boolean-like value"),
        ("ha", "", "'' is not a valid boolean-like value"),
        ("ha:recovery", "resurrect", "is not one of: evacuate, recreate, none"),
        ("ha:priority", "-1", "'-1' is less than the min value of '0'"),
        ("ha:priority", "1001", "'1001' is greater than the max value of '1000'"),
        ("ha:priority", "high", "'high' is not a valid integer value"),
        ("ha:failback", "maybe", "'maybe' is not a valid boolean-like value"),
        ("ha:prio", "1", "does not appear to be a valid extra spec"),
    ],
)
def test_bad(cloud, flavor, key, value, complaint):
    answer = ask(cloud, flavor, key, value)
    assert answer.status_code == 400
    assert complaint in answer.json()["badRequest"]["message"]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("ha", "true"),
        ("ha", "False"),
        ("ha:recovery", "recreate"),
        ("ha:priority", "0"),
        ("ha:priority", "1000"),
        ("ha:failback", "true"),
    ],
)
def test_good(cloud, flavor, key, value):
    assert ask(cloud, flavor, key, value).status_code == 200


def test_older_microversions_do_not_validate(cloud, flavor):
    assert ask(cloud, flavor, "ha", "maybe", "2.85").status_code == 200
