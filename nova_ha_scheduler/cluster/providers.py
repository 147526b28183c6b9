# SPDX-License-Identifier: Apache-2.0
"""Placement's resource providers: a compute node is one, and its GPUs, PCI devices and
network cards are others below it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

Resources = Mapping[str, int]
"""Amounts by Placement resource class, for example ``{"VCPU": 2}``."""


@dataclass(frozen=True)
class Inventory:
    """What a provider has of one resource class.

    :ivar capacity: (total - reserved) * allocation_ratio, rounded down.
    :ivar max_unit: the most that one server may take; None: nobody has told, as it is
        where Placement was asked for candidates.
    """

    capacity: int
    used: int = 0
    max_unit: int | None = None
    min_unit: int = 1
    step_size: int = 1

    @property
    def free(self) -> int:
        return self.capacity - self.used

    def refuses(self, most: int) -> bool:
        """Whether a server that needs so much, or less, may be refused what is free."""
        small = self.max_unit is not None and self.max_unit < most
        return small or self.min_unit > 1 or self.step_size > 1


@dataclass(frozen=True)
class Provider:
    """One resource provider."""

    inventories: Mapping[str, Inventory] = field(default_factory=dict)
    traits: frozenset[str] = frozenset()

    def emptied(self) -> "Provider":
        """The same, if nobody used anything of it."""
        left = {name: replace(one, used=0) for name, one in self.inventories.items()}
        return replace(self, inventories=left)


@dataclass(frozen=True)
class Portion:
    """A part of what a server needs that one provider alone has to give: what Nova
    asks Placement for as a group with a suffix.

    :ivar subtree: portions with the same word here come from below one provider; "":
        from anywhere in the tree of the host.
    """

    needs: Resources = field(hash=False)
    traits: frozenset[str] = frozenset()
    forbidden_traits: frozenset[str] = frozenset()
    subtree: str = ""


def taken(providers: tuple[Provider, ...], needs: Resources) -> tuple[Provider, ...]:
    """The providers, of which somebody uses so much: each class of the first that has
    it."""
    for what, amount in needs.items():
        for index, provider in enumerate(providers):
            one = provider.inventories.get(what)
            if one is not None and one.free >= amount:
                used = {what: replace(one, used=one.used + amount)}
                found = {**provider.inventories, **used}
                first, rest = providers[:index], providers[index + 1 :]
                providers = (*first, replace(provider, inventories=found), *rest)
                break
    return providers
