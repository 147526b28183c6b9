# SPDX-License-Identifier: Apache-2.0
"""``nova-ha confirm-fenced``, ``abort``, ``retry``: what the trigger is told."""

import argparse
import sys
import time
from collections.abc import Callable
from typing import Any, ClassVar

from cliff.show import ShowOne

from nova_ha_scheduler.cli import exits
from nova_ha_scheduler.cli.app import Command
from nova_ha_scheduler.cli.orders import confirming, expiring, new_command
from nova_ha_scheduler.cli.values import Moment, words
from nova_ha_scheduler.evacuation import orders
from nova_ha_scheduler.evacuation.orders import CommandKind
from nova_ha_scheduler.journal.store import SqlJournal

_WAIT_SECONDS = 15.0
"""The active trigger looks for orders twice a second, and then at the cloud."""

_POLL_SECONDS = 0.2


class ConfirmFenced(Command, ShowOne):
    """Give your word that a host is powered off and stays so.

    If it is not, its servers run twice and their disks are lost.
    """

    def arguments(self, add: Callable[..., Any]) -> None:
        add("host", help="the compute service's exact host name")
        confirming(add, required=True)

    def take_action(self, args: argparse.Namespace) -> tuple[Any, Any]:
        command = new_command(CommandKind.CONFIRM_FENCED, args.host, args)
        SqlJournal(self.app.database).add_command(command)
        columns = ("command", "host", "by", "reason", "expires")
        expires = Moment(command.expires_at)
        return columns, (command.id, args.host, args.by, args.reason, expires)


class _Order(Command, ShowOne):
    kind: ClassVar[CommandKind]

    def arguments(self, add: Callable[..., Any]) -> None:
        add("host", type=words, help="the compute service's exact host name")
        given: dict[str, Any] = {"type": words, "required": True}
        add("--by", metavar="NAME", help="who wants it", **given)
        add("--reason", metavar="TEXT", help="why", **given)
        expiring(add, "until when it waits for a trigger, if none is active")

    def take_action(self, args: argparse.Namespace) -> tuple[Any, Any]:
        order = new_command(self.kind, args.host, args)
        journal = SqlJournal(self.app.database)
        journal.add_command(order)
        answer = self._answer(journal, order)
        expires = Moment(order.expires_at)
        columns = ("command", "host", "by", "reason", "expires", "answer")
        return columns, (order.id, args.host, args.by, args.reason, expires, answer)

    def _answer(self, journal: SqlJournal, order: orders.Command) -> str:
        """What the trigger says to it, or why it says nothing; sets the exit code."""
        if not journal.holder():
            return "queued: no trigger is active"
        end = time.monotonic() + _WAIT_SECONDS
        while time.monotonic() < end:
            found = journal.command(order.id)
            if found is not None and found.answer:
                if found.refusal:
                    self.code = exits.REFUSED
                    print(f"{found.host}: {found.answer}", file=sys.stderr)
                return found.answer
            time.sleep(_POLL_SECONDS)
        self.code = exits.LATE
        return f"queued: {journal.holder()} has not answered yet"


class Abort(_Order):
    """Stop the recovery of a host where it stands; nova-ha retry takes it up again.

    A fence under way and evacuations that Nova was asked for are followed to their
    end; nothing new is begun. It says nothing of whether the host is off.
    """

    kind = CommandKind.ABORT


class Retry(_Order):
    """Take up what is incomplete, or was aborted, in the recovery of a host.

    It says nothing of whether the host is off: that is proven as ever.
    """

    kind = CommandKind.RETRY
