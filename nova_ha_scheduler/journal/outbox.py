# SPDX-License-Identifier: Apache-2.0
"""Which events have been sent as notifications: a row of ``single`` remembers."""

import sqlalchemy as sa

from nova_ha_scheduler.journal.database import Database, put
from nova_ha_scheduler.journal.history import numbered
from nova_ha_scheduler.journal.tables import events, single
from nova_ha_scheduler.records.events import Event

_LAST = sa.select(single.c.beat).where(single.c.name == "notified")


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
            last = connection.scalar(_LAST)
            newest = connection.scalar(sa.select(sa.func.max(events.c.number)))
        if last is None:
            self.sent(newest or 0)

    def last(self) -> int | None:
        """The number of the last event that was sent; None before the first use."""
        with self._db.read() as connection:
            last: int | None = connection.scalar(_LAST)
        return last

    def pending(self, limit: int = 100) -> list[tuple[int, Event]]:
        """The next events with their numbers, the oldest first."""
        with self._db.read() as connection:
            last = connection.scalar(_LAST) or 0
            query = sa.select(events).where(events.c.number > last)
            query = query.order_by(events.c.number).limit(limit)
            rows = connection.execute(query).mappings().all()
        return [numbered(row) for row in rows]

    def sent(self, number: int) -> None:
        """All up to this one were sent."""
        row = {"name": "notified", "owner": "", "beat": number, "record": "{}"}
        self._db.write(lambda connection: put(connection, single, [row]))
