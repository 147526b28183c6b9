# SPDX-License-Identifier: Apache-2.0
"""Host names as people write them, and as Nova knows them."""

import difflib
from collections.abc import Collection

from nova_ha_scheduler.cluster.errors import Refused
from nova_ha_scheduler.reasons import Reason


class UnknownName(Refused):
    """Nothing has this name: str() says so, and which names are like it."""


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
    domain, or with more at the end; else those that are spelt alike."""
    said, names = host.lower(), sorted(known)
    found = [name for name in names if _alike(said, name.lower())]
    return found or [
        name
        for name in difflib.get_close_matches(host, names, _MANY)
        if _number(name) == _number(host)  # compute-9 was not meant to be compute-2
    ]


def _number(name: str) -> str:
    return "".join(filter(str.isdigit, name))


def _alike(said: str, name: str) -> bool:
    return bool(said) and (name.startswith(said) or said.startswith(f"{name}."))
