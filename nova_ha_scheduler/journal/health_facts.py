# SPDX-License-Identifier: Apache-2.0
"""What is judged, from the journal."""

from nova_ha_scheduler.codec import Unreadable
from nova_ha_scheduler.health.judgement import JournalFacts
from nova_ha_scheduler.journal.store import SqlJournal


def gather(journal: SqlJournal, now: float) -> JournalFacts:
    """Read the journal. :raises JournalError: it cannot be used."""
    report, age, unreadable = None, None, ""
    try:
        report, age = journal.report_and_age() or (None, None)
    except Unreadable as error:
        unreadable = f"another version wrote it: {error}"
    state, holder = journal.load(now), journal.holder()
    return JournalFacts(state, holder, report, unreadable, age)
