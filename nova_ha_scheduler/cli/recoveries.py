# SPDX-License-Identifier: Apache-2.0
"""``nova-ha confirm-fenced``, ``abort``, ``retry``: what the trigger is told."""

import argparse
import sys
from collections.abc import Callable
from typing import Any, ClassVar

from cliff.lister import Lister
from cliff.show import ShowOne

from nova_ha_scheduler.cli import answers, spooled
from nova_ha_scheduler.cli.app import BaseCommand
from nova_ha_scheduler.cli.order_arguments import confirming, expiring, new_command
from nova_ha_scheduler.cli.values import words
from nova_ha_scheduler.cli.who import ordering
from nova_ha_scheduler.cluster.errors import Refused
from nova_ha_scheduler.records.commands import CommandKind
from nova_ha_scheduler.spool.word import DIRECTORY


class ConfirmFenced(BaseCommand, Lister):
    """Give your word that hosts are powered off and stay so.

    If a host is not off, its servers run twice and their disks are lost. The active
    trigger uses the word when the host is suspected. Until then the word is noted; it
    is void as soon as the host is heard of. A user who may not read nova-ha.conf gives
    the word to the trigger on this machine, through the directory for words.
    """

    short = answers.SHORT

    def arguments(self, add: Callable[..., Any]) -> None:
        help = "the compute services' exact host names"
        add("hosts", type=words, nargs="*", metavar="HOST", help=help)
        add("--zone", type=words, help="the hosts in this storage zone")
        add("--aggregate", type=words, help="the hosts in this host aggregate")
        help = "with --zone or --aggregate: do not ask whether these hosts are meant"
        add("--yes", action="store_true", help=help)
        confirming(add, required=True)

    def take_action(self, args: argparse.Namespace) -> tuple[Any, Any]:
        if sum(map(bool, (args.hosts, args.zone, args.aggregate))) != 1:
            self.parser.error("hosts, or --zone, or --aggregate")
        spools = spooled.is_needed(self.app, DIRECTORY)
        kind = CommandKind.CONFIRM_FENCED
        hosts = self._hosts(args, spools)
        orders = [new_command(kind, host, args) for host in hosts]
        if spools:
            found = spooled.ask(orders, args.by, DIRECTORY)
        else:
            found = answers.ask(self.app, orders)
        self.code = answers.tell(found)
        return answers.table(found)

    def _hosts(self, args: argparse.Namespace, spools: bool) -> list[str]:
        """Whose they are; of one, the trigger judges the name."""
        named = list(dict.fromkeys(args.hosts))
        if spools and not named:
            raise Refused("--zone and --aggregate need nova-ha.conf: name the hosts")
        if spools or len(named) == 1:
            return named
        # What asks the cloud takes long to import.
        from nova_ha_scheduler.cli import racks

        if named:
            racks.named(self.app, named)
            return named
        found = racks.members(self.app, args.zone, args.aggregate)
        if not args.yes:
            self._ask(found)
        return found

    def _ask(self, hosts: list[str]) -> None:
        """Whether a person means these."""
        listed = f"{len(hosts)} hosts: {', '.join(hosts)}"
        if not sys.stdin.isatty():
            self.parser.error(f"{listed}: --yes is needed if all of them are off")
        print(f"{listed}. Are all of them off? (yes): ", end="", file=sys.stderr)
        if sys.stdin.readline().strip() != "yes":
            raise Refused("nothing was ordered")


class _Order(BaseCommand, ShowOne):
    kind: ClassVar[CommandKind]

    def arguments(self, add: Callable[..., Any]) -> None:
        add("host", type=words, help="the compute service's exact host name")
        ordering(add)
        add("--reason", type=words, required=True, metavar="TEXT", help="why")
        expiring(add, "until when it waits for a trigger, if none is active")

    def take_action(self, args: argparse.Namespace) -> tuple[Any, Any]:
        order = new_command(self.kind, args.host, args, **self.more(args))
        found = answers.ask(self.app, [order])
        self.code = answers.tell(found)
        columns, (row,) = answers.table(found)
        return columns, row

    def more(self, args: argparse.Namespace) -> dict[str, Any]:
        """What the command alone says; see Command."""
        return {}


class Abort(_Order):
    """Stop the recovery of a host where it stands; nova-ha retry takes it up again.

    A fence under way and evacuations that Nova was asked for are followed to their
    end; nothing new is begun. The order is no word that the host is off.
    """

    kind = CommandKind.ABORT


class Retry(_Order):
    """Take up what is incomplete, or was aborted, in the recovery of a host.

    The order is no word that the host is off: that is proven as ever.
    """

    kind = CommandKind.RETRY

    def arguments(self, add: Callable[..., Any]) -> None:
        super().arguments(add)
        help = (
            "you have emptied both queues of the host (compute.HOST and "
            "compute-alt.HOST) since it is off, so that nothing in there starts a "
            "server when it returns: those in powering-on and the like are evacuated"
        )
        add("--queues-emptied", action="store_true", help=help)

    def more(self, args: argparse.Namespace) -> dict[str, Any]:
        return {"queues_emptied": args.queues_emptied}
