# SPDX-License-Identifier: Apache-2.0
"""Decisions, kept with what they were made on."""

import json
import zlib
from collections.abc import Sequence

import sqlalchemy as sa
from oslo_log import log as logging

from nova_ha_scheduler import codec
from nova_ha_scheduler.evacuation.decisions import Decision
from nova_ha_scheduler.journal import JournalError
from nova_ha_scheduler.journal.database import Database
from nova_ha_scheduler.journal.tables import decisions, events

LOG = logging.getLogger(__name__)

MIB = 2**20

_LEVEL = 6
"""Of zlib: beyond, it takes much longer for next to nothing."""


class Decisions:
    """Needs no lease: nothing follows from what is kept.

    :param most: bytes that they may take; then the oldest ones go, but for one.
    """

    def __init__(self, database: Database, most: int = 256 * MIB) -> None:
        self._db, self._most = database, most

    def keep(self, decision: Decision) -> None:
        """Write it down; if that fails, it is logged, and nothing else happens."""
        try:
            text = json.dumps(codec.plain(decision), separators=(",", ":"))
            data = zlib.compress(text.encode("ascii"), _LEVEL)
            row = {"at": decision.now, "size": len(data), "data": data}
            self._db.write(lambda connection: self._keep(connection, row))
        except Exception as error:
            # Whatever it is: the recovery must not stand still for it.
            LOG.warning("A decision could not be kept: %s", error)

    def _keep(self, connection: sa.Connection, row: dict[str, object]) -> None:
        connection.execute(sa.insert(decisions).values(row))
        sizes = sa.select(decisions.c.number, decisions.c.size)
        left = self._most
        newest_first = connection.execute(sizes.order_by(decisions.c.number.desc()))
        for index, (number, size) in enumerate(newest_first.all()):
            left -= size
            if left < 0 and index:
                old = decisions.c.number <= number
                connection.execute(sa.delete(decisions).where(old))
                return

    def of(self, recovery: str) -> list[tuple[int, Decision]]:
        """Those about a recovery, the oldest first, with their numbers.

        :raises JournalError: one was written by another version of the program.
        """
        return self._at(events.c.recovery == recovery)

    def of_event(self, number: int) -> list[tuple[int, Decision]]:
        """The step that told an event of the history; nothing, if it is not kept.

        :raises JournalError: it was written by another version of the program.
        """
        return self._at(events.c.number == number)

    def _at(self, which: sa.ColumnElement[bool]) -> list[tuple[int, Decision]]:
        query = sa.select(decisions.c.number, decisions.c.data).where(
            decisions.c.at.in_(sa.select(events.c.at).where(which))
        )
        with self._db.read() as connection:
            rows: Sequence[sa.Row[tuple[int, bytes]]] = connection.execute(
                query.order_by(decisions.c.number)
            ).all()
        return [(number, _loaded(number, data)) for number, data in rows]


def _loaded(number: int, data: bytes) -> Decision:
    try:
        found: Decision = codec.typed(Decision, json.loads(zlib.decompress(data)))
    except (codec.Unreadable, ValueError, zlib.error) as error:
        raise JournalError(
            f"decision {number} cannot be read, it was kept by another version: {error}"
        ) from error
    return found
