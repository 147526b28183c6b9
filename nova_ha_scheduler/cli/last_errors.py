# SPDX-License-Identifier: Apache-2.0
"""The errors of the last day that nothing has ended yet, for ``nova-ha status``."""

from typing import Any

from nova_ha_scheduler.cli.values import Moment
from nova_ha_scheduler.journal.history import History, HistoryQuery
from nova_ha_scheduler.printable import flat
from nova_ha_scheduler.records.events import TROUBLES, Event, EventKind

_AGE = 24 * 3600.0
"""Seconds after which an error is history: nova-ha history events has it."""

_MOST = 10
"""How many are shown: a whole rack may have lost its power."""

_EVENTS = 1000
"""How many of the newest events are looked through."""

_LENGTH = 240
"""Characters of an error that are shown to people: a service may have said more."""

_ERRORS = [kind for kind in TROUBLES if kind is not EventKind.COMMAND_REFUSED]
"""Who gave an order that was refused has been told."""

Row = dict[str, Any]


def found(history: History, now: float) -> list[Row]:
    """The newest of each kind of each host and server, the newest first.

    :param now: seconds since the epoch.
    """
    kinds = {kind for error in _ERRORS for kind in (error, *TROUBLES[error])}
    query = HistoryQuery(since=now - _AGE, limit=_EVENTS)
    over: set[tuple[EventKind, str, str]] = set()
    rows: dict[tuple[EventKind, str, str], Row] = {}
    for _, event in history.events(query, kinds):
        about = (event.kind, event.host, event.server)
        ends = {(kind, *about[1:]) for kind in TROUBLES.get(event.kind, ())}
        if event.kind not in _ERRORS or ends & over:
            over.add(about)
        elif about in rows:
            rows[about]["times"] += 1
        else:
            rows[about] = _row(event)
    return [*rows.values()][:_MOST]


def line(row: Row) -> str:
    """One of them, for people."""
    what = " ".join(filter(None, (row["kind"], row["host"], row["server"])))
    times = f" ({row['times']} times)" if row["times"] > 1 else ""
    head = f"{row['at']} {what}{times}"
    said = ": ".join(filter(None, (row["how"], row["reason"])))
    return ": ".join(filter(None, (head, flat(said, _LENGTH))))


def _row(event: Event) -> Row:
    return {
        "at": Moment(event.at),
        "kind": event.kind.value,
        "host": event.host,
        "server": event.server_name,
        "times": 1,
        "how": event.how,
        "reason": event.reason,
    }
