# SPDX-License-Identifier: Apache-2.0
"""``nova-ha explain``."""

import argparse
import sys
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from typing import Any

from cliff.lister import Lister

from nova_ha_scheduler import exits
from nova_ha_scheduler.cli import clouds
from nova_ha_scheduler.cli.app import BaseCommand
from nova_ha_scheduler.clock import SystemClock
from nova_ha_scheduler.cluster import host_names
from nova_ha_scheduler.cluster.errors import Refused
from nova_ha_scheduler.cluster.host_names import UnknownName
from nova_ha_scheduler.cluster.openstack import inventory
from nova_ha_scheduler.cluster.picture import Host, Picture, Server
from nova_ha_scheduler.evacuation import dry_run
from nova_ha_scheduler.journal import JournalError
from nova_ha_scheduler.planner import explain, triage
from nova_ha_scheduler.planner.preferences import Preferences
from nova_ha_scheduler.rules.terms import Operation
from nova_ha_scheduler.service import conf as trigger_conf
from nova_ha_scheduler.service.openstack_world import OpenStackCloud

_SCHEDULER = explain.HostCheck(
    "nova-scheduler",
    "it refused this host in the server's newest recovery, for reasons of its own: its "
    "log says which filter",
)

_OPERATIONS = {
    "evacuate": Operation.EVACUATE,
    "live-migrate": Operation.LIVE_MIGRATE,
    "cold-migrate": Operation.COLD_MIGRATE,
    "resize": Operation.RESIZE,
    "boot": Operation.BOOT,
    "unshelve": Operation.UNSHELVE,
}


class Explain(BaseCommand, Lister):
    """Show for each host whether it is a destination for a server, and why not.

    The checks are those of the trigger: the rules of the scheduler plugin, zone, group,
    traits and room. For a boot or an unshelve, the server counts as being nowhere; for
    a resize, it has the flavor that it has now.
    """

    def arguments(self, add: Callable[..., Any]) -> None:
        add("server", metavar="SERVER", help="its id or its exact name")
        add(
            "--operation",
            choices=sorted(_OPERATIONS),
            default="evacuate",
            help="what it is to be a destination for (evacuate)",
        )
        add("--host", help="every check of this one host, also after the first no")
        clouds.arguments(add)

    def take_action(self, args: argparse.Namespace) -> tuple[Any, Any]:
        preferences = trigger_conf.options(self.app.conf)
        picture, server = self._find(args)
        if args.host is not None:
            host_names.require(args.host, picture.hosts)
        operation = _OPERATIONS[args.operation]
        if why := _kept(server, picture, operation, preferences):
            print(f"{server.name}: {why}", file=sys.stderr)
        asked = explain.request(server, picture.hosts, preferences, operation)
        hosts = [host for _, host in sorted(picture.hosts.items())]
        shown = [host for host in hosts if args.host in (None, host.name)]
        refused = self._refused(args, server, operation)
        checks = {
            host.name: [
                *explain.checks(server, asked, host, preferences),
                *([_SCHEDULER] if host.name in refused else []),
            ]
            for host in shown
        }
        first = {n: explain.first_no(iter(found)) for n, found in checks.items()}
        can = sum(no is None for no in first.values())
        self.code = exits.DONE if can else exits.PARTLY
        place = f" from {server.host}" if asked.source else ""
        words = f"{server.name}: {operation.value}{place}"
        if args.host is not None:
            print(f"{words} to {args.host}: {'yes' if can else 'no'}", file=sys.stderr)
            rows = [_check_row(check) for check in checks[args.host]]
            return ("check", "verdict", "why"), rows
        print(f"{words}: {_summary(can, first.values())}", file=sys.stderr)
        return ("host", "verdict", "check", "why"), [
            _host_row(host, first[host.name]) for host in shown
        ]

    def _refused(
        self, args: argparse.Namespace, server: Server, operation: Operation
    ) -> Collection[str]:
        """The hosts that Nova did not take for it in its newest recovery."""
        if not clouds.is_live(args) or operation is not Operation.EVACUATE:
            return ()
        # It takes long to import, and a cloud that does not answer needs none.
        from nova_ha_scheduler.journal.history import History, HistoryQuery

        query = HistoryQuery(server=server.uuid, limit=1)
        try:
            found = History(self.app.database).servers(query)
        except JournalError:
            return ()  # there may be none where this runs
        return found[0].refused if found else ()

    def _find(self, args: argparse.Namespace) -> tuple[Picture, Server]:
        """The server, and a picture that shows it with what it needs."""
        if not clouds.is_live(args):
            picture = clouds.load(self.app.conf, args)
            return picture, _the_one(args.server, picture.servers.values())
        with clouds.asked(self.app.conf) as api:
            found = _the_one(args.server, inventory.named(api, args.server))
            policy = trigger_conf.options(self.app.conf).policy
            anywhere = _OPERATIONS[args.operation].makes_disk  # to a host of any zone
            bound = None if anywhere else policy
            cloud = OpenStackCloud(api, SystemClock(), bound, thorough=True)
            picture = dry_run.look(cloud, [found.host])
        if found.uuid not in picture.servers:
            raise Refused(f"{args.server}: it has just left {found.host}")
        return picture, picture.servers[found.uuid]


def _the_one(said: str, servers: Iterable[Server]) -> Server:
    """:raises Refused: there is no such server on any host, or there are several."""
    servers = list(servers)
    found = [server for server in servers if said in (server.uuid, server.name)]
    if not found:
        hint = host_names.hint(said, {server.name for server in servers})
        words = f"no server on a host has this id or exactly this name{hint}"
        raise UnknownName(f"{said}: {words}")
    if len(found) > 1:
        ids = ", ".join(sorted(server.uuid for server in found))
        raise Refused(f"{said}: several servers have this name; say which: {ids}")
    return found[0]


def _kept(
    server: Server, picture: Picture, operation: Operation, preferences: Preferences
) -> str:
    """Why it goes nowhere, whatever the hosts are like, or ""."""
    host = picture.hosts.get(server.host) or Host(server.host)
    if operation is Operation.EVACUATE:
        why = triage.why_left(server, host.facts, preferences)
        return f"the trigger leaves it: {why[0].sentence(why[1])}" if why else ""
    refused = {
        Operation.LIVE_MIGRATE: server.refused_live,
        Operation.COLD_MIGRATE: server.refused_cold,
        Operation.RESIZE: server.refused_cold,
    }.get(operation, "")
    return f"Nova refuses: {refused}" if refused else ""


def _summary(can: int, first: Iterable[explain.HostCheck | None]) -> str:
    """'2 hosts can take it; no: 3 storage zone, 1 VCPU'."""
    no = Counter(check.name for check in first if check)
    ordered = sorted(no.items(), key=lambda item: (-item[1], item[0]))
    words = ", ".join(f"{number} {name}" for name, number in ordered)
    hosts = f"{can} host{'s'[: can != 1]} can take it"
    return f"{hosts}; no: {words}" if words else hosts


def _host_row(host: Host, no: explain.HostCheck | None) -> tuple[str, ...]:
    return (host.name, "no", no.name, no.no) if no else (host.name, "yes", "", "")


def _check_row(check: explain.HostCheck) -> tuple[str, ...]:
    return check.name, "no" if check.no else "yes", check.no or check.yes
