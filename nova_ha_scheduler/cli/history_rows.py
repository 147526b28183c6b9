# SPDX-License-Identifier: Apache-2.0
"""The journal's records as the command line shows them."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import fields
from itertools import groupby, pairwise
from typing import Any

from nova_ha_scheduler.cli.values import Moment, seconds
from nova_ha_scheduler.journal.history import History, HistoryQuery
from nova_ha_scheduler.records.events import Event, EventKind, in_words
from nova_ha_scheduler.records.host_recovery import HostRecovery, HostState
from nova_ha_scheduler.records.move import Move, MoveState
from nova_ha_scheduler.records.server_recovery import ServerRecovery, ServerState

_NOTICE = 60.0
"""Seconds by which the notification of a force-down can precede its recovery."""

Row = dict[str, Any]


def counts(
    servers: Iterable[ServerRecovery | Move],
    states: type[ServerState | MoveState] = ServerState,
) -> dict[str, int]:
    """How many servers are in each of these states."""
    found = Counter(server.state for server in servers)
    return {state.value: found[state] for state in states}


def progress(servers: Iterable[ServerRecovery]) -> str:
    """How far a recovery has come: '12 of 30, 4 moving, 2 waiting: no room'.

    Of those that are to be recovered.
    """
    meant = [s for s in servers if not (s.state is ServerState.LEFT and s.settled)]
    found = standings(meant)
    done = found.pop(ServerState.RECOVERED.value, 0)
    rest = [f"{number} {words}" for words, number in sorted(found.items())]
    return ", ".join([f"{done} of {len(meant)}", *rest])


def standings(servers: Iterable[ServerRecovery | Move]) -> Counter[str]:
    """How many are in each state and, where they stand still, for each reason."""
    return Counter(_standing(server) for server in servers)


_GO_ON = (ServerState.RECOVERED, ServerState.ASKED, MoveState.MOVED, MoveState.ASKED)
"""Where a reason is one of before."""


def _standing(server: ServerRecovery | Move) -> str:
    word: str = server.state.value
    if server.reason is None or server.state in _GO_ON:
        return word
    return f"{word}: {server.reason.name.lower().replace('_', ' ')}"


def notification_to_evacuate(history: History, record: HostRecovery) -> float | None:
    """Seconds from Nova's force-down notification to the first evacuate request.

    None where it was not a notification that told of the death.
    """
    asked = EventKind.SERVER_ASKED.value
    requests = history.events(
        HistoryQuery(recovery=record.id, outcome=asked, limit=None)
    )
    if not requests:
        return None
    first = requests[-1][1].at
    since, notified = record.started_at - _NOTICE, EventKind.HOST_NOTIFIED.value
    query = HistoryQuery(
        host=record.host, outcome=notified, since=since, until=first, limit=1
    )
    heard = history.events(query)
    return seconds(heard[0][1].at, first) if heard else None


def host_row(history: History, record: HostRecovery) -> Row:
    """One recovery of a host."""
    servers = history.servers(HistoryQuery(recovery=record.id, limit=None))
    return _host_row(record, servers, notification_to_evacuate(history, record))


def _host_row(
    record: HostRecovery,
    servers: list[ServerRecovery],
    notified: float | None,
) -> Row:
    accounted = record.stages.get(record.ended_as or "")
    found = counts(servers)
    final = {
        state.value: found.pop(state.value) for state in ServerState if state.final
    }
    return {
        "recovery": record.id,
        "host": record.host,
        "began": Moment(record.started_at),
        "ended": Moment(record.ended_at),
        "outcome": record.outcome,
        "proof": str(record.evidence) if record.evidence else None,
        **final,
        "under_way": sum(found.values()),
        "progress": progress(servers) if servers else "",
        "seconds": seconds(record.started_at, accounted),
        "notification_to_evacuate_s": notified,
        "reason": record.sentence,
    }


def details(history: History, recovery: HostRecovery) -> Row:
    """All of one recovery, with its ``stages``, ``servers`` and ``events``."""
    query = HistoryQuery(recovery=recovery.id, limit=None)
    events = history.events(query)[::-1]
    return {
        **host_row(history, recovery),
        "stages": stages(recovery, [event for _, event in events]),
        "servers": [server_row(server) for server in history.servers(query)],
        "events": [event_row(event) for _, event in events],
    }


def server_row(record: ServerRecovery) -> Row:
    """One server's recovery; each latency in seconds."""
    return {
        "server": record.server,
        "name": record.name,
        "from": record.source,
        "to": record.destination,
        "outcome": record.state.value,
        "reason": record.sentence,
        "priority": record.priority,
        "attempts": record.attempts,
        "request_id": record.request_id,
        "waited_s": seconds(record.seen_at, record.asked_at),
        "moved_s": seconds(record.asked_at, record.landed_at),
        "checked_s": seconds(record.landed_at, record.ended_at),
    }


def server_line(row: Row) -> str:
    """The same for people."""
    end = f" to {row['to']}" if row["to"] else ""
    times = [
        f"{word} {row[key]:g} s"
        for word, key in (
            ("waited", "waited_s"),
            ("moved", "moved_s"),
            ("checked", "checked_s"),
        )
        if row[key] is not None
    ]
    more = filter(None, (row["reason"], ", ".join(times)))
    return "; ".join([f"{row['name']} ({row['server']}): {row['outcome']}{end}", *more])


def event_row(event: Event) -> Row:
    """One line of history, by the notification's names, without what is empty."""
    known = {"at": Moment(event.at), "kind": event.kind.value}
    row = {**vars(event), **known, "servers": list(event.servers)}
    return {key: value for key, value in row.items() if value and key != "recovery"}


EVENT = ("number", "at", "what", "kind", *(f.name for f in fields(Event)[2:]))
"""The columns of an event in a list."""


def event_values(number: int, event: Event) -> list[Any]:
    """The values of these, also where they are nothing."""
    told = event_row(event)
    row = {"number": number, "what": str(event), **vars(event), **told}
    return [list(v) if isinstance(v := row[n], tuple) else v for n in EVENT]


def event_line(row: Row) -> str:
    """The same for people."""
    return f"{row['at']} {in_words(row)}"


def stages(record: HostRecovery, events: Iterable[Event]) -> list[Row]:
    """The states in the order in which they were entered, and how long each took: a
    line for each time, of which the record has the last one and the events the others.
    """
    states = [state.value for state in HostState]
    words = {f"host.{state}": state for state in states}
    told = ((words[e.kind.value], e.at) for e in events if e.kind.value in words)
    entered = {*record.stages.items(), *told}
    every = sorted(entered, key=lambda s: (s[1], states.index(s[0])))
    order = [next(same) for _, same in groupby(every, key=lambda s: s[0])]
    ends = [later for _, (_, later) in pairwise(order)] + [record.ended_at]
    return [
        {"state": state, "entered": Moment(at), "seconds": seconds(at, end)}
        for (state, at), end in zip(order, ends, strict=True)
    ]


def stage_line(row: Row) -> str:
    """The same for people."""
    took = "" if row["seconds"] is None else f" for {row['seconds']:g} s"
    return f"{row['entered']} {row['state']}{took}"


_NO_HOST = HostRecovery("", "", HostState.SUSPECTED, 0.0)
_NO_SERVER = ServerRecovery("", "", "", "", ServerState.WAITING, 0.0)

HOST = tuple(_host_row(_NO_HOST, [], None))
"""The columns of a host's recovery, also where there is none."""

SERVER = ("recovery", *server_row(_NO_SERVER))
"""The same of servers' recoveries in a list."""
