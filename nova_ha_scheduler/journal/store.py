# SPDX-License-Identifier: Apache-2.0
"""The engine's journal, and the lease that lets one engine alone write to it.

The lease is a row with its owner's name and a number that each of the owner's commits
raises in the same transaction. So a trigger that has lost it can write no intent, and
without an intent it does nothing. Another one takes over after it has seen the same
number for the lease's time by its own clock: no two clocks are compared.
"""

import functools
import json
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import sqlalchemy as sa
from oslo_db import exception as db_exception

from nova_ha_scheduler.health import report
from nova_ha_scheduler.health.report import Report
from nova_ha_scheduler.journal import (
    JournalError,
    NotActive,
    schema,
    table_rows,
    tables,
)
from nova_ha_scheduler.journal.database import Database, put
from nova_ha_scheduler.journal.database_clock import Now
from nova_ha_scheduler.journal.tables import single
from nova_ha_scheduler.records.commands import Command
from nova_ha_scheduler.records.effects import Intent
from nova_ha_scheduler.records.events import Event
from nova_ha_scheduler.records.guard_record import GuardRecord
from nova_ha_scheduler.records.pauses import Pause
from nova_ha_scheduler.records.state import KINDS, Change, State

T = TypeVar("T")

LEASE = single.c.name == "lease"
GUARD = single.c.name == "guard"

_REPORT = "report"

_LEASE = sa.select(single.c.owner, single.c.beat, single.c.record).where(LEASE)

_BEHIND = (
    "the database shows an older state of the journal than was written: use one node "
    "of its cluster at a time, or set [database] mysql_wsrep_sync_wait to 1"
)

_REPORTED = sa.select(single.c.record, single.c.beat, Now().label("now")).where(
    single.c.name == _REPORT
)

_INTENTS = sa.select(tables.intents.c.record).order_by(tables.intents.c.number)
_GUARD = sa.select(single.c.record).where(GUARD)

