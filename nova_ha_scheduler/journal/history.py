# SPDX-License-Identifier: Apache-2.0
"""What people ask of the journal, newest first, and the purge of what is old."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from nova_ha_scheduler.journal import table_rows
from nova_ha_scheduler.journal.database import Database
from nova_ha_scheduler.journal.tables import (
    commands,
    decisions,
    events,
    hosts,
    moves,
    pauses,
    servers,
    windows,
)
from nova_ha_scheduler.records.events import Event, EventKind
from nova_ha_scheduler.records.host_recovery import HostRecovery
from nova_ha_scheduler.records.maintenance_window import Window
from nova_ha_scheduler.records.move import Move
from nova_ha_scheduler.records.server_recovery import ServerRecovery


@dataclass(frozen=True)
class HistoryQuery:
    """Which part of the history; what is None does not filter.

    :ivar since, until: seconds since the epoch; since is included, until is not. A
        recovery counts by its start.
    :ivar host: the exact name.
    :ivar server: a UUID, or an exact name.
    :ivar outcome: a recovery's or a server's last state, by its word; an event's kind.
    :ivar recovery: HostRecovery.id.
    :ivar limit: how many at most; None: all.
    """

    since: float | None = None
    until: float | None = None
    host: str | None = None
    server: str | None = None
    outcome: str | None = None
    recovery: str | None = None
    limit: int | None = 100


class History:
    """Reads the journal; every method blocks and raises JournalError."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def recoveries(self, query: HistoryQuery) -> list[HostRecovery]:
        """Recoveries of hosts."""
        select = sa.select(hosts.c.record).where(
            _asked(query, hosts.c.started_at, hosts.c.host, hosts.c.outcome, hosts.c.id)
        )
        if query.server is not None:
            affected = sa.select(servers.c.recovery).where(
                _either(query.server, servers.c.server, servers.c.name)
            )
            select = select.where(hosts.c.id.in_(affected))
        order = (hosts.c.started_at.desc(), hosts.c.id.desc())
        return self._records(HostRecovery, select.order_by(*order).limit(query.limit))

    def servers(self, query: HistoryQuery) -> list[ServerRecovery]:
        """Recoveries of servers, by their host's."""
        select = sa.select(servers.c.record).join(
            hosts, hosts.c.id == servers.c.recovery
        )
        select = select.where(
            _asked(
                query, hosts.c.started_at, hosts.c.host, servers.c.state, hosts.c.id
            ),
            _either(query.server, servers.c.server, servers.c.name),
        )
        order = (hosts.c.started_at.desc(), servers.c.name, servers.c.server)
        return self._records(ServerRecovery, select.order_by(*order).limit(query.limit))

    def hosts(self) -> set[str]:
        """Every host that something is known of."""
        return self._words(hosts.c.host, windows.c.host, events.c.host)

    def known_servers(self) -> set[str]:
        """The ids and the names of every server that something is known of."""
        return self._words(
            *(servers.c.server, servers.c.name, moves.c.server, moves.c.name),
            *(events.c.server, events.c.server_name),
        )

    def _words(self, *columns: Any) -> set[str]:
        with self._db.read() as connection:
            found = (
                connection.scalars(sa.select(column).distinct()) for column in columns
            )
            return {word for words in found for word in words if word}

    def windows(self, query: HistoryQuery, ended: bool = True) -> list[Window]:
        """Maintenances of hosts.

        :param ended: with those that are over.
        """
        select = sa.select(windows.c.record).where(
            _asked(query, windows.c.started_at, windows.c.host, None, windows.c.id)
        )
        if not ended:
            select = select.where(windows.c.ended_at.is_(None))
        order = (windows.c.started_at.desc(), windows.c.id.desc())
        return self._records(Window, select.order_by(*order).limit(query.limit))

    def moves(self, job: str) -> list[Move]:
        """The moves of a maintenance, or of a failback, by name."""
        select = sa.select(moves.c.record).where(moves.c.job == job)
        return self._records(Move, select.order_by(moves.c.name, moves.c.server))

    def after(self, number: int, limit: int = 500) -> list[tuple[int, Event]]:
        """The events that follow one, the oldest first, with their numbers."""
        query = sa.select(events).where(events.c.number > number)
        with self._db.read() as connection:
            found = query.order_by(events.c.number).limit(limit)
            rows = connection.execute(found).mappings().all()
        return [numbered(row) for row in rows]

    def _records(self, cls: Any, select: Any) -> list[Any]:
        with self._db.read() as connection:
            texts = connection.scalars(select).all()
        return [table_rows.load(cls, text) for text in texts]

    def events(
        self, query: HistoryQuery, kinds: Collection[EventKind] | None = None
    ) -> list[tuple[int, Event]]:
        """Events with their numbers. :param kinds: any of these; None: all."""
        select = sa.select(events).where(
            _asked(query, events.c.at, events.c.host, events.c.kind, events.c.recovery),
            _either(query.server, events.c.server, events.c.server_name),
        )
        if kinds is not None:
            select = select.where(events.c.kind.in_(kind.value for kind in kinds))
        select = select.order_by(events.c.number.desc()).limit(query.limit)
        with self._db.read() as connection:
            rows = connection.execute(select).mappings().all()
        return [numbered(row) for row in rows]

    def event(self, number: int) -> Event | None:
        """The event with a number."""
        select = sa.select(events).where(events.c.number == number)
        with self._db.read() as connection:
            row = connection.execute(select).mappings().one_or_none()
        return numbered(row)[1] if row else None

    def purge(self, before: float, sent: int | None = None) -> int:
        """Delete what ended before then; never what belongs to an open recovery.

        :param before: seconds since the epoch; must lie outside the guard's window,
            which counts recoveries that ended, too.
        :param sent: the number of the last event that was sent as a notification: the
            later ones stay, to be sent. None: none of them is to be sent.
        :returns: how many recoveries of hosts were deleted.
        """
        old = hosts.c.ended_at < before
        kept = [
            sa.select(table.c.id).where(
                table.c.ended_at.is_(None) | (table.c.ended_at >= before)
            )
            for table in (hosts, windows)
        ]
        deletes = (
            sa.delete(servers).where(
                servers.c.recovery.in_(sa.select(hosts.c.id).where(old))
            ),
            sa.delete(events).where(
                events.c.at < before,
                *(events.c.recovery.not_in(ids) for ids in kept),
                sa.true() if sent is None else events.c.number <= sent,
            ),
            sa.delete(moves).where(
                moves.c.ended_at < before, moves.c.job.not_in(kept[1])
            ),
            sa.delete(windows).where(windows.c.ended_at < before),
            sa.delete(commands).where(commands.c.at < before, commands.c.answer != ""),
            sa.delete(pauses).where(pauses.c.ended_at < before),
            sa.delete(decisions).where(decisions.c.at < before),
            sa.delete(hosts).where(old),
        )
        counts = self._db.write(
            lambda connection: [connection.execute(d).rowcount for d in deletes]
        )
        return int(counts[-1])


def _asked(query: HistoryQuery, at: Any, host: Any, outcome: Any, recovery: Any) -> Any:
    """What the query asks of the columns that hold these."""
    wanted = ((host, query.host), (outcome, query.outcome), (recovery, query.recovery))
    found = [column == value for column, value in wanted if value is not None]
    if query.since is not None:
        found.append(at >= query.since)
    if query.until is not None:
        found.append(at < query.until)
    return sa.and_(sa.true(), *found)


def _either(server: str | None, uuid: Any, name: Any) -> Any:
    return sa.true() if server is None else (uuid == server) | (name == server)


def numbered(row: Mapping[Any, Any]) -> tuple[int, Event]:
    """An event from its row, with its number."""
    fields = {**row, "kind": EventKind(row["kind"])}
    fields["servers"] = tuple(json.loads(row["servers"]))
    return fields.pop("number"), Event(**fields)
