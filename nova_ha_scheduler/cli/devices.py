# SPDX-License-Identifier: Apache-2.0
"""What the history last said of fence devices."""

from operator import itemgetter

from nova_ha_scheduler.evacuation.records import Event, EventKind
from nova_ha_scheduler.journal.history import History, Query

_MANY = 10_000


def newest(history: History) -> dict[str, Event]:
    """The last DEVICE_BROKEN or DEVICE_WORKS of each host, by name.

    A device that was never seen broken has neither.
    """
    events = [
        *history.events(Query(outcome=EventKind.DEVICE_BROKEN.value, limit=_MANY)),
        *history.events(Query(outcome=EventKind.DEVICE_WORKS.value, limit=_MANY)),
    ]
    found = {event.host: event for _, event in sorted(events, key=itemgetter(0))}
    return dict(sorted(found.items()))
