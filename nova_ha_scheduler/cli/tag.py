# SPDX-License-Identifier: Apache-2.0
"""``nova-ha tag`` and ``nova-ha untag``."""

import abc
import argparse
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from cliff.lister import Lister

from nova_ha_scheduler import exits
from nova_ha_scheduler.cli import unfenced
from nova_ha_scheduler.cli.app import BaseCommand
from nova_ha_scheduler.cli.values import Pairs
from nova_ha_scheduler.clock import SystemClock
from nova_ha_scheduler.cluster import host_names
from nova_ha_scheduler.cluster.errors import Refused
from nova_ha_scheduler.cluster.openstack import inventory
from nova_ha_scheduler.cluster.openstack.aggregates import (
    TRUE,
    Action,
    Aggregates,
    Json,
    TagRequest,
    tagging,
    that_say,
    untagging,
)
from nova_ha_scheduler.cluster.openstack.api import Api
from nova_ha_scheduler.cluster.picture import Scope
from nova_ha_scheduler.rules import vocabulary
from nova_ha_scheduler.rules.vocabulary import HA, RESERVED, STORAGE_ZONE, BadValue
from nova_ha_scheduler.service import parts
from nova_ha_scheduler.service.openstack_world import OpenStackCloud

Row = tuple[str, str, str, str, Pairs, bool]


@dataclass(frozen=True)
class _Host:
    """A host before anything is changed.

    :ivar aggregates: all that there are.
    """

    name: str
    api: Api
    aggregates: list[Json]

    def said_by(self, key: str) -> list[Json]:
        """The aggregates from which it has a tag now."""
        return that_say(self.aggregates, self.name, key)

    def disks(self, key: str) -> str:
        """Why it cannot leave its zone, or "": the rules would then look for the
        disks of its servers in another one, or in none."""
        if key != STORAGE_ZONE or not self.said_by(key):
            return ""
        found = inventory.servers(self.api, self.name, soft_deleted=True)
        count = sum(1 for _ in found)
        words = f"Servers on {self.name} have their disks in its zone: {count}"
        return f"{words}. Move or delete them first" if count else ""


class _Change(BaseCommand, Lister, abc.ABC):
    """Look, make sure of all that was asked for, and only then do it."""

    short = ("tag", "change", "aggregate", "metadata")
    _COLUMNS = ("host", "tag", "change", "aggregate", "metadata", "created")

    def arguments(self, add: Callable[..., Any]) -> None:
        add("host", help="the compute service's exact host name")
        self.zone_argument(add)
        add("--ha", action="store_true", help="ha=true: protected")
        add("--reserved", action="store_true", help="ha:reserved=true: of the reserve")
        add("--dry-run", action="store_true", help="show what would be done")

    @abc.abstractmethod
    def zone_argument(self, add: Callable[..., Any]) -> None:
        """Declare --zone."""

    def order(self, tags: Iterable[tuple[str, str]]) -> Iterable[tuple[str, str]]:
        """Which tag comes first."""
        return tags

    def warn(self, host: str, tags: Mapping[str, str]) -> None:
        """Tell people what they should know before."""

    @abc.abstractmethod
    def steps(
        self, host: _Host, found: list[Json], key: str, value: str
    ) -> list[TagRequest]:
        """The next steps for one tag. :raises Refused: as the aggregates are."""

    @abc.abstractmethod
    def require(self, host: _Host, key: str, value: str) -> list[TagRequest]:
        """The same, with all else that stands against it."""

    def take_action(self, args: argparse.Namespace) -> tuple[Any, Any]:
        tags = _tags(args)
        if not tags:
            self.parser.error("one or more of --zone, --ha and --reserved are needed")
        rows: list[Row] = []
        self.code = exits.REFUSED
        try:
            host, plans = self._plan(args.host, tags)
            self.warn(args.host, tags)
            self.code = exits.PARTLY
            follow = Aggregates(host.api).follow
            for key, planned in plans.items():
                plan = partial(self.steps, host, key=key, value=tags[key])
                done = planned if args.dry_run else follow(plan)
                rows += _rows(host, key, done)
            self.code = exits.DONE
            if args.dry_run:
                print("Nothing was changed (--dry-run).", file=sys.stderr)
        except Refused as error:
            print(error, file=sys.stderr)
        return self._COLUMNS, rows

    def _plan(
        self, name: str, tags: Mapping[str, str]
    ) -> tuple[_Host, dict[str, list[TagRequest]]]:
        """:raises Refused: all that stands against it, a line each."""
        api = parts.cloud(self.app.conf)
        host_names.require(
            name, OpenStackCloud(api, SystemClock()).observe(Scope()).hosts
        )
        host = _Host(name, api, Aggregates(api).all())
        plans: dict[str, list[TagRequest]] = {}
        refusals: list[str] = []
        for key, value in self.order(tags.items()):
            try:
                plans[key] = self.require(host, key, value)
            except Refused as error:
                refusals.append(str(error))
        if refusals:
            raise Refused("\n".join(refusals))
        return host, plans


