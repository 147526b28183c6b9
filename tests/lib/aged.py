# SPDX-License-Identifier: Apache-2.0
"""A report in a journal, as if it had been written long ago."""

import sqlalchemy as sa

from nova_ha_scheduler.journal.database import Database
from nova_ha_scheduler.journal.tables import single


def report(database: Database, seconds: float) -> None:
    """Let the newest one be so much older, by the database's clock."""
    older = single.c.beat - int(seconds * 1000)
    change = sa.update(single).where(single.c.name == "report").values(beat=older)
    database.write(lambda connection: connection.execute(change))
