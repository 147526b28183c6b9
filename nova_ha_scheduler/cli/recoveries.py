# SPDX-License-Identifier: Apache-2.0
"""``nova-ha confirm-fenced``, ``abort``, ``retry``: what the trigger is told."""

import argparse
from collections.abc import Callable
from typing import Any, ClassVar

from cliff.lister import Lister
from cliff.show import ShowOne

from nova_ha_scheduler.cli import answers, spooled
from nova_ha_scheduler.cli.app import Command
from nova_ha_scheduler.cli.orders import confirming, expiring, new_command
from nova_ha_scheduler.cli.values import words
from nova_ha_scheduler.evacuation.orders import CommandKind
from nova_ha_scheduler.spool.word import DIRECTORY


class ConfirmFenced(Command, Lister):
    """Give your word that a host is powered off and stays so.

    If it is not, its servers run twice and their disks are lost. The active trigger
    uses the word when the host is suspected; until then it is noted, and is void as
    soon as the host is heard of. Who may not read nova-ha.conf gives the word to the
    trigger on this machine, through its directory.
    """

    short = answers.SHORT

    def arguments(self, add: Callable[..., Any]) -> None:
        add("host", type=words, help="the compute service's exact host name")
        confirming(add, required=True)

    def take_action(self, args: argparse.Namespace) -> tuple[Any, Any]:
        order = new_command(CommandKind.CONFIRM_FENCED, args.host, args)
        if spooled.is_needed(self.app, DIRECTORY):
            found = spooled.ask([order], DIRECTORY)
        else:
            found = answers.ask(self.app, [order])
        self.code = answers.tell(found)
        return answers.table(found)


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
        found = answers.ask(self.app, [order])
        self.code = answers.tell(found)
        columns, (row,) = answers.table(found)
        return columns, row


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