class Tag(_Change):
    """Tag a host: put it into host aggregates that say so.

    An aggregate that says this and nothing else is taken; if there is none, it is made.
    """

    def zone_argument(self, add: Callable[..., Any]) -> None:
        words = "storage_zone=ZONE: the shared storage that it mounts"
        add("--zone", type=_zone, metavar="ZONE", help=words)

    def warn(self, host: str, tags: Mapping[str, str]) -> None:
        why = unfenced.why(self.app.conf, host) if HA in tags else ""
        if why:
            print(f"warning: {host}: {why}.", file=sys.stderr)

    def steps(
        self, host: _Host, found: list[Json], key: str, value: str
    ) -> list[TagRequest]:
        return tagging(found, host.name, key, value)

    def require(self, host: _Host, key: str, value: str) -> list[TagRequest]:
        try:
            return self.steps(host, host.aggregates, key, value)
        except Refused as error:
            disks = host.disks(key)
            raise Refused(f"{error}. {disks}" if disks else str(error)) from None


class Untag(_Change):
    """Remove tags from a host: take it out of the host aggregates that say so."""

    def zone_argument(self, add: Callable[..., Any]) -> None:
        add("--zone", action="store_true", help="take it out of its storage zone")

    def order(self, tags: Iterable[tuple[str, str]]) -> Iterable[tuple[str, str]]:
        return reversed(list(tags))

    def steps(
        self, host: _Host, found: list[Json], key: str, value: str
    ) -> list[TagRequest]:
        return untagging(found, host.name, key)

    def require(self, host: _Host, key: str, value: str) -> list[TagRequest]:
        if disks := host.disks(key):
            raise Refused(disks)
        return self.steps(host, host.aggregates, key, value)


def _zone(text: str) -> str:
    """The name of a storage zone, as the rules read it."""
    try:
        return str(vocabulary.storage_zone({STORAGE_ZONE: text}))
    except BadValue as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _tags(args: argparse.Namespace) -> dict[str, str]:
    """What was asked for, in the order in which a host is tagged.

    A reserved host is closed before it offers anything, and a protected one has its
    zone already; tags go in the reverse order.
    """
    asked = {RESERVED: args.reserved, STORAGE_ZONE: args.zone, HA: args.ha}
    return {k: TRUE if value is True else value for k, value in asked.items() if value}


def _rows(host: _Host, key: str, steps: list[TagRequest]) -> list[Row]:
    """A line for each aggregate that it enters, leaves, or is in already."""
    if not steps:
        found = host.said_by(key)
        kept = [(a["name"], dict(a["metadata"])) for a in found] or [("", {})]
        return [(host.name, key, "none", *_shown(*row), False) for row in kept]
    created = any(step.action in (Action.CREATE, Action.DESCRIBE) for step in steps)
    change = "removed" if steps[-1].action is Action.REMOVE else "added"
    said = {step.aggregate: dict(step.metadata) for step in steps}
    return [(host.name, key, change, *_shown(*row), created) for row in said.items()]


def _shown(name: str, metadata: dict[str, str]) -> tuple[str, Pairs]:
    return name, Pairs(metadata)
