# SPDX-License-Identifier: Apache-2.0
"""The words that operators write: aggregate metadata and flavor extra specs.

A key counts in whatever case, and with whatever blanks (:func:`meant`): databases and
eyes take such spellings for the same. Two spellings that say different things are as
bad as a value that cannot be read.

Booleans are read as oslo.utils reads them, strictly. A value that cannot be read
is a :class:`BadValue`, never a default: who meets one fails closed. Blanks around a
value never count. The case of a zone's name does: two zones may differ by that alone.
"""

import difflib
import functools
import re
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from nova_ha_scheduler.rules import booleans

T = TypeVar("T")

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

_OF_AGGREGATES = frozenset(AGGREGATE_KEYS)
_OURS = _OF_AGGREGATES | {RECOVERY, PRIORITY, FAILBACK}

OUR_MARK = "nova-ha: "
"""How the reason begins with which the trigger disables a service."""

BLANKS = " \t\n\r"
"""What does not count in a key; nova-api refuses others."""

_NO_BLANKS = str.maketrans("", "", BLANKS)


@functools.lru_cache(maxsize=4096)
def meant(key: str) -> str | None:
    """Which of our keys this is, whatever its case and blanks; None: none of them."""
    plain = key.translate(_NO_BLANKS).lower()
    return plain if plain in _OURS else None


def spellings(values: Iterable[str], key: str) -> list[str]:
    """Those of the keys that are this one of ours, in order."""
    return [spelt for spelt in values if meant(spelt) == key]


def aggregate_keys(metadata: Iterable[str]) -> frozenset[str]:
    """Which of AGGREGATE_KEYS stand in it, in whatever spelling."""
    return _OF_AGGREGATES.intersection(map(meant, metadata))


@functools.lru_cache(maxsize=4096)
def misspelt(key: str) -> str | None:
    """The key of an aggregate that may have been meant by one that is none; else None.

    Nobody reads a misspelt key: a reserve stays open, a host under maintenance is
    fenced. Keys of others are let alone: only what differs by the sign between two
    words, or by a letter or two, is one of ours.
    """
    if meant(key):
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


def misspelt_words(key: str) -> str:
    """A sentence on a misspelt key; "": it is none."""
    near = misspelt(key)
    return f"{key!r} counts for nothing; {near} may be meant" if near else ""


class BadValue(ValueError):
    """A value of a known key that cannot be read.

    :ivar key: the metadata key or extra spec, as we spell it.
    :ivar value: what it holds; all of it, where there are several spellings.
    """

    def __init__(self, key: str, value: str, words: str) -> None:
        super().__init__(words)
        self.key = key
        self.value = value


def _read(
    values: Mapping[str, str],
    key: str,
    read: Callable[[str], T | None],
    expected: str,
) -> T | None:
    """What the key says, in whatever spelling; None: it is not there.

    :param read: what one value says; None: nothing that could be read.
    :raises BadValue: a value cannot be read, or two spellings say different things.
    """
    first: tuple[str, T] | None = None
    for spelt in values:
        if meant(spelt) != key:
            continue
        value = values[spelt]
        said = read(value)
        if said is None:
            words = f"{_shown(spelt)}={value!r} is not {expected}"
            raise BadValue(key, value, words)
        if first is not None and said != first[1]:
            one, other = (f"{_shown(k)}={values[k]!r}" for k in (first[0], spelt))
            both = f"{values[first[0]]}, {value}"
            raise BadValue(key, both, f"{one} and {other} contradict each other")
        first = first or (spelt, said)
    return first and first[1]


def _shown(spelt: str) -> str:
    """A key, with quotes if one would not see how it is spelt."""
    return spelt if spelt.translate(_NO_BLANKS) == spelt else repr(spelt)


def boolean(values: Mapping[str, str], key: str) -> bool:
    """Read a flag; an absent key is the same as false.

    :raises BadValue: for anything that oslo.utils does not take as a boolean.
    """
    return bool(_flag(values, key))


def _flag(values: Mapping[str, str], key: str) -> bool | None:
    return _read(values, key, booleans.read, "a boolean (true or false)")


def storage_zone(values: Mapping[str, str]) -> str | None:
    """Read the name of a storage zone, without the blanks around it.

    :returns: None where there is none.
    :raises BadValue: for an empty name, one that cannot be shown, or for a list: a
        host mounts one storage.
    """
    return _read(values, STORAGE_ZONE, _zone, "the name of one zone")


def _zone(text: str) -> str | None:
    name = text.strip()
    return name if name and "," not in name and name.isprintable() else None


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
    said, wish = _flag(extra_specs, FAILBACK), _flag(metadata, FAILBACK)
    granted = default if said is None else said
    wanted = granted if wish is None else wish
    return wanted if tenant_raises else granted and wanted


def disposable(extra_specs: Mapping[str, str]) -> bool:
    """Whether an evacuation may lose the disk and start from the image again.

    Only the operator's flavor says so: the scheduler sees no server's metadata.
    """
    return _flavor_says("recreate", extra_specs)


def left_alone(extra_specs: Mapping[str, str]) -> bool:
    """Whether the operator's flavor says that nobody recovers its servers."""
    return _flavor_says("none", extra_specs)


def _flavor_says(policy: str, extra_specs: Mapping[str, str]) -> bool:
    """No, where that cannot be read."""
    try:
        return _policy(extra_specs) == policy
    except BadValue:
        return False


_A_POLICY = f"one of {', '.join(RECOVERY_POLICIES)}"
_A_PRIORITY = f"a whole number from {MIN_PRIORITY} to {MAX_PRIORITY}"

# From the most protection to the least; the same order as RECOVERY_POLICIES.
_POLICY_RANK = RECOVERY_POLICIES.index


def _policy(values: Mapping[str, str]) -> str | None:
    return _read(values, RECOVERY, _policy_word, _A_POLICY)


def _policy_word(text: str) -> str | None:
    word = text.strip()
    return word if word in RECOVERY_POLICIES else None


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
    found = _read(values, PRIORITY, _number, _A_PRIORITY)
    return default if found is None else found


def _number(text: str) -> int | None:
    digits = text.strip()
    if not (digits.isascii() and digits.isdigit()) or int(digits) > MAX_PRIORITY:
        return None
    return int(digits)
