# SPDX-License-Identifier: Apache-2.0
"""Host names as people write them, and as Nova knows them."""

import difflib
import re
from collections.abc import Collection, Iterable

from nova_ha_scheduler.cluster.errors import Refused
from nova_ha_scheduler.reasons import Reason


class UnknownName(Refused):
    """Nothing has this name: str() says so, and which names are like it."""


_ADDRESS = re.compile(r"[\d.]+")

_MANY = 3
"""So many guesses are shown."""


def require(host: str, known: Collection[str]) -> None:
    """Make sure that a host is known by exactly this name.

    :raises UnknownName: it is not; the sentence says which was perhaps meant.
    """
    if host not in known:
        raise UnknownName(f"{host}: {Reason.UNKNOWN_HOST.sentence(hint(host, known))}")


def hint(name: str, known: Collection[str]) -> str:
    """ " (perhaps compute-1?)", or "" where nothing is like it."""
    found = perhaps(name, known)
    more = f" or {len(found) - _MANY} more" if len(found) > _MANY else ""
    return f" (perhaps {' or '.join(found[:_MANY])}{more}?)" if found else ""


def perhaps(host: str, known: Collection[str]) -> list[str]:
    """The names that may have been meant: in another case, with or without the
    domain; else those with more at the end; else those that are spelt alike."""
    names, said = sorted(known), host.lower()
    found = [name for name in names if _is_same(host, name)]
    found = found or [n for n in names if said and n.lower().startswith(said)]
    return found or [
        name
        for name in difflib.get_close_matches(host, names, _MANY)
        if _number(name) == _number(host)  # compute-9 was not meant to be compute-2
    ]


def same_machine(host: str, known: Iterable[str]) -> str:
    """ " (perhaps compute-1.example.org?)": the only name of the same machine, in
    another case, with or without the domain; else "". No other machine's power is to be
    cut, however alike its name is."""
    found = [name for name in known if _is_same(host, name)]
    return f" (perhaps {found[0]}?)" if len(found) == 1 else ""


def _number(name: str) -> str:
    return "".join(filter(str.isdigit, name))


def _is_same(said: str, name: str) -> bool:
    """Whether both can be of one machine; an address has no domain."""
    one, other = said.lower(), name.lower()
    longer, shorter = (one, other) if len(one) > len(other) else (other, one)
    begins = bool(shorter) and longer.startswith(f"{shorter}.")
    return one == other or (begins and not _ADDRESS.fullmatch(longer))
