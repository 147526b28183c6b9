# SPDX-License-Identifier: Apache-2.0
"""``nova-ha guard reset``: a person says that a storm is over."""

import argparse
from collections.abc import Callable
from typing import Any

from cliff.show import ShowOne

from nova_ha_scheduler.cli import answers
from nova_ha_scheduler.cli.app import BaseCommand
from nova_ha_scheduler.cli.order_arguments import expiring, new_command
from nova_ha_scheduler.cli.values import words
from nova_ha_scheduler.cli.who import ordering
from nova_ha_scheduler.records.commands import CommandKind


class Reset(BaseCommand, ShowOne):
    """End the guard's cool-down: the storm is over, and fencing goes on as usual.

    The hosts that counted until now are fenced if they are still silent, and count no
    more. Hosts that die from now on count. The order is no word that a host is off.
    Look at nova-ha status before: each host that is suspected or confirmed there is
    fenced.
    """

    def arguments(self, add: Callable[..., Any]) -> None:
        ordering(add)
        help = "what it was, and why it is over"
        add("--reason", type=words, required=True, metavar="TEXT", help=help)
        expiring(add, "until when it waits for a trigger, if none is active")

    def take_action(self, args: argparse.Namespace) -> tuple[Any, Any]:
        order = new_command(CommandKind.RESET_GUARD, "", args)
        found = answers.ask(self.app, [order])
        self.code = answers.tell(found)
        columns, (row,) = answers.table(found)
        return columns[1:], row[1:]