_NEVER = float("-inf")


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
        self._seen: tuple[str, int, str] | None = None
        self._seen_at = 0.0
        self._memory, self._left = threading.Lock(), False
        """Guards the next three; the loop, the lease's thread and health's all write.
        What was left is not renewed by what was on its way."""
        self._renewed_at = _NEVER
        self._beat = 0
        """The lease's number at the newest of our commits."""
        self._reading = table_rows.Reading()

    # The lease.

    @property
    def active(self) -> bool:
        """Whether no other trigger can have taken over yet; asks nobody.

        To be looked at just before an effect that was journalled some time ago.
        """
        return _now() - self._renewed_at < self._timeout

    def acquire(self, patience: float = 1.0, lock: str = "") -> bool:
        """Try to become the active trigger; to be repeated until it is True.

        :param patience: how many timeouts the active one has to be silent for.
        :param lock: what tells a lock that is held here, and that its last holder can
            have lost only with its life, from all others. Who took the lease with the
            same one is not waited for.
        :raises JournalError: also where a newer version has upgraded it meanwhile.
        """
        owner, beat, locked = found = self._lease()
        now = _now()
        if found != self._seen:
            self._seen, self._seen_at = found, now
        free = owner in ("", self.owner) or (lock != "" and lock == locked)
        if not free and now - self._seen_at < self._timeout * patience:
            return False
        with self._db.read() as connection:
            schema.check(connection)
        take = _lease_of(owner).where(single.c.beat == beat)
        row = {"owner": self.owner, "beat": beat + 1, "record": _locked_with(lock)}
        if not self._db.write(lambda c: c.execute(take.values(row)).rowcount):
            return False
        with self._memory:
            self._left, self._renewed_at, self._beat = False, now, beat + 1
        return True

    def renew(self) -> bool:
        """Show a sign of life, if no commit did so for a third of the timeout.

        :returns: whether that was needed.
        :raises NotActive: another trigger has taken over.
        """
        needed = _now() - self._renewed_at > self._timeout / 3
        if needed:
            self.commit(Change())
        return needed

    def release(self) -> None:
        """Let another trigger take over at once; for an orderly end."""
        with self._memory:  # what another thread is just writing renews nothing
            self._left, self._renewed_at = True, _NEVER
        leave = _lease_of(self.owner).values(owner="")
        self._db.write(lambda connection: connection.execute(leave))

    def holder(self) -> str:
        """Who is, or was last, the active trigger; "" after an orderly end."""
        return self._lease()[0]

    def _lease(self) -> tuple[str, int, str]:
        """Who holds it, its number, and the lock that it was taken with."""
        with self._db.read() as connection:
            row = connection.execute(_LEASE).one()
        return row.owner, row.beat, json.loads(row.record).get("lock", "")

    # The engine's part.

    def load(self, admitted_since: float) -> State:
        """All that is open, and the recoveries admitted since then.

        :raises JournalError: also for a state older than what this trigger has written,
            as a node of a cluster may show that has not applied it yet.
        """
        newest, queries = self._beat, tables.wanted(admitted_since)
        reading = self._reading.next()
        with self._db.read() as connection:
            load = functools.partial(_records, connection, read=reading.load)
            lease = connection.execute(_LEASE).one()
            if lease.owner == self.owner and lease.beat < newest:
                raise JournalError(_BEHIND)
            found = {k.name: k.by_key(load(k.record, queries[k.name])) for k in KINDS}
            intents = {intent.id: intent for intent in load(Intent, _INTENTS)}
            guard = load(GuardRecord, _GUARD)[0]
        self._reading = reading
        return State(intents=intents, guard=guard, **found)

    def pauses(self) -> Sequence[Pause]:
        """Those that were not ended, the oldest first."""
        with self._db.read() as connection:
            return _records(connection, Pause, tables.open_pauses)

    def commit(self, change: Change) -> None:
        """All of it or nothing; on return it is durable.

        :raises NotActive: another trigger has taken over; nothing was written.
        :raises JournalError: it is unknown whether it was written: load again.
        """
        self._write(lambda connection: self._commit(connection, change))

    def _write(self, do: Callable[[sa.Connection], int]) -> None:
        """A transaction that renews the lease; it returns the lease's number."""
        now = _now()
        try:
            beat = self._db.write(do)
        except NotActive:
            with self._memory:
                self._renewed_at = _NEVER
            raise
        self._renewed(now, beat)

    def _renewed(self, at: float, beat: int) -> None:
        """The lease was, at that time; another thread may have done so since."""
        with self._memory:
            if not self._left:
                self._renewed_at = max(self._renewed_at, at)
            self._beat = max(self._beat, beat)

    def _commit(self, connection: sa.Connection, change: Change) -> int:
        """:returns: the lease's number."""
        self._hold(connection)
        kinds = ((tables.of_kind[k.name], getattr(change, k.name)) for k in KINDS)
        others = (tables.intents, change.opened), (tables.events, change.events)
        for table, found in (*kinds, *others):
            put(connection, table, [table_rows.row(table, record) for record in found])
        if change.closed:
            closed = [outcome.intent.id for outcome in change.closed]
            same = tables.intents.c.id.in_(closed)
            connection.execute(sa.delete(tables.intents).where(same))
        if change.guard is not None:
            memory = sa.update(single).where(GUARD)
            connection.execute(memory.values(record=table_rows.dump(change.guard)))
        return int(connection.execute(_LEASE).one().beat)

    def put_report(self, report: Report, alive: bool) -> None:
        """Replace what the active trigger says of itself.

        :param alive: whether that is a sign of life, which renews the lease.
        :raises NotActive: another trigger has taken over; nothing was written.
        """
        row = {"name": _REPORT, "owner": self.owner, "beat": Now()}
        leave = sa.insert(single).values(**row, record=table_rows.dump(report))

        def write(connection: sa.Connection) -> int:
            self._hold(connection, beats=int(alive))
            connection.execute(sa.delete(single).where(single.c.name == _REPORT))
            connection.execute(leave)
            return int(connection.execute(_LEASE).one().beat)

        if alive:
            self._write(write)
        else:
            self._db.write(write)

    def report_and_age(self) -> tuple[Report, float | None] | None:
        """The newest report, and how many seconds ago it was written, by the database's
        clock; None: a version wrote it that did not ask that. No pair: no trigger of
        this version was active yet.

        :raises codec.Unreadable: a trigger of another version wrote it.
        """
        with self._db.read() as connection:
            row = connection.execute(_REPORTED).one_or_none()
        if row is None or not row.record:
            return None
        age = (row.now - row.beat) / 1000 if row.beat else None
        return report.load(row.record), age

    def _hold(self, connection: sa.Connection, beats: int = 1) -> None:
        """Make sure of the lease, until the transaction ends.

        :raises NotActive: another trigger holds it.
        """
        beat = _lease_of(self.owner).values(beat=single.c.beat + beats)
        if not connection.execute(beat).rowcount:
            raise NotActive("another trigger is active on this journal")

    # The command line's part; needs no lease.

    def add_commands(self, commands: Sequence[Command]) -> None:
        """Write down orders, all or none, for the active trigger's next step."""
        rows = [table_rows.row(tables.commands, command) for command in commands]
        self._db.write(lambda connection: put(connection, tables.commands, rows))

    def add_command_once(self, command: Command) -> None:
        """The same for an order that others may write down, too: the first one stays,
        with what has become of it."""
        row = table_rows.row(tables.commands, command)
        add = sa.insert(tables.commands).values(row)
        try:
            self._db.write(lambda connection: connection.execute(add))
        except JournalError as error:
            if not isinstance(error.__cause__, db_exception.DBDuplicateEntry):
                raise

    def put_pauses(self, pauses: Sequence[Pause], events: Sequence[Event]) -> None:
        """Begin or end pauses, which holds at once, and tell it.

        It waits for a commit of the active trigger's to end, as that does for this:
        the numbers of events are the order in which they can be seen.
        """
        self._db.write(lambda connection: self._put_pauses(connection, pauses, events))

    @staticmethod
    def _put_pauses(
        connection: sa.Connection,
        pauses: Sequence[Pause],
        events: Sequence[Event],
    ) -> None:
        connection.execute(sa.update(single).where(LEASE).values(owner=single.c.owner))
        for table, found in (tables.pauses, pauses), (tables.events, events):
            put(connection, table, [table_rows.row(table, record) for record in found])

    def command(self, command_id: str) -> Command | None:
        """An order with what has become of it."""
        found = self.commands([command_id])
        return found[0] if found else None

    def commands(self, ids: Sequence[str]) -> list[Command]:
        """Orders with what has become of them."""
        same = tables.commands.c.id.in_(ids)
        query = sa.select(tables.commands.c.record).where(same)
        with self._db.read() as connection:
            return _records(connection, Command, query)


def _records(
    connection: sa.Connection,
    cls: type[T],
    query: "sa.Select[Any]",
    read: Callable[[type[T], str], T] = table_rows.load,
) -> list[T]:
    """What a query of records finds."""
    return [read(cls, text) for text in connection.scalars(query)]


def _locked_with(lock: str) -> str:
    """The lease's record."""
    return json.dumps({"lock": lock} if lock else {})


def _lease_of(owner: str) -> sa.Update:
    """An update of the lease, as long as that trigger holds it."""
    return sa.update(single).where(LEASE, single.c.owner == owner)
