# SPDX-License-Identifier: Apache-2.0
"""A proof that so many servers cannot have a place, so that nobody searches for it.

Say that each server pays for its place, by its class, and that what it takes has its
price. Nobody gains more than if all that pay more than they cost had a place, and all
the room there is were sold. Where so many as are wanted would bring more than that,
they cannot have a place: not even if the room were in one piece, and servers could be
cut in pieces, too. So prices are looked for that show it.
"""

from collections import Counter
from collections.abc import Sequence

from nova_ha_scheduler.cluster.providers import Resources
from nova_ha_scheduler.planner.packed_amounts import Item

ROUNDS = 100
"""How many times the prices are changed at most."""

_MARGIN = 0.5
"""By how much it is to be shown, in servers of the last class; any of it will do, but
for what is lost in rounding."""

_ROUNDING = 1e-6


def out_of_reach(
    items: Sequence[Item], rooms: Sequence[Resources], wanted: Sequence[int]
) -> bool:
    """Whether it is sure that these hosts cannot take so many.

    :param items: servers that have a spot on any of the hosts.
    :param wanted: how many of each class; of those that are not named: none.
    """
    kinds = sorted({what for item in items for what in item.needs})
    there = {what: sum(max(0, r.get(what, 0)) for r in rooms) for what in kinds}
    kinds = [what for what in kinds if there[what]]
    if not kinds:
        return False
    asking = [
        (item.alike, [item.needs.get(what, 0) / there[what] for what in kinds])
        for item in items
        if item.alike < len(wanted)
    ]
    prices = [wanted[-1] / len(kinds)] * len(kinds)
    pay = [1.0] * len(wanted)
    for _ in range(ROUNDS):
        gain, taken = sum(prices), [0.0] * len(kinds)
        placed: Counter[int] = Counter()
        for alike, needs in asking:
            cost = sum(map(float.__mul__, prices, needs))
            if pay[alike] > cost:
                gain += pay[alike] - cost
                taken = list(map(float.__add__, taken, needs))
                placed[alike] += 1
        over = gain - sum(p * n for p, n in zip(pay, wanted, strict=True))
        if over < -_ROUNDING:
            return True
        # What is sold too often becomes dearer; who is placed too rarely pays more.
        unsold = [1 - n for n in taken]
        spare = [placed[alike] - n for alike, n in enumerate(wanted[:-1])]
        length = sum(n * n for n in (*unsold, *spare))
        if not length:
            return False
        step = (over + _MARGIN) / length
        prices = [max(0.0, p - step * n) for p, n in zip(prices, unsold, strict=True)]
        pay = [max(0.0, p - step * n) for p, n in zip(pay, spare, strict=False)] + [1.0]
    return False
