# SPDX-License-Identifier: Apache-2.0
"""The engine's journal, and the lease that lets one engine alone write to it.

The lease is a row with its owner's name and a number that each of the owner's commits
raises in the same transaction. So a trigger that has lost it can write no intent, and
without an intent it does nothing. Another one takes over after it has seen the same
number for the lease's time by its own clock: no two clocks are compared.
"""

import dataclasses
import json
import os
import secrets
import socket
import time
from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa

from nova_ha_scheduler.evacuation.records import (
    Change,
    Command,
    Event,
    GuardRecord,
    HostRecovery,
    HostState,
    Intent,
    ServerRecovery,
    State,
)
from nova_ha_scheduler.journal import NotActive, codec, tables
from nova_ha_scheduler.journal.database import Database

LEASE = tables.single.c.name == "lease"
GUARD = tables.single.c.name == "guard"


def _now() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)  # goes on while suspended


class SqlJournal:
    """:class:`nova_ha_scheduler.evacuation.interfaces.Journal` in SQL.

    Every method blocks on the database and raises JournalError.

    :param lease_timeout: seconds after which another trigger may take over.
    """

    def __init__(self, database: Database, lease_timeout: float = 15.0) -> None:
        self._db = database
        self._timeout = lease_timeout
        self.owner = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        self._seen: tuple[str, int] | None = None
        self._seen_at = 0.0
        self._renewed_at: float | None = None

    # The lease.

    @property
    def active(self) -> bool:
        """Whether no other trigger can have taken over yet; asks nobody.

        To be looked at just before an effect that was journalled some time ago.
        """
        if self._renewed_at is None:
            return False
        return _now() - self._renewed_at < self._timeout

    def acquire(self) -> bool:
        """Try to become the active trigger; to be repeated until it is True."""
        with self._db.read() as connection:
            row = connection.execute(
                sa.select(tables.single.c.owner, tables.single.c.beat).where(LEASE)
            ).one()
        now = _now()
        found = (row.owner, row.beat)
        if found != self._seen:
            self._seen, self._seen_at = found, now
        if row.owner and now - self._seen_at < self._timeout:
            return False
        take = (
            sa.update(tables.single)
            .where(LEASE, tables.single.c.owner == row.owner)
            .where(tables.single.c.beat == row.beat)
            .values(owner=self.owner, beat=row.beat + 1)
        )
        if not self._db.write(lambda connection: connection.execute(take).rowcount):
            return False
        self._renewed_at = now
        return True

    def renew(self) -> None:
        """Show a sign of life, if no commit did so for a third of the timeout.

        :raises NotActive: another trigger has taken over.
        """
        if self._renewed_at is None or _now() - self._renewed_at > self._timeout / 3:
            self.commit(Change())

    def release(self) -> None:
        """Let another trigger take over at once; for an orderly end."""
        self._renewed_at = None
        leave = (
            sa.update(tables.single)
            .where(LEASE, tables.single.c.owner == self.owner)
            .values(owner="")
        )
        self._db.write(lambda connection: connection.execute(leave))

    def holder(self) -> str:
        """Who is, or was last, the active trigger; "" after an orderly end."""
        with self._db.read() as connection:
            owner = sa.select(tables.single.c.owner).where(LEASE)
            return str(connection.execute(owner).scalar_one())

    # The engine's part.

    def load(self, admitted_since: float) -> State:
        """All that is open, and the recoveries admitted since then."""
        hosts, servers = tables.hosts, tables.servers
        is_open = hosts.c.ended_at.is_(None)
        with self._db.read() as connection:

            def records(cls: Any, query: sa.Select[tuple[str]]) -> list[Any]:
                return [codec.load(cls, text) for text in connection.scalars(query)]

            found_hosts = records(
                HostRecovery,
                sa.select(hosts.c.record)
                .where(is_open | (hosts.c.admitted_at >= admitted_since))
                .order_by(hosts.c.started_at, hosts.c.id),
            )
            found_servers = records(
                ServerRecovery,
                sa.select(servers.c.record)
                .join(hosts, hosts.c.id == servers.c.recovery)
                .where(is_open)
                .order_by(servers.c.recovery, servers.c.server),
            )
            intents = records(
                Intent,
                sa.select(tables.intents.c.record).order_by(tables.intents.c.number),
            )
            commands = records(
                Command,
                sa.select(tables.commands.c.record)
                .where(tables.commands.c.open)
                .order_by(tables.commands.c.at, tables.commands.c.id),
            )
            guard = records(GuardRecord, sa.select(tables.single.c.record).where(GUARD))
        return State(
            hosts={record.id: record for record in found_hosts},
            servers={
                (record.recovery, record.server): record for record in found_servers
            },
            intents={record.id: record for record in intents},
            commands={record.id: record for record in commands},
            guard=guard[0],
        )

    def commit(self, change: Change) -> None:
        """All of it or nothing; on return it is durable.

        :raises NotActive: another trigger has taken over; nothing was written.
        :raises JournalError: it is unknown whether it was written: load again.
        """
        now = _now()
        try:
            self._db.write(lambda connection: self._commit(connection, change))
        except NotActive:
            self._renewed_at = None
            raise
        self._renewed_at = now

    def _commit(self, connection: sa.Connection, change: Change) -> None:
        beat = (
            sa.update(tables.single)
            .where(LEASE, tables.single.c.owner == self.owner)
            .values(beat=tables.single.c.beat + 1)
        )
        if not connection.execute(beat).rowcount:
            raise NotActive("another trigger is active on this journal")
        _put(connection, tables.hosts, map(_host_row, change.hosts))
        _put(connection, tables.servers, map(_server_row, change.servers))
        _put(connection, tables.commands, map(_command_row, change.commands))
        _add(connection, tables.intents, map(_intent_row, change.opened))
        closed = [outcome.intent.id for outcome in change.closed]
        if closed:
            same = tables.intents.c.id.in_(closed)
            connection.execute(sa.delete(tables.intents).where(same))
        _add(connection, tables.events, map(_event_row, change.events))
        if change.guard is not None:
            memory = sa.update(tables.single).where(GUARD)
            text = codec.dump(change.guard)
            connection.execute(memory.values(record=text))

    # The command line's part; needs no lease.

    def add_command(self, command: Command) -> None:
        """Write down an order, for the active trigger's next step."""
        row = _command_row(command)
        self._db.write(lambda connection: _add(connection, tables.commands, [row]))

    def command(self, command_id: str) -> Command | None:
        """An order with what has become of it."""
        with self._db.read() as connection:
            text = connection.execute(
                sa.select(tables.commands.c.record).where(
                    tables.commands.c.id == command_id
                )
            ).scalar_one_or_none()
        return codec.load(Command, text) if text else None


