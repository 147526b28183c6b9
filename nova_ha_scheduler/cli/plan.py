# SPDX-License-Identifier: Apache-2.0
"""``nova-ha plan``."""

import argparse
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from cliff.lister import Lister

from nova_ha_scheduler import exits
from nova_ha_scheduler.cli import clouds, plan_file
from nova_ha_scheduler.cli.app import BaseCommand
from nova_ha_scheduler.cli.order_arguments import confirming, new_command, require_word
from nova_ha_scheduler.cli.plan_file import Plan
from nova_ha_scheduler.cli.values import Lines, Words
from nova_ha_scheduler.clock import SystemClock
from nova_ha_scheduler.cluster import snapshot
from nova_ha_scheduler.cluster.errors import CloudUnreachable
from nova_ha_scheduler.cluster.openstack import beforehand
from nova_ha_scheduler.cluster.openstack.api import Api
from nova_ha_scheduler.cluster.picture import Host, Picture
from nova_ha_scheduler.cluster.snapshot import BadFile
from nova_ha_scheduler.evacuation import dry_run
from nova_ha_scheduler.evacuation.detection import suspicion
from nova_ha_scheduler.evacuation.options import Options
from nova_ha_scheduler.planner import triage
from nova_ha_scheduler.planner.plan import Prospect, prospects
from nova_ha_scheduler.records.commands import CommandKind
from nova_ha_scheduler.rules import vocabulary
from nova_ha_scheduler.service import conf as trigger_conf
from nova_ha_scheduler.service.openstack_world import OpenStackCloud

_COLUMNS = (
    "server",
    "name",
    "from",
    "priority",
    "outcome",
    "to",
    "candidates",
    "candidate_hosts",
    "reason",
)


class MakePlan(BaseCommand, Lister):
    """Show what would become of the servers of a host, if it died now.

    With several hosts: if they died together. The plan is what the trigger would do:
    the same step, on the cloud as it is now or was in a snapshot. The trigger's limits
    of how many evacuations may be under way do not count.
    """

    short: Sequence[str] = ("name", "outcome", "to", "candidates", "reason")

    def arguments(self, add: Callable[..., Any]) -> None:
        add("hosts", nargs="*", metavar="HOST", help="the exact names of the hosts")
        add("--all", action="store_true", help="with what is not to be recovered")
        add("--out", type=Path, metavar="FILE", help="keep the plan in a file")
        add(
            "--apply",
            type=Path,
            metavar="FILE",
            help="order what is in the file, if nothing has changed since; the trigger "
            "sends the servers to the planned hosts, as long as they have room",
        )
        confirming(add, required=False)
        add("--confirm-fenced", action="store_true", help="with --apply")
        add("--wait", action="store_true", help="with --apply: follow it to its end")
        clouds.arguments(add)

    def take_action(self, args: argparse.Namespace) -> tuple[Any, Any]:
        self._options = trigger_conf.options(self.app.conf)
        if args.apply is not None:
            plan, picture = self._apply(args)
        else:
            if not args.hosts:
                self.parser.error("name a host")
            picture = self._picture(args, args.hosts)
            plan = plan_file.make(picture, self._options, args.hosts)
        for host in plan.hosts:
            _warn(picture.hosts[host], self._options)
        if args.out is not None:
            snapshot.write(args.out, plan_file.dump(plan))
        if any(step.stays for step in plan.steps):
            self.code = self.code or exits.PARTLY
        return self._table(args, plan, picture)

    def _picture(self, args: argparse.Namespace, hosts: list[str]) -> Picture:
        if not clouds.is_live(args):
            return clouds.load(self.app.conf, args)
        with clouds.asked(self.app.conf) as api:
            cloud = OpenStackCloud(api, SystemClock(), self._options.policy)
            picture = dry_run.look(cloud, hosts)
            return _closer(api, picture, hosts, self._options)

    def _table(
        self, args: argparse.Namespace, plan: Plan, picture: Picture
    ) -> tuple[Any, Any]:
        decided = [
            (picture.servers[step.server], step.destination) for step in plan.steps
        ]
        found = prospects(picture, plan.hosts, decided, self._options)
        rows = [
            _row(step, prospect)
            for step, prospect in zip(plan.steps, found, strict=True)
            if step.meant or args.all
        ]
        outcomes = Counter(step.outcome for step in plan.steps if step.meant)
        listed = ", ".join(f"{n} {word}" for word, n in sorted(outcomes.items()))
        others = sum(not step.meant for step in plan.steps)
        hosts = ", ".join(plan.hosts)
        if len(plan.hosts) > 1:
            self.short = ("name", "from", *self.short[1:])
        words = f"{hosts}: {listed or 'nothing to recover'}"
        if others:
            hint = "" if args.all else " (--all names them)"
            words += f"; {others} not to be recovered{hint}"
        print(words, file=sys.stderr)
        return _COLUMNS, rows

    # Carrying it out.

    def _apply(self, args: argparse.Namespace) -> tuple[Plan, Picture]:
        if args.hosts or args.out or not clouds.is_live(args):
            self.parser.error("--apply is about the live cloud, and takes no host")
        require_word(self, args)
        kept = _read(args.apply)
        picture = self._picture(args, list(kept.hosts))
        fresh = plan_file.make(picture, self._options, kept.hosts)
        if changes := plan_file.differences(kept, fresh):
            for change in changes:
                print(change, file=sys.stderr)
            print("The cloud has changed: nothing was ordered.", file=sys.stderr)
            self.code = exits.ERROR
            return fresh, picture
        commands = [
            new_command(
                CommandKind.EVACUATE, host, args, destinations=kept.destinations(host)
            )
            for host in kept.hosts
        ]
        # A plan alone needs neither the journal nor a whole trigger.
        if not args.wait:
            from nova_ha_scheduler.cli import answers

            found = answers.ask(self.app, commands)
            for answer in found:
                print(f"{answer.order.host}: {answer.words}", file=sys.stderr)
            self.code = answers.code(found)
            return fresh, picture
        from nova_ha_scheduler.cli.until_done import follow

        self.code, _ = follow(self.app, commands)
        return fresh, picture


