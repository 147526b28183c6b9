# SPDX-License-Identifier: Apache-2.0
"""What people ask of the journal, newest first, and the purge of what is old."""

import json
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from nova_ha_scheduler.evacuation.records import (
    Event,
    EventKind,
    HostRecovery,
    ServerRecovery,
)
from nova_ha_scheduler.journal import JournalError, codec, tables
from nova_ha_scheduler.journal.database import Database


@dataclass(frozen=True)
class Query:
    """Which part of the history; what is None does not filter.

    :ivar since, until: seconds since the epoch; since is included, until is not. A
        recovery counts by its start.
    :ivar host: the exact name.
    :ivar server: a UUID, or an exact name.
    :ivar outcome: a recovery's or a server's last state, by its word; an event's kind.
    :ivar recovery: HostRecovery.id.
    :ivar limit: how many at most.
    :ivar after: the last key of the page before: HostRecovery.id, or an event's number.
    """

    since: float | None = None
    until: float | None = None
    host: str | None = None
    server: str | None = None
    outcome: str | None = None
    recovery: str | None = None
    limit: int = 100
    after: str | int | None = None


class History:
    """Reads the journal; every method blocks and raises JournalError."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def recoveries(self, query: Query) -> list[HostRecovery]:
        """Recoveries of hosts."""
        hosts, servers = tables.hosts, tables.servers
        order = sa.tuple_(hosts.c.started_at, hosts.c.id)
        select = sa.select(hosts.c.record)
        select = _within(select, hosts.c.started_at, query)
        select = _equal(select, hosts.c.host, query.host)
        select = _equal(select, hosts.c.outcome, query.outcome)
        select = _equal(select, hosts.c.id, query.recovery)
        if query.server is not None:
            affected = sa.select(servers.c.recovery).where(_server(servers, query))
            select = select.where(hosts.c.id.in_(affected))
        with self._db.read() as connection:
            if query.after is not None:
                marker = connection.execute(
                    sa.select(hosts.c.started_at, hosts.c.id).where(
                        hosts.c.id == str(query.after)
                    )
                ).one_or_none()
                if marker is None:
                    raise JournalError(f"there is no recovery {query.after}")
                select = select.where(order < sa.tuple_(*marker))
            select = select.order_by(hosts.c.started_at.desc(), hosts.c.id.desc())
            texts = connection.scalars(select.limit(query.limit)).all()
        return [codec.load(HostRecovery, text) for text in texts]

    def servers(self, query: Query) -> list[ServerRecovery]:
        """Recoveries of servers, by their host's; ``after`` is not used."""
        hosts, servers = tables.hosts, tables.servers
        select = sa.select(servers.c.record).join(
            hosts, hosts.c.id == servers.c.recovery
        )
        select = _within(select, hosts.c.started_at, query)
        select = _equal(select, hosts.c.host, query.host)
        select = _equal(select, servers.c.outcome, query.outcome)
        select = _equal(select, servers.c.recovery, query.recovery)
        if query.server is not None:
            select = select.where(_server(servers, query))
        select = select.order_by(
            hosts.c.started_at.desc(), servers.c.name, servers.c.server
        )
        with self._db.read() as connection:
            texts = connection.scalars(select.limit(query.limit)).all()
        return [codec.load(ServerRecovery, text) for text in texts]

    def events(self, query: Query) -> list[tuple[int, Event]]:
        """Events with their numbers."""
        events = tables.events
        select = _within(sa.select(events), events.c.at, query)
        select = _equal(select, events.c.host, query.host)
        select = _equal(select, events.c.kind, query.outcome)
        select = _equal(select, events.c.recovery, query.recovery)
        if query.server is not None:
            same = (events.c.server, events.c.server_name)
            select = select.where(sa.or_(*(c == query.server for c in same)))
        if query.after is not None:
            select = select.where(events.c.number < int(query.after))
        select = select.order_by(events.c.number.desc()).limit(query.limit)
        with self._db.read() as connection:
            rows = connection.execute(select).mappings().all()
        return [(row["number"], event_of(dict(row))) for row in rows]

    def purge(self, before: float) -> int:
        """Delete what ended before then; never what belongs to an open recovery.

        :param before: seconds since the epoch; must lie outside the guard's window,
            which counts recoveries that ended, too.
        :returns: how many recoveries of hosts were deleted.
        """
        hosts = tables.hosts
        old = sa.select(hosts.c.id).where(hosts.c.ended_at < before)
        kept = sa.select(hosts.c.id).where(
            hosts.c.ended_at.is_(None) | (hosts.c.ended_at >= before)
        )
        deletes = (
            sa.delete(tables.servers).where(tables.servers.c.recovery.in_(old)),
            sa.delete(tables.events)
            .where(tables.events.c.at < before)
            .where(tables.events.c.recovery.not_in(kept)),
            sa.delete(tables.commands)
            .where(tables.commands.c.at < before)
            .where(sa.not_(tables.commands.c.open)),
            sa.delete(hosts).where(hosts.c.ended_at < before),
        )
        counts = self._db.write(
            lambda connection: [connection.execute(d).rowcount for d in deletes]
        )
        return int(counts[-1])


def _within(select: sa.Select[Any], column: Any, query: Query) -> sa.Select[Any]:
    if query.since is not None:
        select = select.where(column >= query.since)
    if query.until is not None:
        select = select.where(column < query.until)
    return select


def _equal(select: sa.Select[Any], column: Any, value: Any) -> sa.Select[Any]:
    return select if value is None else select.where(column == value)


def _server(servers: sa.Table, query: Query) -> sa.ColumnElement[bool]:
    return (servers.c.server == query.server) | (servers.c.name == query.server)


def event_of(row: dict[str, Any]) -> Event:
    """An event from its row, which is used up."""
    del row["number"]
    row["kind"] = EventKind(row["kind"])
    row["servers"] = tuple(json.loads(row["servers"]))
    return Event(**row)