def outcome_of(record: HostRecovery) -> str:
    """How far a recovery came: of a closed one, what it was before."""
    if record.state not in (HostState.CLOSED, HostState.RETURNING):
        return str(record.state.value)
    ends = (HostState.RECOVERED.value, HostState.INCOMPLETE.value)
    reached = [end for end in ends if end in record.stages]
    newest = max(reached, key=record.stages.__getitem__, default=record.state.value)
    return str(newest)


Row = Mapping[str, Any]


def _host_row(record: HostRecovery) -> Row:
    return {
        "id": record.id,
        "host": record.host,
        "outcome": outcome_of(record),
        "started_at": record.started_at,
        "admitted_at": record.admitted_at,
        "ended_at": record.ended_at,
        "record": codec.dump(record),
    }


def _server_row(record: ServerRecovery) -> Row:
    return {
        "recovery": record.recovery,
        "server": record.server,
        "name": codec.fits(record.name, 255),
        "outcome": record.state.value,
        "record": codec.dump(record),
    }


def _intent_row(record: Intent) -> Row:
    return {"id": record.id, "record": codec.dump(record)}


def _command_row(record: Command) -> Row:
    return {
        "id": record.id,
        "host": codec.fits(record.host, 255),
        "at": record.at,
        "open": not record.answer,
        "record": codec.dump(record),
    }


def _event_row(record: Event) -> Row:
    row = {f.name: getattr(record, f.name) for f in dataclasses.fields(record)}
    row |= {"kind": record.kind.value, "servers": json.dumps(record.servers)}
    for name, value in row.items():
        if isinstance(value, str):
            length = getattr(tables.events.c[name].type, "length", None)
            row[name] = codec.fits(value, length)
    return row


def _put(connection: sa.Connection, table: sa.Table, rows: Iterable[Row]) -> None:
    """Insert rows, or replace those with the same key."""
    rows = list(rows)
    if rows:
        key = [column.name for column in table.primary_key]
        same = (table.c[name] == sa.bindparam(f"key_{name}") for name in key)
        connection.execute(
            sa.delete(table).where(*same),
            [{f"key_{name}": row[name] for name in key} for row in rows],
        )
        _add(connection, table, rows)


def _add(connection: sa.Connection, table: sa.Table, rows: Iterable[Row]) -> None:
    rows = list(rows)
    if rows:
        connection.execute(sa.insert(table), rows)
