# SPDX-License-Identifier: Apache-2.0
"""The words that operators write: aggregate metadata and flavor extra specs.

Booleans are read as oslo.utils reads them, strictly. A value that cannot be read
is a :class:`BadValue`, never a default: who meets one fails closed.
"""

from collections.abc import Mapping

from oslo_utils import strutils

HA = "ha"
"""Aggregate: its hosts are protected. Flavor: its servers are."""

STORAGE_ZONE = "storage_zone"
"""Aggregate: the name of the shared storage that its hosts mount."""

RESERVED = "ha:reserved"
"""Aggregate: failover hosts, closed to all but evacuation."""

MAINTENANCE = "ha:maintenance"
"""Aggregate: its hosts are under maintenance."""

AGGREGATE_FLAGS = (HA, RESERVED, MAINTENANCE)
AGGREGATE_KEYS = (*AGGREGATE_FLAGS, STORAGE_ZONE)

RECOVERY = "ha:recovery"
"""Flavor: how the servers of a dead host come back, one of RECOVERY_POLICIES."""

RECOVERY_POLICIES = ("evacuate", "recreate", "none")

PRIORITY = "ha:priority"
"""Flavor: who is recovered first, MIN_PRIORITY..MAX_PRIORITY, higher first."""

MIN_PRIORITY, MAX_PRIORITY = 0, 1000


class BadValue(ValueError):
    """A value of a known key that cannot be read.

    :ivar key: the metadata key or extra spec.
    :ivar value: what it holds.
    """

    def __init__(self, key: str, value: str, expected: str) -> None:
        super().__init__(f"{key}={value!r} is not {expected}")
        self.key = key
        self.value = value


def boolean(values: Mapping[str, str], key: str) -> bool:
    """Read a flag; an absent key is the same as false.

    :raises BadValue: for anything that oslo.utils does not take as a boolean.
    """
    if key not in values:
        return False
    try:
        return bool(strutils.bool_from_string(values[key], strict=True))
    except ValueError:
        raise BadValue(key, values[key], "a boolean (true or false)") from None


def storage_zone(values: Mapping[str, str]) -> str | None:
    """Read the name of a storage zone, without the blanks around it.

    :returns: None where there is none.
    :raises BadValue: for an empty name, or for a list: a host mounts one storage.
    """
    if STORAGE_ZONE not in values:
        return None
    name = values[STORAGE_ZONE].strip()
    if not name or "," in name:
        raise BadValue(STORAGE_ZONE, values[STORAGE_ZONE], "the name of one zone")
    return name
