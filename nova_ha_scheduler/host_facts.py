# SPDX-License-Identifier: Apache-2.0
"""From aggregates to the rules' facts, with a warning for what cannot be read."""

from collections.abc import Callable, Mapping
from typing import Any

from oslo_log import log as logging

from nova_ha_scheduler.printable import plain
from nova_ha_scheduler.rules.terms import HostFacts

LOG = logging.getLogger(__name__)

# Each bad value is reported once by each process: requests come by the second.
_reported: set[tuple[str, str]] = set()


def of_aggregate(name: str, metadata: Mapping[str, str]) -> HostFacts:
    """What an aggregate says of each of its hosts."""
    facts = HostFacts.of([metadata])
    for _, sentence in facts.bad:
        _report(
            name,
            f"{sentence}. Until it is put right, its hosts are refused wherever that "
            "matters.",
        )
    for sentence in facts.misspelt:
        _report(name, f"{sentence}.")
    return facts


def _report(name: str, sentence: str) -> None:
    """Once."""
    if (name, sentence) not in _reported:
        _reported.add((name, sentence))
        words = {"name": plain(name), "sentence": sentence}
        LOG.warning("Host aggregate %(name)s: %(sentence)s", words)


def of_host(host_state: Any) -> HostFacts:
    """What the aggregates of a nova.scheduler.host_manager.HostState say of it."""
    facts = HostFacts.of(aggregate.metadata for aggregate in host_state.aggregates)
    for aggregate in host_state.aggregates:
        if facts.bad or facts.misspelt:
            of_aggregate(aggregate.name, aggregate.metadata)
    return facts


def memo() -> Callable[[Any], HostFacts]:
    """:func:`of_host`, but asked once for each combination of aggregates.

    For one request: the aggregates live as long as its hosts, so ids are unique.
    """
    facts: dict[tuple[int, ...], HostFacts] = {}

    def of(host_state: Any) -> HostFacts:
        kind = tuple(map(id, host_state.aggregates))
        if kind not in facts:
            facts[kind] = of_host(host_state)
        return facts[kind]

    return of
