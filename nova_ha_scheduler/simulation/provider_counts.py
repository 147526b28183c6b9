# SPDX-License-Identifier: Apache-2.0
"""The simulated Placement's count of one host, provider by provider.

It counts by itself: what the planner works out is held against it.
"""

from collections.abc import Sequence
from dataclasses import replace

from nova_ha_scheduler.cluster.picture import Server
from nova_ha_scheduler.cluster.providers import Provider, Resources

_Given = list[tuple[int, str, int]]


class SimulatedProviders:
    """
    :ivar now: the providers, with what is used of them.
    """

    def __init__(self, providers: Sequence[Provider]) -> None:
        self.now = tuple(providers)
        self._held: dict[str, _Given] = {}

    def refuses(self, server: Server) -> bool:
        return self._fit(server) is None

    def claim(self, server: Server) -> None:
        """What does not fit is not counted."""
        given = self._fit(server) or []
        self._held[server.uuid] = given
        for index, what, amount in given:
            self._use(index, what, amount)

    def release(self, server: Server) -> None:
        """Of one that was there before: from whatever provider has so much used."""
        given = self._held.pop(server.uuid, None) or [
            (index, what, amount)
            for what, amount in server.needs.items()
            if (index := self._user(what, amount)) is not None
        ]
        for index, what, amount in given:
            self._use(index, what, -amount)

    def _user(self, what: str, amount: int) -> int | None:
        for index, provider in enumerate(self.now):
            one = provider.inventories.get(what)
            if one is not None and one.used >= amount:
                return index
        return None

    def _use(self, index: int, what: str, amount: int) -> None:
        found = self.now[index].inventories
        one = replace(found[what], used=found[what].used + amount)
        used = replace(self.now[index], inventories={**found, what: one})
        self.now = (*self.now[:index], used, *self.now[index + 1 :])

    def _fit(self, server: Server) -> _Given | None:
        """Tries each provider for each part: all that one provider has to give."""
        rest = dict(server.needs)
        for portion in server.portions:
            for what, amount in portion.needs.items():
                rest[what] -= amount
        parts: list[Resources] = [portion.needs for portion in server.portions]
        parts += [{what: amount} for what, amount in rest.items() if amount > 0]
        return self._place(server, parts, [])

    def _place(
        self, server: Server, parts: list[Resources], at: list[int]
    ) -> _Given | None:
        if len(at) == len(parts):
            if not self._has_all(server, at):
                return None
            where = zip(at, parts, strict=True)
            return [(n, what, k) for n, part in where for what, k in part.items()]
        for index in range(len(self.now)):
            if self._allows(server, len(at), index, at) and self._gives(
                index, parts, [*at, index]
            ):
                found = self._place(server, parts, [*at, index])
                if found is not None:
                    return found
        return None

    def _allows(self, server: Server, part: int, index: int, at: list[int]) -> bool:
        traits = self.now[index].traits
        if part >= len(server.portions):
            return not server.forbidden_traits & traits
        portion = server.portions[part]
        if server.isolated and index in at:
            return False
        return portion.traits <= traits and not portion.forbidden_traits & traits

    def _gives(self, index: int, parts: list[Resources], at: list[int]) -> bool:
        """Whether a provider gives the newest part, too."""
        for what, amount in parts[len(at) - 1].items():
            one = self.now[index].inventories.get(what)
            if one is None or amount < one.min_unit or amount % one.step_size:
                return False
            mine = (parts[n].get(what, 0) for n, i in enumerate(at) if i == index)
            total = sum(mine)
            most = one.capacity if one.max_unit is None else one.max_unit
            if total > most or one.used + total > one.capacity:
                return False
        return True

    def _has_all(self, server: Server, at: list[int]) -> bool:
        found: set[str] = set()
        for index in at[len(server.portions) :]:
            found |= self.now[index].traits
        return server.traits <= found
