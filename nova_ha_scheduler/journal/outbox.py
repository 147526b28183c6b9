# SPDX-License-Identifier: Apache-2.0
"""Which events have been sent, to each who is sent them: a row of ``single``."""

from collections.abc import Collection

import sqlalchemy as sa

from nova_ha_scheduler.journal.database import Database, put
from nova_ha_scheduler.journal.history import numbered
from nova_ha_scheduler.journal.tables import events, single
from nova_ha_scheduler.records.events import Event, EventKind

BUS = "notified"
"""The row of those that were sent as notifications."""


def of_receiver(name: str) -> str:
    """The row of a receiver of messages to people."""
    return f"told:{name}"


class Outbox:
    """The events after the last one that was sent; every method blocks.

    Those of the time before the first use are history, and are not sent.
    """

    def __init__(
        self,
        database: Database,
        row: str = BUS,
        kinds: Collection[EventKind] | None = None,
    ) -> None:
        """:param kinds: what is sent of them; None: all."""
        self._db, self._row = database, row
        self._last = sa.select(single.c.beat).where(single.c.name == row)
        self._wanted = sa.true()
        if kinds is not None:
            self._wanted = events.c.kind.in_(sorted(kind.value for kind in kinds))

    def begin(self) -> None:
        """Say which events are history: those of now, at the first use alone.

        Before the trigger works, or its first events would be history, too.
        """
        with self._db.read() as connection:
            last = connection.scalar(self._last)
            newest = connection.scalar(sa.select(sa.func.max(events.c.number)))
        if last is None:
            self.sent(newest or 0)

    def last(self) -> int | None:
        """The number of the last event that was sent; None before the first use."""
        with self._db.read() as connection:
            last: int | None = connection.scalar(self._last)
        return last

    def newest(self) -> int:
        """The number of the newest event of all."""
        with self._db.read() as connection:
            return connection.scalar(sa.select(sa.func.max(events.c.number))) or 0

    def pending(
        self, limit: int = 100, after: int = 0, until: int | None = None
    ) -> list[tuple[int, Event]]:
        """The next events with their numbers, the oldest first.

        :param after, until: what the caller knows of their numbers, so that those of
            other kinds need not be passed over again and again.
        """
        with self._db.read() as connection:
            last = max(after, connection.scalar(self._last) or 0)
            query = sa.select(events).where(events.c.number > last, self._wanted)
            if until is not None:
                query = query.where(events.c.number <= until)
            query = query.order_by(events.c.number).limit(limit)
            rows = connection.execute(query).mappings().all()
        return [numbered(row) for row in rows]

    def waiting(self) -> tuple[int, float | None]:
        """How many were not sent yet, and of when the oldest of them is."""
        with self._db.read() as connection:
            last = connection.scalar(self._last) or 0
            query = sa.select(sa.func.count(), sa.func.min(events.c.at))
            query = query.where(events.c.number > last, self._wanted)
            many, oldest = connection.execute(query).one()
        return many, oldest

    def sent(self, number: int) -> None:
        """All up to this one were sent."""
        row = {"name": self._row, "owner": "", "beat": number, "record": "{}"}
        self._db.write(lambda connection: put(connection, single, [row]))
