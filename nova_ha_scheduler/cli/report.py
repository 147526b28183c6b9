# SPDX-License-Identifier: Apache-2.0
"""The journal's records as the command line shows them."""

from collections import Counter
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

from nova_ha_scheduler.cli.values import seconds, shown
from nova_ha_scheduler.evacuation.records import (
    Event,
    EventKind,
    HostRecovery,
    HostState,
    ServerRecovery,
    ServerState,
)
from nova_ha_scheduler.journal.history import History, Query
from nova_ha_scheduler.journal.store import outcome_of

_ALL = 1_000_000
_NOTICE = 60.0
"""Seconds by which the notification of a force-down can precede its recovery."""

Row = dict[str, Any]


def counts(servers: Iterable[ServerRecovery]) -> dict[str, int]:
    """How many servers are in each state."""
    found = Counter(server.state for server in servers)
    return {state.value: found[state] for state in ServerState}


def accounted_at(record: HostRecovery) -> float | None:
    """When every server was accounted for."""
    ends = (HostState.RECOVERED.value, HostState.INCOMPLETE.value)
    return max((record.stages[e] for e in ends if e in record.stages), default=None)


def notification_to_evacuate(history: History, record: HostRecovery) -> float | None:
    """Seconds from Nova's force-down notification to the first evacuate request.

    None where it was not a notification that told of the death.
    """
    asked = history.events(
        Query(recovery=record.id, outcome=EventKind.SERVER_ASKED.value, limit=_ALL)
    )
    if not asked:
        return None
    first = asked[-1][1].at
    notified = history.events(
        Query(
            host=record.host,
            outcome=EventKind.HOST_NOTIFIED.value,
            since=record.started_at - _NOTICE,
            until=first,
            limit=_ALL,
        )
    )
    return seconds(notified[0][1].at, first) if notified else None


def host_row(history: History, record: HostRecovery) -> Row:
    """One recovery of a host."""
    servers = history.servers(Query(recovery=record.id, limit=_ALL))
    found = counts(servers)
    final = {s.value: found[s.value] for s in ServerState if s.final}
    return {
        "recovery": record.id,
        "host": record.host,
        "began": shown(record.started_at),
        "ended": shown(record.ended_at),
        "outcome": outcome_of(record),
        "proof": str(record.evidence) if record.evidence else None,
        **final,
        "under_way": sum(found.values()) - sum(final.values()),
        "seconds": seconds(record.started_at, accounted_at(record)),
        "notification_to_evacuate_s": notification_to_evacuate(history, record),
        "reason": reason(record),
    }


def reason(record: HostRecovery | ServerRecovery) -> str:
    """Why it is not as the operator would like it, as a sentence."""
    return record.reason.sentence(record.detail) if record.reason else ""


def server_row(record: ServerRecovery) -> Row:
    """One server's recovery; each latency in seconds."""
    return {
        "recovery": record.recovery,
        "server": record.server,
        "name": record.name,
        "from": record.source,
        "to": record.destination,
        "outcome": record.state.value,
        "reason": reason(record),
        "priority": record.priority,
        "attempts": record.attempts,
        "request_id": record.request_id,
        "waited_s": seconds(record.seen_at, record.asked_at),
        "moved_s": seconds(record.asked_at, record.landed_at),
        "checked_s": seconds(record.landed_at, record.ended_at),
    }


def event_row(event: Event) -> Row:
    """One line of history, without what is not known."""
    row = {
        "at": shown(event.at),
        "event": event.kind.value,
        "host": event.host,
        "server": event.server,
        "name": event.server_name,
        "from": event.source,
        "to": event.destination,
        "how": event.how,
        "reason": event.reason,
        "request_id": event.request_id,
        "servers": list(event.servers) if event.servers else None,
    }
    return {key: value for key, value in row.items() if value}


def stages(record: HostRecovery) -> list[Row]:
    """The states in the order in which they were entered, and how long each took."""
    order = sorted(record.stages.items(), key=lambda item: item[1])
    ends = [later for _, (_, later) in pairwise(order)] + [record.ended_at]
    return [
        {"state": state, "entered": shown(at), "seconds": seconds(at, end)}
        for (state, at), end in zip(order, ends, strict=True)
    ]


def details(history: History, record: HostRecovery) -> Row:
    """All that is known of a recovery."""
    query = Query(recovery=record.id, limit=_ALL)
    events = [event_row(event) for _, event in reversed(history.events(query))]
    return {
        **host_row(history, record),
        "stages": stages(record),
        "servers": [
            {key: value for key, value in server_row(s).items() if key != "recovery"}
            for s in history.servers(query)
        ],
        "events": events,
    }
