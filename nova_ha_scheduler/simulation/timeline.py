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
    words = [event.kind.value]
    if event.server:
        words += [event.server_name, f"({event.source}"]
        words[-1] += f" -> {event.destination})" if event.destination else ")"
        if event.request_id:
            words.append(event.request_id)
    elif event.host:
        words.append(event.host)
    if event.servers:
        listed = ", ".join(sorted(names.get(s, s) for s in event.servers))
        words.append(f"[{listed}]")
    text = " ".join(words)
    for part in (event.how, event.reason):
        text += f": {part}" if part else ""
    return text
