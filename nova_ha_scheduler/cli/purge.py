# SPDX-License-Identifier: Apache-2.0
"""``nova-ha history purge``: what the journal need not remember any more."""

import argparse
import time
from collections.abc import Callable
from typing import Any

from cliff.show import ShowOne

from nova_ha_scheduler import receivers
from nova_ha_scheduler.cli.app import BaseCommand
from nova_ha_scheduler.cli.values import duration
from nova_ha_scheduler.journal import JournalError
from nova_ha_scheduler.journal.history import History
from nova_ha_scheduler.journal.outbox import Outbox
from nova_ha_scheduler.service import conf as trigger_conf
from nova_ha_scheduler.service.notifications import broker
from nova_ha_scheduler.service.notifications.courier import outbox


class PurgeHistory(BaseCommand, ShowOne):
    """Delete what ended long ago; open recoveries stay.

    So do events that are still to be sent, as notifications or as messages to people.
    """

    def arguments(self, add: Callable[..., Any]) -> None:
        add("--older-than", type=duration, required=True, metavar="AGE", help="90d")

    def take_action(self, args: argparse.Namespace) -> tuple[Any, Any]:
        window = trigger_conf.options(self.app.conf).remembered
        if args.older_than < window:
            raise JournalError(
                f"the recoveries of the last {window:.0f} s still count, by [guard] "
                "window and [return] flapping_within: --older-than has to be longer"
            )
        database, before = self.app.database, time.time() - args.older_than
        people = receivers.named(self.app.conf).values()
        outboxes = [outbox(database, each) for each in people]
        if broker.sends(self.app.conf):
            outboxes.append(Outbox(database))
        # Of who was sent nothing yet, no trigger knows: it begins with what is then.
        lasts = [last for box in outboxes if (last := box.last()) is not None]
        sent = min(lasts, default=None)
        deleted = History(database).purge(before, sent)
        return ("recoveries_deleted",), (deleted,)
