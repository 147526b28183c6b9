# SPDX-License-Identifier: Apache-2.0
"""Host names as people write them, and as Nova knows them."""

import difflib
from collections.abc import Collection

from nova_ha_scheduler.evacuation.interfaces import Refused
from nova_ha_scheduler.evacuation.reasons import Reason

_MANY = 3
"""So many guesses are shown."""


def require(host: str, known: Collection[str]) -> None:
    """Make sure that a host is known by exactly this name.

    :raises Refused: it is not; the sentence says which was perhaps meant.
    """
    if host in known:
        return
    found = perhaps(host, known)
    more = f" or {len(found) - _MANY} more" if len(found) > _MANY else ""
    hint = f" (perhaps {' or '.join(found[:_MANY])}{more}?)" if found else ""
    raise Refused(f"{host}: {Reason.UNKNOWN_HOST.sentence()}{hint}")


def perhaps(host: str, known: Collection[str]) -> list[str]:
    """The names that may have been meant: in another case, with or without the
    domain, or with more at the end; else those that are spelt alike."""
    said = host.lower()
    found = [name for name in sorted(known) if _alike(said, name.lower())]
    return found or difflib.get_close_matches(host, sorted(known), _MANY)


def _alike(said: str, name: str) -> bool:
    return bool(said) and (name.startswith(said) or said.startswith(f"{name}."))
