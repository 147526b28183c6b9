# SPDX-License-Identifier: Apache-2.0
"""Which events a receiver is told of.

===============  ==================================
``host.fenced``  events of that kind
``host.*``       all kinds that begin so
``troubles``     whatever an operator should hear of
``all``          every event
===============  ==================================
"""

from collections.abc import Iterable

from nova_ha_scheduler.records.events import TROUBLES, EventKind
from nova_ha_scheduler.spelling import hint

_GROUPS = {"all": tuple(EventKind), "troubles": tuple(TROUBLES)}

DEFAULT = (
    "troubles",
    *("host.confirmed", "host.fenced", "host.recovered", "host.returned"),
    *("guard.reset", "detector.sighted", "cloud.readable"),
    *("fence_device.works", "fencing_method.found", "pause.*", "trigger.active"),
)
"""What wakes a person, and what lets him sleep again."""


def wanted(words: Iterable[str]) -> frozenset[EventKind]:
    """:raises ValueError: a word means no kind; a sentence."""
    found: set[EventKind] = set()
    for word in words:
        kinds = _GROUPS.get(word) or [k for k in EventKind if _is_meant(word, k)]
        if not kinds:
            known = [*_GROUPS, *(kind.value for kind in EventKind)]
            raise ValueError(f"there is no kind of event {word}{hint(word, known)}")
        found.update(kinds)
    return frozenset(found)


def _is_meant(word: str, kind: EventKind) -> bool:
    group, star, rest = word.partition("*")
    if star and not rest and group.endswith("."):
        return kind.value.startswith(group)
    return kind.value == word
