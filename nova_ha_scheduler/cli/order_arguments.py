# SPDX-License-Identifier: Apache-2.0
"""What the commands that order something of the trigger share."""

import argparse
import time
from collections.abc import Callable
from typing import Any

from oslo_utils import uuidutils

from nova_ha_scheduler.cli.app import BaseCommand
from nova_ha_scheduler.cli.times import FORMS, TellInstant, ahead
from nova_ha_scheduler.cli.values import words
from nova_ha_scheduler.cli.who import signed
from nova_ha_scheduler.records.commands import Command, CommandKind


def confirming(add: Callable[..., Any], required: bool) -> None:
    """Declare the arguments of a person's word that a host is off.

    :param required: whether the word for it always has to be given.
    """
    given: dict[str, Any] = {"type": words, "required": required}
    add("--by", metavar="NAME", help="who is sure that it is off", **given)
    add("--reason", metavar="TEXT", help="how that is known", **given)
    expiring(add, "until when the word holds, if it is not needed at once")


def expiring(add: Callable[..., Any], what: str) -> None:
    """Declare until when an order waits."""
    add(
        "--expires",
        type=ahead,
        action=TellInstant,
        default="1h",
        metavar="TIME",
        help=f"{what}: {FORMS}, or in 90s, 15m, 2h (in 1h)",
    )


def require_word(command: BaseCommand, args: argparse.Namespace) -> None:
    """Make sure that somebody gives his word, in full; else the arguments are wrong."""
    if not (args.confirm_fenced and args.by and args.reason):
        command.parser.error("--confirm-fenced, --by and --reason are needed")


def new_command(
    kind: CommandKind, host: str, args: argparse.Namespace, **more: Any
) -> Command:
    now = time.time()
    id = uuidutils.generate_uuid()
    words = (host, signed(args.by), args.reason)
    return Command(id, kind, *words, now, args.expires, **more)
