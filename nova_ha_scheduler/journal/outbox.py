# SPDX-License-Identifier: Apache-2.0
"""Which events have been sent as notifications: a row of ``single`` remembers."""

import sqlalchemy as sa

from nova_ha_scheduler.evacuation.records import Event
from nova_ha_scheduler.journal import tables
from nova_ha_scheduler.journal.database import Database
from nova_ha_scheduler.journal.history import event_of

_ROW = tables.single.c.name == "notified"


class Outbox:
    """The events after the last one that was sent; every method blocks.

    Those of the time before the first use are history, and are not sent.
    """

    def __init__(self, database: Database) -> None:
        self._db = database

    def begin(self) -> None:
        """Say which events are history: those of now, at the first use alone.

        Before the trigger works, or its first events would be history, too.
        """
        with self._db.read() as connection:
            known = connection.execute(sa.select(tables.single.c.beat).where(_ROW))
            if known.scalar_one_or_none() is not None:
                return
            newest = connection.execute(
                sa.select(sa.func.max(tables.events.c.number))
            ).scalar()
        self.sent(newest or 0)

    def pending(self, limit: int = 100) -> list[tuple[int, Event]]:
        """The next events with their numbers, the oldest first."""
        number = tables.events.c.number
        with self._db.read() as connection:
            last = connection.execute(
                sa.select(tables.single.c.beat).where(_ROW)
            ).scalar_one_or_none()
            rows = connection.execute(
                sa.select(tables.events)
                .where(number > (last or 0))
                .order_by(number)
                .limit(limit)
            ).mappings()
            return [(row["number"], event_of(dict(row))) for row in rows]

    def sent(self, number: int) -> None:
        """All up to this one were sent."""

        def write(connection: sa.Connection) -> None:
            update = sa.update(tables.single).where(_ROW).values(beat=number)
            if not connection.execute(update).rowcount:
                row = {"name": "notified", "owner": "", "beat": number, "record": ""}
                connection.execute(sa.insert(tables.single).values(row))

        self._db.write(write)
