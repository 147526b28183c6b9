# SPDX-License-Identifier: Apache-2.0
"""``nova-ha evacuate``: a host that somebody knows to be off."""

import argparse
from collections.abc import Callable, Sequence
from typing import Any

from cliff.lister import Lister

from nova_ha_scheduler import exits
from nova_ha_scheduler.cli import answers, history_rows, progress
from nova_ha_scheduler.cli.app import BaseCommand
from nova_ha_scheduler.cli.order_arguments import confirming, new_command, require_word
from nova_ha_scheduler.cli.values import duration
from nova_ha_scheduler.evacuation import dry_run
from nova_ha_scheduler.records.commands import CommandKind
from nova_ha_scheduler.records.server_recovery import ServerRecovery, ServerState
from nova_ha_scheduler.service.parts import Parts


class Evacuate(BaseCommand, Lister):
    """Evacuate a host that you know to be off: no detection, no guard, no fencing.

    The active trigger does it, and says so. With --wait and without one, this program
    does it itself, and leaves all other hosts alone.
    """

    short: Sequence[str] = ("name", "to", "outcome", "reason")

    def arguments(self, add: Callable[..., Any]) -> None:
        add("host", help="the compute service's exact host name")
        confirming(add, required=False)
        help = "you are sure that the host is off, and stays so"
        add("--confirm-fenced", action="store_true", help=help)
        add("--dry-run", action="store_true", help="show who would go where")
        add("--wait", action="store_true", help="follow it to its end")
        help = "with --wait: wait no longer than that (as long as it takes)"
        add("--timeout", type=duration, metavar="AGE", help=help)

    def take_action(self, args: argparse.Namespace) -> tuple[Any, Any]:
        if args.dry_run:
            return self._table(self._plan(args.host))
        require_word(self, args)
        command = new_command(CommandKind.EVACUATE, args.host, args)
        if args.wait:
            # A whole trigger, which takes long to import.
            from nova_ha_scheduler.cli.until_done import follow

            self.code, servers = follow(self.app, [command], args.timeout)
            return self._table(servers)
        found = answers.ask(self.app, [command])
        self.code = answers.tell(found)
        self.short = answers.SHORT
        return answers.table(found)

    def _table(self, servers: list[ServerRecovery]) -> tuple[Any, Any]:
        rows = [history_rows.server_row(server) for server in servers]
        return history_rows.SERVER[1:], [tuple(row.values()) for row in rows]

    def _plan(self, host: str) -> list[ServerRecovery]:
        parts = Parts(self.app.conf, only=(host,))
        with progress.shown(lambda: parts.api.progress):
            picture = dry_run.look(parts.world, [host])
        servers = dry_run.plan(picture, parts.options, [host])
        for server in servers:
            meant = server.reason is not None and server.reason.intended
            if server.state is not ServerState.ASKED and not meant:
                self.code = exits.PARTLY
        return servers
