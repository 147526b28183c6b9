# SPDX-License-Identifier: Apache-2.0
"""``nova-ha history purge``: what the journal need not remember any more."""

import argparse
import time
from collections.abc import Callable
from typing import Any

from cliff.show import ShowOne

from nova_ha_scheduler.cli.app import BaseCommand
from nova_ha_scheduler.cli.values import duration
from nova_ha_scheduler.journal import JournalError
from nova_ha_scheduler.journal.history import History
from nova_ha_scheduler.journal.outbox import Outbox
from nova_ha_scheduler.service import conf as trigger_conf
from nova_ha_scheduler.service.notifications import broker


class PurgeHistory(BaseCommand, ShowOne):
    """Delete what ended long ago; open recoveries stay.

    So do events that are still to be sent as notifications.
    """

    def arguments(self, add: Callable[..., Any]) -> None:
        add("--older-than", type=duration, required=True, metavar="AGE", help="90d")

    def take_action(self, args: argparse.Namespace) -> tuple[Any, Any]:
        window = trigger_conf.options(self.app.conf).guard_window
        if args.older_than < window:
            raise JournalError(
                f"the guard still counts the recoveries of the last {window:.0f} s"
            )
        database, before = self.app.database, time.time() - args.older_than
        sent = Outbox(database).last() if broker.sends(self.app.conf) else None
        deleted = History(database).purge(before, sent)
        return ("recoveries_deleted",), (deleted,)
