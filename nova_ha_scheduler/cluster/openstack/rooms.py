# SPDX-License-Identifier: Apache-2.0
"""What Placement says of compute nodes, nested providers counted in. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from nova_ha_scheduler.cluster.openstack import fields
from nova_ha_scheduler.cluster.openstack.fields import Notes

Json = Mapping[str, Any]


@dataclass(frozen=True)
class Room:
    """
    :ivar free: what a node would still give; capacity: what it would if it were empty.
    """

    free: Mapping[str, int]
    capacity: Mapping[str, int] = field(default_factory=dict)
    traits: frozenset[str] = frozenset()


FULL = Room({"MEMORY_MB": 0})
"""One that no summary shows, or none that can be read."""


@dataclass(frozen=True)
class _Provider:
    node: str
    traits: frozenset[str]
    free: Mapping[str, int]
    capacity: Mapping[str, int]


def rooms(summaries: Mapping[str, Any], notes: Notes) -> dict[str, Room]:
    """By compute node. :param notes: get the providers that cannot be read."""
    free: dict[str, Counter[str]] = defaultdict(Counter)
    capacity: dict[str, Counter[str]] = defaultdict(Counter)
    traits: dict[str, set[str]] = defaultdict(set)
    for one in notes.read("resource provider", summaries.values(), _provider):
        traits[one.node] |= one.traits
        for name, number in one.free.items():
            free[one.node][name] += number
            capacity[one.node][name] += one.capacity[name]
    return {
        node: Room(dict(found), dict(capacity[node]), frozenset(traits[node]))
        for node, found in free.items()
    }


def _provider(summary: Any) -> _Provider:
    found = fields.fields(summary)
    shown = fields.inside(found, "resources")
    amounts = {name: fields.inside(shown, name) for name in shown}
    capacity = {name: fields.amount(n, "capacity") for name, n in amounts.items()}
    used = {name: fields.amount(n, "used") for name, n in amounts.items()}
    traits = frozenset(
        fields.name({"trait": one}, "trait") for one in fields.items(found, "traits")
    )
    free = {name: number - used[name] for name, number in capacity.items()}
    return _Provider(
        fields.identity(found, "root_provider_uuid"), traits, free, capacity
    )


def taken(allocations: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, int]]]:
    """By consumer, what it has; what cannot be read is left out, so that the server's
    flavor says what it takes."""
    for consumer, said in allocations.items():
        for amounts in fields.each([said], _amounts):
            yield consumer, amounts


def _amounts(said: Any) -> dict[str, int]:
    shown = fields.inside(fields.fields(said), "resources")
    return {name: fields.amount(shown, name) for name in shown}
