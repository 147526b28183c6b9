# SPDX-License-Identifier: Apache-2.0
"""What a host would still give, provider by provider, as Placement counts.

=======================  ============================================================
a portion                comes from one provider, which has its traits
isolated portions        come from one provider each
anything else            each resource class from one provider; all that give some have
                         the server's traits, together
no provider              gives more than it has left, nor more than max_unit to one
                         server, nor less than min_unit, nor what is no multiple of
                         step_size
=======================  ============================================================

Whether portions come from below one provider (see Portion.subtree), Placement alone
knows.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from nova_ha_scheduler.cluster.picture import Host, Server
from nova_ha_scheduler.cluster.providers import Inventory, Portion, Provider, Resources


@dataclass(frozen=True)
class Wish:
    """What a server takes; see Server."""

    needs: Resources
    portions: tuple[Portion, ...] = ()
    isolated: bool = False
    traits: frozenset[str] = frozenset()
    forbidden_traits: frozenset[str] = frozenset()

    @classmethod
    def of(cls, server: Server) -> "Wish":
        traits = server.traits, server.forbidden_traits
        return cls(server.needs, server.portions, server.isolated, *traits)

    @property
    def rest(self) -> dict[str, int]:
        """What is in no portion."""
        left = Counter(self.needs)
        for portion in self.portions:
            left.subtract(portion.needs)
        return {what: n for what, n in left.items() if n > 0}


Place = list[tuple[int, str, int]]
"""Which provider gives what, and how much of it."""


class Room:
    """
    :ivar free: the sums; None: nobody knows.
    :ivar untouched: whether nothing was taken.
    """

    def __init__(self, host: Host) -> None:
        self.free: Counter[str] | None = None
        if host.free is not None:
            self.free = Counter(host.free)
        self.untouched = True
        self._providers, self._traits = host.providers, host.traits
        self._taken: Counter[tuple[int, str]] = Counter()

    @property
    def has_parts(self) -> bool:
        """Whether the sums do not say all."""
        return bool(self._providers)

    def copy(self) -> "Room":
        twin = Room.__new__(Room)
        twin.free = None if self.free is None else Counter(self.free)
        twin.untouched, twin._traits = self.untouched, self._traits
        twin._providers = self._providers
        twin._taken = Counter(self._taken)
        return twin

    def sums_suffice(self, needs: Resources) -> bool:
        """Whether servers that need no more than this, of each class, fit wherever the
        sums are large enough."""
        return all(
            len(found) == 1 and not any(one.refuses(n) for one in found)
            for what, n in needs.items()
            if (
                found := [
                    provider.inventories[what]
                    for provider in self._providers
                    if what in provider.inventories
                ]
            )
        )

    def lacks(self, needs: Resources) -> dict[str, int]:
        """What the sums are too small for."""
        free: Resources = self.free or {}
        return {what: n for what, n in needs.items() if free.get(what, 0) < n}

    def place(self, wish: Wish) -> Place | None:
        """Which provider would give what; None: they cannot give all of it."""
        if self._providers:
            return next(_Placements(self._providers, self._taken, wish).found(), None)
        if not wish.portions:
            return []
        left = {what: Inventory(n) for what, n in (self.free or {}).items()}
        return next(
            _Placements((Provider(left, self._traits),), {}, wish).found(), None
        )

    def takes(self, wish: Wish) -> bool:
        """Whether it can be taken, too."""
        return not self.lacks(wish.needs) and self.place(wish) is not None

    def gives(self, what: str, amount: int) -> bool:
        """Whether a provider would give one server so much of this alone."""
        return self.place(Wish({what: amount})) is not None

    def take(self, wish: Wish) -> None:
        """What does not fit, as it was counted twice, is taken of the sums alone."""
        if not wish.needs:
            return
        self.untouched = False
        if self.free is not None:
            self.free.subtract(wish.needs)
        if self._providers:
            for index, what, amount in self.place(wish) or ():
                self._taken[index, what] += amount


class _Placements:
    """All ways to place a wish, one after the other; of providers that are alike, and
    of portions that are, one way alone."""

    def __init__(
        self,
        providers: tuple[Provider, ...],
        taken: Mapping[tuple[int, str], int],
        wish: Wish,
    ) -> None:
        self._providers, self._taken, self._wish = providers, taken, wish
        self._rest = sorted(wish.rest.items())
        self._given: Counter[tuple[int, str]] = Counter()
        self._of_portions: list[int] = []
        self._of_rest: list[int] = []

    def found(self) -> Iterator[Place]:
        if len(self._of_portions) < len(self._wish.portions):
            yield from self._next_portion()
        elif len(self._of_rest) < len(self._rest):
            yield from self._next_class()
        elif self._has_traits():
            yield [(*key, n) for key, n in sorted(self._given.items()) if n]

    def _next_portion(self) -> Iterator[Place]:
        portions, number = self._wish.portions, len(self._of_portions)
        portion = portions[number]
        first = 0
        if number and portions[number - 1] == portion:
            first = self._of_portions[-1]
        for index in self._unlike(first):
            provider = self._providers[index]
            if self._wish.isolated and index in self._of_portions:
                continue
            if not portion.traits <= provider.traits:
                continue
            if portion.forbidden_traits & provider.traits:
                continue
            if all(self._can_give(index, *one) for one in portion.needs.items()):
                yield from self._with(index, portion.needs, self._of_portions)

    def _next_class(self) -> Iterator[Place]:
        what, amount = self._rest[len(self._of_rest)]
        for index in self._unlike(0):
            if self._wish.forbidden_traits & self._providers[index].traits:
                continue
            if self._can_give(index, what, amount):
                yield from self._with(index, {what: amount}, self._of_rest)

    def _with(self, index: int, needs: Resources, chosen: list[int]) -> Iterator[Place]:
        for what, amount in needs.items():
            self._given[index, what] += amount
        chosen.append(index)
        yield from self.found()
        chosen.pop()
        for what, amount in needs.items():
            self._given[index, what] -= amount

    def _unlike(self, first: int) -> Iterator[int]:
        """The providers from one on, without those that are now as another is."""
        seen = set()
        for index in range(first, len(self._providers)):
            state = self._state(index)
            if state not in seen:
                seen.add(state)
                yield index

    def _state(self, index: int) -> object:
        provider = self._providers[index]
        used = index in self._of_portions, index in self._of_rest
        amounts = (
            (what, one, self._taken.get((index, what), 0), self._given[index, what])
            for what, one in sorted(provider.inventories.items())
            if what in self._wish.needs
        )
        return tuple(amounts), provider.traits, used

    def _can_give(self, index: int, what: str, amount: int) -> bool:
        one = self._providers[index].inventories.get(what)
        if one is None or amount < one.min_unit or amount % one.step_size:
            return False
        given = self._given[index, what] + amount
        if one.max_unit is not None and given > one.max_unit:
            return False
        return given <= one.free - self._taken.get((index, what), 0)

    def _has_traits(self) -> bool:
        giving = (self._providers[index].traits for index in self._of_rest)
        return self._wish.traits <= frozenset().union(*giving)
