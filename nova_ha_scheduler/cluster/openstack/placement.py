# SPDX-License-Identifier: Apache-2.0
"""From Placement's JSON to providers and amounts. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from nova_ha_scheduler.cluster.openstack import fields
from nova_ha_scheduler.cluster.openstack.fields import Notes
from nova_ha_scheduler.cluster.providers import Inventory, Provider, Resources

Json = Mapping[str, Any]
Tree = tuple[Provider, ...]
"""A compute node and all that is below it; the node stands first."""


class Place(NamedTuple):
    """Where a provider stands."""

    uuid: str
    root: str


def trees(summaries: Mapping[str, Any], notes: Notes) -> dict[str, Tree]:
    """By compute node. :param notes: get the providers that cannot be read."""
    found: dict[str, dict[str, Provider]] = defaultdict(dict)
    for place, provider in notes.read(KIND, summaries.items(), _summary):
        found[place.root][place.uuid] = provider
    return {root: tree(root, some) for root, some in found.items()}


def tree(root: str, found: Mapping[str, Provider]) -> Tree:
    """The providers of one tree, in an order that does not change."""
    ordered = sorted(found, key=lambda uuid: (uuid != root, uuid))
    return tuple(found[uuid] for uuid in ordered)


KIND = "resource provider"


def _summary(item: tuple[str, Any]) -> tuple[Place, Provider]:
    uuid, summary = item
    found = fields.fields(summary)
    root = fields.identity(found, "root_provider_uuid")
    shown = fields.inside(found, "resources")
    inventories = {name: _room(fields.inside(shown, name)) for name in shown}
    return Place(uuid, root), Provider(inventories, traits(found))


def _room(found: Json) -> Inventory:
    return Inventory(fields.amount(found, "capacity"), fields.amount(found, "used"))


def traits(found: Json) -> frozenset[str]:
    named = fields.items(found, "traits")
    return frozenset(fields.name({"trait": one}, "trait") for one in named)


def place(found: Any) -> Place:
    """A provider in the list of all."""
    shown = fields.fields(found)
    identity, root = fields.identity, "root_provider_uuid"
    return Place(identity(shown, "uuid"), identity(shown, root))


def inventory(found: Json) -> Inventory:
    """As Placement counts: what is below 1 is rounded down."""
    total, reserved, step = (
        fields.amount(found, key) for key in ("total", "reserved", "step_size")
    )
    ratio = found.get("allocation_ratio")
    if not isinstance(ratio, (int, float)) or not 0 <= ratio < 2**31 or not step:
        raise fields.BadAnswer("it is no inventory")
    return Inventory(
        int((total - reserved) * ratio),
        0,
        fields.amount(found, "max_unit"),
        fields.amount(found, "min_unit"),
        step,
    )


def amounts(said: Any) -> Resources:
    """What a consumer has of a provider."""
    shown = fields.inside(fields.fields(said), "resources")
    return {name: fields.amount(shown, name) for name in shown}


def taken(allocations: Json) -> Iterator[tuple[str, Resources]]:
    """By consumer, or by provider; what cannot be read is left out, so that the
    server's flavor says what it takes."""
    for key, said in allocations.items():
        for found in fields.each([said], amounts):
            yield key, found


def added(some: Iterable[Resources]) -> dict[str, int]:
    """All of them together."""
    total: dict[str, int] = {}
    for one in some:
        for what, amount in one.items():
            total[what] = total.get(what, 0) + amount
    return total
