# SPDX-License-Identifier: Apache-2.0
"""The words that operators write: aggregate metadata and flavor extra specs.

Booleans are read as oslo.utils reads them, strictly. A value that cannot be read
is a :class:`BadValue`, never a default: who meets one fails closed.
"""

import difflib
import functools
import re
from collections.abc import Mapping

from nova_ha_scheduler.rules import booleans

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

MIN_PRIORITY, DEFAULT_PRIORITY, MAX_PRIORITY = 0, 500, 1000


FAILBACK = "ha:failback"
"""Flavor: whether its servers go home when a host that died has returned."""


@functools.cache
def misspelt(key: str) -> str | None:
    """The key of an aggregate that may have been meant by one that is none; else None.

    Nobody reads a misspelt key: a reserve stays open, a host under maintenance is
    fenced. Keys of others are let alone: only what differs by case, blanks, the sign
    between two words, or a letter or two is one of ours.
    """
    if key in AGGREGATE_KEYS:
        return None
    plain = _WORD_ENDS.sub("", key.lower())
    ours = {_WORD_ENDS.sub("", known): known for known in AGGREGATE_KEYS}
    if plain in ours:
        return ours[plain]
    if plain in {_WORD_ENDS.sub("", known) for known in (RECOVERY, PRIORITY, FAILBACK)}:
        return None  # of flavors; a filter of Nova's may compare them
    longer = [known for known in ours if len(known) > len(HA)]
    near = difflib.get_close_matches(plain, longer, 1, _ALIKE)
    alike = near and plain[: len(HA)] == near[0][: len(HA)]
    return ours[near[0]] if alike else None


_WORD_ENDS = re.compile(r"[\s:._-]+")
_ALIKE = 0.8


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
    found = booleans.read(values[key])
    if found is None:
        raise BadValue(key, values[key], "a boolean (true or false)")
    return found


def storage_zone(values: Mapping[str, str]) -> str | None:
    """Read the name of a storage zone, without the blanks around it.

    :returns: None where there is none.
    :raises BadValue: for an empty name, one that cannot be shown, or for a list: a
        host mounts one storage.
    """
    if STORAGE_ZONE not in values:
        return None
    name = values[STORAGE_ZONE].strip()
    if not name or "," in name or not name.isprintable():
        raise BadValue(STORAGE_ZONE, values[STORAGE_ZONE], "the name of one zone")
    return name


def recovery_policy(
    extra_specs: Mapping[str, str], metadata: Mapping[str, str], tenant_raises: bool
) -> str:
    """How a server comes back: one of RECOVERY_POLICIES.

    The flavor decides; the server's metadata, which its tenant writes, can lower
    what the flavor grants, and raise it only with ``tenant_raises``.

    :raises BadValue: for any other word, in either place.
    """
    granted = _policy(extra_specs) or "evacuate"
    wanted = _policy(metadata) or granted
    return wanted if tenant_raises else max(granted, wanted, key=_POLICY_RANK)


def failback(
    extra_specs: Mapping[str, str],
    metadata: Mapping[str, str],
    tenant_raises: bool,
    default: bool,
) -> bool:
    """Whether a server goes home; metadata as for recovery_policy().

    :param default: where the flavor does not say it.
    :raises BadValue: for what is no boolean, in either place.
    """
    granted = boolean(extra_specs, FAILBACK) if FAILBACK in extra_specs else default
    wanted = boolean(metadata, FAILBACK) if FAILBACK in metadata else granted
    return wanted if tenant_raises else granted and wanted


def disposable(extra_specs: Mapping[str, str]) -> bool:
    """Whether an evacuation may lose the disk and start from the image again.

    Only the operator's flavor says so: the scheduler sees no server's metadata.
    """
    return extra_specs.get(RECOVERY) == "recreate"


# From the most protection to the least; the same order as RECOVERY_POLICIES.
_POLICY_RANK = RECOVERY_POLICIES.index


def _policy(values: Mapping[str, str]) -> str | None:
    word = values.get(RECOVERY)
    if word is not None and word not in RECOVERY_POLICIES:
        raise BadValue(RECOVERY, word, f"one of {', '.join(RECOVERY_POLICIES)}")
    return word


def priority(
    extra_specs: Mapping[str, str], metadata: Mapping[str, str], tenant_raises: bool
) -> int:
    """Who is recovered first, higher first; metadata as for recovery_policy().

    :raises BadValue: for what is no whole number in MIN_PRIORITY..MAX_PRIORITY.
    """
    granted = _priority(extra_specs, DEFAULT_PRIORITY)
    wanted = _priority(metadata, granted)
    return wanted if tenant_raises else min(granted, wanted)


def _priority(values: Mapping[str, str], default: int) -> int:
    if PRIORITY not in values:
        return default
    text = values[PRIORITY].strip()
    if not (text.isascii() and text.isdigit()) or int(text) > MAX_PRIORITY:
        expected = f"a whole number from {MIN_PRIORITY} to {MAX_PRIORITY}"
        raise BadValue(PRIORITY, values[PRIORITY], expected)
    return int(text)
