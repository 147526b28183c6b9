# SPDX-License-Identifier: Apache-2.0
"""``nova-ha receiver list`` and ``test``: who is sent messages, and do they come?"""

import argparse
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from cliff.lister import Lister

from nova_ha_scheduler import exits, receivers
from nova_ha_scheduler.cli.app import BaseCommand
from nova_ha_scheduler.cli.values import in_local
from nova_ha_scheduler.receivers import Receiver, ReceiverError, message
from nova_ha_scheduler.service.notifications.courier import outbox
from nova_ha_scheduler.spelling import hint


class ListReceivers(BaseCommand, Lister):
    """List who is sent messages, and what waits for them in the journal."""

    short = ("receiver", "place", "waiting", "oldest")

    def take_action(self, args: argparse.Namespace) -> tuple[Any, Any]:
        rows = []
        for name, each in receivers.named(self.app.conf).items():
            box = outbox(self.app.database, each)
            last, (many, oldest) = box.last(), box.waiting()
            known = last is not None  # else it begins with what is then
            since = in_local(oldest) if known and oldest is not None else None
            kinds = sorted(kind.value for kind in each.kinds)
            waiting = many if known else 0
            rows.append(
                (name, each.options.type, each.place, waiting, since, last, kinds)
            )
        columns = ("receiver", "type", "place", "waiting", "oldest", "last", "kinds")
        return columns, rows


class TestReceivers(BaseCommand, Lister):
    """Send a test message to receivers, from this machine, and say what became of it.

    If none is named, to all. The test is in no history, and what waits for a receiver
    goes on waiting.
    """

    def arguments(self, add: Callable[..., Any]) -> None:
        help = "a receiver of [messages] receivers; all, if none is named"
        add("receiver", nargs="*", metavar="NAME", help=help)

    def take_action(self, args: argparse.Namespace) -> tuple[Any, Any]:
        known = receivers.named(self.app.conf)
        for name in args.receiver:
            if name not in known:
                words = f"[messages] receivers has no {name}{hint(name, known)}"
                self.parser.error(words)
        chosen = [known[name] for name in dict.fromkeys(args.receiver or known)]
        rows = []
        if chosen:
            with ThreadPoolExecutor(len(chosen)) as pool:
                rows = list(pool.map(self._try, chosen))
        else:
            self.below = ["[messages] receivers names none."]
        failed = [row for row in rows if row[2] != "sent"]
        if failed:
            self.code = exits.PARTLY if len(failed) < len(rows) else exits.ERROR
        return ("receiver", "place", "result", "why"), rows

    def _try(self, each: Receiver) -> tuple[str, str, str, str]:
        sent = message.of_nothing(time.time(), self.app.conf.messages.cloud)
        try:
            why = each.send(sent)
        except ReceiverError as error:
            return each.name, each.place, "failed", str(error)
        return each.name, each.place, "in part" if why else "sent", why
