# SPDX-License-Identifier: Apache-2.0
"""What the trigger means to do and has done, in SQL: sqlite, MariaDB or PostgreSQL.

:mod:`.store` is the engine's journal, :mod:`.history` what people ask of it,
:mod:`.schema` knows whether the tables of :mod:`.tables` are there, and :mod:`.upgrade`
makes and upgrades them.
"""

from oslo_config import cfg


class JournalError(Exception):
    """The database did not do as asked, in a sentence without credentials.

    After a failed commit it is unknown whether it happened: forget what was to be
    written, and load again.
    """


class WrongDatabase(JournalError, cfg.Error):
    """[database] connection cannot be meant, or the journal is not where it says."""


class NoJournal(WrongDatabase):
    """There is none yet. :ivar what: that, without what to do."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"{what} ([database] connection): start nova-ha-evacuator first, which "
            "makes it"
        )
        self.what = what


class NotActive(JournalError):
    """Another trigger holds this journal; nothing was written."""
