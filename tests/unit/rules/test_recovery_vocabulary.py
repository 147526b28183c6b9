# SPDX-License-Identifier: Apache-2.0
"""ha:recovery, ha:priority and ha:failback: the flavor grants, the tenant lowers."""

import pytest

from nova_ha_scheduler.rules import vocabulary
from nova_ha_scheduler.rules.vocabulary import BadValue

POLICIES = vocabulary.RECOVERY_POLICIES


@pytest.mark.parametrize("granted", POLICIES)
@pytest.mark.parametrize("wanted", POLICIES)
def test_a_tenant_only_lowers_the_policy(granted: str, wanted: str) -> None:
    flavor, metadata = {"ha:recovery": granted}, {"ha:recovery": wanted}
    least = POLICIES[max(POLICIES.index(granted), POLICIES.index(wanted))]
    assert vocabulary.recovery_policy(flavor, metadata, False) == least
    assert vocabulary.recovery_policy(flavor, metadata, True) == wanted


def test_defaults() -> None:
    assert vocabulary.recovery_policy({}, {}, False) == "evacuate"
    assert vocabulary.priority({}, {}, False) == 500


@pytest.mark.parametrize(
    ("flavor", "metadata", "raises", "expected"),
    [
        ({"ha:priority": "900"}, {}, False, 900),
        ({"ha:priority": "900"}, {"ha:priority": "1000"}, False, 900),
        ({"ha:priority": "900"}, {"ha:priority": "1000"}, True, 1000),
        ({"ha:priority": "900"}, {"ha:priority": "0"}, False, 0),
        ({}, {"ha:priority": "501"}, False, 500),
    ],
)
def test_priority(
    flavor: dict[str, str], metadata: dict[str, str], raises: bool, expected: int
) -> None:
    assert vocabulary.priority(flavor, metadata, raises) == expected


@pytest.mark.parametrize("value", ["", "high", "-1", "1001", "1.5", "\u0663"])
def test_a_priority_that_cannot_be_read(value: str) -> None:
    with pytest.raises(BadValue, match="from 0 to 1000"):
        vocabulary.priority({"ha:priority": value}, {}, False)
    with pytest.raises(BadValue):
        vocabulary.priority({}, {"ha:priority": value}, False)


def test_a_policy_that_cannot_be_read() -> None:
    with pytest.raises(BadValue, match="one of evacuate, recreate, none"):
        vocabulary.recovery_policy({"ha:recovery": "Evacuate"}, {}, False)


@pytest.mark.parametrize(
    ("flavor", "metadata", "raises", "default", "expected"),
    [
        ({}, {}, False, False, False),
        ({}, {}, False, True, True),
        ({"ha:failback": "true"}, {}, False, False, True),
        ({"ha:failback": "false"}, {}, False, True, False),
        ({"ha:failback": "true"}, {"ha:failback": "no"}, False, False, False),
        ({}, {"ha:failback": "false"}, False, True, False),
        ({}, {"ha:failback": "true"}, False, False, False),
        ({}, {"ha:failback": "true"}, True, False, True),
        ({"ha:failback": "false"}, {"ha:failback": "true"}, True, True, True),
    ],
)
def test_failback(
    flavor: dict[str, str],
    metadata: dict[str, str],
    raises: bool,
    default: bool,
    expected: bool,
) -> None:
    assert vocabulary.failback(flavor, metadata, raises, default) is expected


def test_a_failback_that_cannot_be_read() -> None:
    for given in ({"ha:failback": "?"}, {}), ({}, {"ha:failback": "?"}):
        with pytest.raises(BadValue, match="is not a boolean"):
            vocabulary.failback(*given, tenant_raises=False, default=False)
