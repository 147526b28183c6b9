# SPDX-License-Identifier: Apache-2.0
"""``nova-ha capacity``."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cliff.lister import Lister

from nova_ha_scheduler import exits
from nova_ha_scheduler.cli import clouds, progress
from nova_ha_scheduler.cli.app import BaseCommand
from nova_ha_scheduler.cli.quick_look import require_zone
from nova_ha_scheduler.cli.values import Lines, Pairs, Words, count
from nova_ha_scheduler.cluster.openstack.whole import Closeness
from nova_ha_scheduler.cluster.picture import Picture
from nova_ha_scheduler.cluster.providers import Resources
from nova_ha_scheduler.planner import capacity, remedies
from nova_ha_scheduler.planner.capacity import ZoneCapacity
from nova_ha_scheduler.planner.ground import Ground
from nova_ha_scheduler.rules import vocabulary
from nova_ha_scheduler.service import conf as trigger_conf
from nova_ha_scheduler.service import publish


class Capacity(BaseCommand, Lister):
    """Show whether the servers of a host would find room if it died, zone by zone.

    Each answer is the plan that the trigger would make. A host that is down already
    counts as dead in all of them; one under maintenance takes no server.
    """

    short = ("zone", "reserve", "survivable", "how", "largest_demand", "left_first")
    _SHORT_HOST = ("zone", "host", "servers", "demand", "free", "left")
    _ZONE = (
        "zone",
        "hosts",
        "reserve",
        "survivable",
        "how",
        "largest_demand",
        "largest_server",
        "free_in_reserve",
        "left_first",
        "problems",
    )
    _HOST = (
        "zone",
        "host",
        "flags",
        "servers",
        "demand",
        "free",
        "left",
        "left_first",
        "zone_problems",
    )

    def arguments(self, add: Callable[..., Any]) -> None:
        add(
            "--failures",
            type=count,
            default=1,
            metavar="N",
            help="how many hosts of a zone may die together (default: 1)",
        )
        add("--zone", metavar="ZONE", help="this storage zone alone")
        add("--hosts", action="store_true", help="a line for each host")
        add(
            "--publish",
            type=Path,
            metavar="FILE",
            help="also write what nova-scheduler's HAAdmissionFilter has to know of "
            "the reserve, of all zones; see docs/admission.md",
        )
        clouds.arguments(add)

    def take_action(self, args: argparse.Namespace) -> tuple[Any, Any]:
        options = trigger_conf.options(self.app.conf)
        picture = clouds.load(self.app.conf, args, Closeness.KINDS)
        if args.zone is not None:
            require_zone(picture, args.zone)
        ground = Ground(picture.hosts, options)
        if args.publish is not None:
            publish.publish(args.publish, picture, options)
        zones: list[ZoneCapacity] = []
        with progress.shown(lambda: f"Making plans: {len(zones)} zones are done"):
            more = (args.failures, args.zone)
            zones.extend(capacity.zones(ground, picture.servers, *more))
        self._problems = {
            zone.name: remedies.problems(ground, picture.servers, zone, args.failures)
            for zone in zones
        }
        if not all(zone.ok for zone in zones):
            self.code = exits.ERROR
        self.below = [
            f"{name}: {problem}"
            for name, problems in self._problems.items()
            for problem in problems
        ]
        if args.hosts:
            self.short = self._SHORT_HOST
            return self._HOST, [
                (*row, Lines(self._problems[zone.name]))
                for zone in zones
                for row in _rows(picture, zone)
            ]
        return self._ZONE, [self._row(zone) for zone in zones]

    def _row(self, zone: ZoneCapacity) -> tuple[Any, ...]:
        demands = [loss.demand for loss in zone.hosts.values()]
        first = remedies.first_left(zone)
        largest = zone.largest
        return (
            zone.name,
            len(zone.hosts),
            len(zone.reserve),
            zone.survivable,
            "exact" if zone.exact else "at least",
            _amounts(max(demands, key=_memory, default={})),
            largest.name if largest else "",
            Lines(
                [f"{h.name}: {remedies.amounts(h.free or {})}" for h in zone.reserve]
            ),
            first.server.name if first else "",
            Lines(self._problems[zone.name]),
        )


def _rows(picture: Picture, zone: ZoneCapacity) -> list[tuple[Any, ...]]:
    """Each host of the zone: what it would lose, and what it has for others."""
    rows = []
    for host in sorted(picture.hosts.values(), key=lambda host: host.name):
        if host.facts.zone_words != zone.name:
            continue
        loss = zone.hosts.get(host.name)
        takes = host.up and not host.disabled
        takes = takes and vocabulary.MAINTENANCE not in host.facts.flags
        rows.append(
            (
                zone.name,
                host.name,
                Words(sorted(host.facts.flags)),
                loss.servers if loss else 0,
                _amounts(loss.demand if loss else {}),
                _amounts((host.free or {}) if takes else {}),
                len(loss.left) if loss else 0,
                loss.left[0].server.name if loss and loss.left else "",
            )
        )
    return rows


def _amounts(found: Resources) -> Pairs:
    return Pairs({what: n for what, n in sorted(found.items()) if n})


def _memory(found: Resources) -> tuple[int, int]:
    return found.get("MEMORY_MB", 0), found.get("VCPU", 0)