def _read(path: Path) -> Plan:
    try:
        return plan_file.load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise BadFile(f"{path}: {getattr(error, 'strerror', None) or error}") from error
    except BadFile as error:
        raise BadFile(f"{path}: {error}") from error


def _closer(api: Api, picture: Picture, hosts: list[str], options: Options) -> Picture:
    """The picture, with what is asked for each server; what cannot be seen of it, and
    what would make an evacuation fail, is said."""
    try:
        picture = beforehand.with_shares(api, picture, hosts)
    except CloudUnreachable as error:
        print(f"whether they have shares cannot be seen: {error}", file=sys.stderr)
    wanted = {
        uuid: server
        for uuid, server in picture.servers.items()
        if server.host in hosts
        and not triage.why_left(server, picture.hosts[server.host].facts, options)
    }
    try:
        for uuid, sentences in beforehand.locked(api, wanted).items():
            for why in sentences:
                print(f"{wanted[uuid].name}: {why}", file=sys.stderr)
    except CloudUnreachable as error:
        words = "whether the keys of encrypted volumes can be read cannot be seen"
        print(f"{words}: {error}", file=sys.stderr)
    return picture


def _warn(host: Host, options: Options) -> None:
    """What keeps the trigger off a host, whatever its plan says."""
    by_hand = "" if suspicion.under_maintenance(host) else ", unless by hand"
    if why := suspicion.hands_off(host, options):
        said = why[0].sentence(why[1])
    elif vocabulary.HA not in host.facts.flags:
        said = "it is in no aggregate with ha=true"
    else:
        return
    print(f"{host.name}: left alone{by_hand}: {said}", file=sys.stderr)


def _row(step: plan_file.PlannedServer, prospect: Prospect) -> tuple[Any, ...]:
    return (
        step.server,
        step.name,
        step.source,
        step.priority,
        step.outcome,
        step.destination,
        len(prospect.candidates),
        Words(list(prospect.candidates)),
        Lines(list(filter(None, (step.reason, prospect.scattered)))),
    )
