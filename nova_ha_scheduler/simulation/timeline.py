# SPDX-License-Identifier: Apache-2.0
"""The history's events as lines."""

from collections.abc import Mapping

from nova_ha_scheduler.records.events import Event, EventKind

QUIET = (EventKind.SERVER_LANDED,)
"""Said by the event that follows at once."""


def line(event: Event, names: Mapping[str, str]) -> str:
    """An event as a line of the timeline.

    :param names: of servers, by uuid.
    """
    listed = sorted(names.get(uuid, uuid) for uuid in event.servers)
    return event.words(", ".join(listed))
