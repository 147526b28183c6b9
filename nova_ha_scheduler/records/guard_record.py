# SPDX-License-Identifier: Apache-2.0
"""What the journal keeps of the guard."""

from dataclasses import dataclass

from nova_ha_scheduler.records.ages import age


@dataclass(frozen=True)
class GuardRecord:
    """The guard's memory; there is one.

    :ivar tripped_until: nothing is fenced before then; None: it is not tripped.
    :ivar tripped_at: since when.
    :ivar counted: the hosts that counted when it tripped, or since.
    :ivar reason: the sentence that says which limit, and how far over it.
    :ivar blind_since: since when all services are silent, if they are.
    :ivar sighted_at: when that ended, or the clock was set: silence counts from then.
    :ivar left_alone: hosts that are down under maintenance, of which that was told.
    :ivar left_disabled: the same of those whose service somebody has disabled.
    """

    tripped_until: float | None = age()
    reason: str = ""
    blind_since: float | None = None
    sighted_at: float | None = age()
    left_alone: tuple[str, ...] = ()
    tripped_at: float | None = age()
    counted: tuple[str, ...] = ()
    left_disabled: tuple[str, ...] = ()
