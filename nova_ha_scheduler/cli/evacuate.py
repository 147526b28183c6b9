# SPDX-License-Identifier: Apache-2.0
"""``nova-ha evacuate``: a host that somebody knows to be off."""

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import Any

from cliff.lister import Lister

from nova_ha_scheduler import exits
from nova_ha_scheduler.cli import answers, history_rows, progress
from nova_ha_scheduler.cli.app import BaseCommand
from nova_ha_scheduler.cli.order_arguments import confirming, new_command, require_word
from nova_ha_scheduler.cli.values import duration
from nova_ha_scheduler.cluster import host_names
from nova_ha_scheduler.cluster.host_names import UnknownName
from nova_ha_scheduler.cluster.picture import Picture
from nova_ha_scheduler.evacuation import dry_run
from nova_ha_scheduler.records.commands import CommandKind
from nova_ha_scheduler.records.server_recovery import ServerRecovery, ServerState
from nova_ha_scheduler.service.parts import Parts


class Evacuate(BaseCommand, Lister):
    """Evacuate a host that you know to be off: no detection, no guard, no fencing.

    The active trigger evacuates its servers, and answers. If no trigger is active,
    this program does it itself with --wait, and leaves all other hosts alone. The
    servers that --server names go to the host of --to; the others go where the planner
    finds room.
    """

    short: Sequence[str] = ("name", "to", "outcome", "reason")

    def arguments(self, add: Callable[..., Any]) -> None:
        add("host", help="the compute service's exact host name")
        confirming(add, required=False)
        help = "you are sure that the host is off, and stays so"
        add("--confirm-fenced", action="store_true", help=help)
        help = "where its servers go, and nowhere else; refused if they may not, or "
        add("--to", metavar="HOST", help=f"{help}do not fit")
        help = "--to is about this server alone, by id or name (repeatable)"
        add("--server", action="append", default=[], metavar="SERVER", help=help)
        add("--dry-run", action="store_true", help="show who would go where")
        add("--wait", action="store_true", help="follow it to its end")
        help = "with --wait: wait no longer than that (as long as it takes)"
        add("--timeout", type=duration, metavar="AGE", help=help)

    def take_action(self, args: argparse.Namespace) -> tuple[Any, Any]:
        if args.server and not args.to:
            self.parser.error("--server needs --to")
        if not args.dry_run:
            require_word(self, args)
        chosen: dict[str, str] = {}
        if args.dry_run or args.to:
            servers, chosen, no = self._plan(args)
            if args.dry_run or no:
                return self._table(servers)
        more = {"destinations": chosen, "bound": bool(chosen)}
        command = new_command(CommandKind.EVACUATE, args.host, args, **more)
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

    def _plan(
        self, args: argparse.Namespace
    ) -> tuple[list[ServerRecovery], dict[str, str], bool]:
        """What would happen, the choice that was made, and whether it is refused."""
        host = args.host
        parts = Parts(self.app.conf, only=(host,))
        with progress.shown(lambda: parts.api.progress):
            picture = dry_run.look(parts.world, [host])
        chosen = self._chosen(args, picture) if args.to else {}
        servers = dry_run.plan(picture, parts.options, [host], chosen)
        if not args.server:  # all that is to be recovered at all
            meant = {server.server for server in servers if not server.settled}
            chosen = {uuid: to for uuid, to in chosen.items() if uuid in meant}
        no = dry_run.why_not(servers, chosen)
        names = {server.server: server.name for server in servers}
        for uuid, why in no.items():
            print(f"{names[uuid]} does not go to {args.to}: {why}", file=sys.stderr)
        if no:
            print("nothing is ordered", file=sys.stderr)
            self.code = exits.REFUSED
        elif any(s.state is not ServerState.ASKED and not s.settled for s in servers):
            self.code = exits.PARTLY
        return servers, chosen, bool(no)

    def _chosen(self, args: argparse.Namespace, picture: Picture) -> dict[str, str]:
        """By server, where a person wants it to go.

        :raises UnknownName: there is no such server on the host.
        """
        there = picture.servers_of(args.host)
        if not args.server:
            return {server.uuid: args.to for server in there}
        found: dict[str, str] = {}
        for said in args.server:
            named = [s.uuid for s in there if said in (s.uuid, s.name)]
            if not named:
                hint = host_names.hint(said, {server.name for server in there})
                raise UnknownName(f"there is no server {said} on {args.host}{hint}")
            if len(named) > 1:
                self.parser.error(
                    f"{said} is the name of {', '.join(named)}: say which"
                )
            found[named[0]] = args.to
        return found
