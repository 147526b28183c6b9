# SPDX-License-Identifier: Apache-2.0
"""Who gives an order, where nobody is named.

A word that a host is off always has a name: it is the proof, and is not given in
passing. Every other order is that of whoever is logged in; commands are run as the
trigger's user, so that is who has called sudo.
"""

import getpass
import os
from collections.abc import Callable
from typing import Any

from nova_ha_scheduler import files
from nova_ha_scheduler.cli.values import words


def ordering(add: Callable[..., Any]) -> None:
    """Declare --by of an order that is no word that a host is off."""
    you = _you()
    add(
        "--by",
        type=words,
        metavar="NAME",
        default=you or None,
        required=not you,
        help="who orders it (who is logged in, or has called sudo)",
    )


def signed(by: str) -> str:
    """As the history has it: with the user beside, where that is another name."""
    return files.signed(by, files.owner(os.getuid()))


def _you() -> str:
    """ "" where that is not known: then it has to be said."""
    try:
        return (os.environ.get("SUDO_USER") or getpass.getuser()).strip()
    except (OSError, KeyError, ImportError):
        return ""
