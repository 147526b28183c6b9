# SPDX-License-Identifier: Apache-2.0
"""Placement's providers one by one, with all that decides what a server gets of them,
and who has what: three requests for each provider. Placement has no shorter answer that
shows max_unit, min_unit and step_size, and its candidates show no host that is full.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial

from nova_ha_scheduler.cluster.openstack import placement
from nova_ha_scheduler.cluster.openstack.kinds import Together
from nova_ha_scheduler.cluster.openstack.lists import Lists
from nova_ha_scheduler.cluster.openstack.placement import Place, Tree
from nova_ha_scheduler.cluster.providers import Provider, Resources


@dataclass
class Trees:
    """
    :ivar found: by compute node.
    :ivar allocated: by consumer, and by compute node, what it has of which provider.
    """

    found: Mapping[str, Tree]
    allocated: Mapping[tuple[str, str], Mapping[str, Resources]] = field(
        default_factory=dict
    )


def take(asked: Lists, together: Together, nodes: Mapping[str, str]) -> Trees:
    """:raises CloudUnreachable: one of them could not be had."""
    places = [place for place in asked.providers() if place.root in nodes]
    shown = together(*(partial(_one, asked, place) for place in places))
    by_root: dict[str, dict[str, Provider]] = defaultdict(dict)
    allocated: dict[tuple[str, str], dict[str, Resources]] = defaultdict(dict)
    for place, (provider, consumers) in zip(places, shown, strict=True):
        by_root[place.root][place.uuid] = provider
        for consumer, amounts in consumers.items():
            allocated[consumer, place.root][place.uuid] = amounts
    found = {root: placement.tree(root, some) for root, some in by_root.items()}
    return Trees(found, allocated)


def _one(asked: Lists, place: Place) -> tuple[Provider, Mapping[str, Resources]]:
    path = f"/resource_providers/{place.uuid}"
    raw = asked.placement(f"{path}/inventories", "inventories")
    inventories = {name: placement.inventory(one) for name, one in raw.items()}
    taken = asked.placement(f"{path}/allocations", "allocations")
    consumers = dict(placement.taken(taken))
    used = placement.added(consumers.values())
    shown = {n: replace(one, used=used.get(n, 0)) for n, one in inventories.items()}
    return Provider(shown, asked.traits(place.uuid)), consumers
