# SPDX-License-Identifier: Apache-2.0
"""What a check finds."""

import enum
from collections.abc import Iterable
from dataclasses import dataclass

from nova_ha_scheduler.printable import first_of


class Severity(enum.IntEnum):
    """How bad it is; the number is the exit code."""

    INFO = 0
    """Good to know; nothing has to be done."""
    WARNING = 1
    """It works, but not as well, or not always."""
    ERROR = 2
    """A recovery, or the scheduler plugin, will not do what it is there for."""


@dataclass(frozen=True)
class Finding:
    """One thing that should be put right.

    :ivar what: what is so, with the name of the host, option or flavor.
    :ivar why: why it matters.
    :ivar mend: the command, or the setting, that mends it.
    """

    severity: Severity
    what: str
    why: str
    mend: str


def names(found: Iterable[str], most: int = 5) -> str:
    """The names in their order; see :func:`.printable.first_of`."""
    return first_of(sorted(found), most)
