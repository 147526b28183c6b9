# SPDX-License-Identifier: Apache-2.0
"""``nova-ha host list``."""

import argparse
import contextlib
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from cliff.lister import Lister
from oslo_config import cfg

from nova_ha_scheduler.cli import clouds, unfenced
from nova_ha_scheduler.cli.app import BaseCommand
from nova_ha_scheduler.cli.values import Lines, Moment, Words, plain
from nova_ha_scheduler.clock import SystemClock
from nova_ha_scheduler.cluster import host_names
from nova_ha_scheduler.cluster.openstack import inventory
from nova_ha_scheduler.cluster.picture import Host, Scope, Server
from nova_ha_scheduler.fencing import FencingFileError
from nova_ha_scheduler.fencing.config import FenceDevices
from nova_ha_scheduler.fencing.manual import Manual
from nova_ha_scheduler.health.judgement import judge
from nova_ha_scheduler.health.report import HostNote as Told
from nova_ha_scheduler.journal import JournalError
from nova_ha_scheduler.journal.health_facts import gather
from nova_ha_scheduler.journal.store import SqlJournal
from nova_ha_scheduler.planner.triage import why_left
from nova_ha_scheduler.rules import vocabulary
from nova_ha_scheduler.service import conf as trigger_conf
from nova_ha_scheduler.service.openstack_world import OpenStackCloud

_UNKNOWN = "unknown"


@dataclass
class _ServerCount:
    """How many a host has, and how many of them are to be recovered if it dies."""

    all: int = 0
    meant: int = 0


class ListHosts(BaseCommand, Lister):
    """List the compute hosts: tags, service, servers, fencing, and what is wrong.

    From the cloud as it is now. A fence device is not asked: its column says what
    the trigger last saw of it (ask now: nova-ha check).
    """

    short = ("host", "zone", "flags", "state", "servers")
    _COLUMNS = (
        "host",
        "zone",
        "flags",
        "service",
        "status",
        "reason",
        "protected",
        "servers",
        "fencing",
        "device",
        "device_since",
        "problems",
    )

    def arguments(self, add: Callable[..., Any]) -> None:
        add("--host", help="this one alone, by its compute service's exact host name")

    def take_action(self, args: argparse.Namespace) -> tuple[Any, Any]:
        conf = self.app.conf
        self._options = trigger_conf.options(conf)
        counts: dict[str, _ServerCount] = defaultdict(_ServerCount)
        with look(conf, args.host) as (hosts, servers):
            if args.host is not None:
                host_names.require(args.host, hosts)
                hosts = {args.host: hosts[args.host]}
            for server in servers:
                if server.host in hosts:
                    self._count(counts[server.host], server, hosts[server.host])
        fencing, broken = self._fencing(), self._broken()
        rows = [
            _row(host, counts[name], fencing, broken)
            for name, host in sorted(hosts.items())
        ]
        if self.is_short(args):
            return self._for_people(
                [dict(zip(self._COLUMNS, r, strict=True)) for r in rows]
            )
        return self._COLUMNS, rows

    def _for_people(self, rows: list[dict[str, Any]]) -> tuple[Any, Any]:
        """A line a host; below, what is wrong, each sentence once."""
        told: dict[str, list[str]] = defaultdict(list)
        for row in rows:
            found = plain(row["problems"])
            if row["status"] == "disabled":
                found.append(f"disabled: {row['reason'] or 'no reason is given'}")
            for sentence in found:
                told[sentence].append(row["host"])
        self.below = [f"{', '.join(hosts)}: {words}" for words, hosts in told.items()]
        for row in rows:
            off = ", disabled" if row["status"] == "disabled" else ""
            row["state"] = f"{row['service']}{off}"
        return self.short, [[row[name] for name in self.short] for row in rows]

    def _count(self, counts: _ServerCount, server: Server, host: Host) -> None:
        options = self._options
        if vocabulary.HA not in host.facts.flags:
            # That all servers are protected is said of protected hosts alone.
            options = replace(options, protect_all_servers=False)
        why = why_left(server, host.facts, options)
        counts.all += 1
        counts.meant += why is None or not why[0].intended

    def _fencing(self) -> FenceDevices | FencingFileError:
        try:
            return FenceDevices.from_conf(self.app.conf)
        except FencingFileError as error:
            return error

    def _broken(self) -> Mapping[str, Told] | None:
        """The devices that do not serve, as the active trigger last saw them; None:
        nobody can say."""
        try:
            now = time.time()
            found = gather(SqlJournal(self.app.database), now)
        except JournalError as error:
            print(f"What was seen of fence devices: {error}", file=sys.stderr)
            return None
        if found.report is None or not judge(found, now).alive:
            return None
        return {told.host: told for told in found.report.broken}


@contextlib.contextmanager
def look(
    conf: cfg.ConfigOpts, host: str | None
) -> Iterator[tuple[Mapping[str, Host], Iterable[Server]]]:
    """All compute hosts, and the servers of one of them, or of all, page by page."""
    with clouds.asked(conf) as api:
        hosts = OpenStackCloud(api, SystemClock()).observe(Scope()).hosts
        yield hosts, inventory.servers(api, host)


def _row(
    host: Host,
    counts: _ServerCount,
    fencing: FenceDevices | FencingFileError,
    broken: Mapping[str, Told] | None,
) -> tuple[Any, ...]:
    protected = vocabulary.HA in host.facts.flags
    method = _UNKNOWN
    if isinstance(fencing, FenceDevices):
        method = fencing.methods.get(host.name, "none")
    up = "up" if host.up else "down"
    return (
        host.name,
        ", ".join(sorted(host.facts.zones)),
        Words(sorted(host.facts.flags)),
        "forced down" if host.forced_down else up,
        "disabled" if host.disabled else "enabled",
        host.disabled_reason,
        counts.meant if protected else 0,
        counts.all,
        method,
        *_device(host, method, broken),
        Lines(_problems(host, counts, fencing, broken or {})),
    )


def _device(
    host: Host, method: str, broken: Mapping[str, Told] | None
) -> tuple[str, Moment]:
    """What was last seen of its fence device, and since when."""
    if method in ("none", Manual.METHOD):
        return "none", Moment(None)
    if broken is None:
        return _UNKNOWN, Moment(None)
    told = broken.get(host.name)
    if told is None:
        return "not seen broken", Moment(None)
    return "broken", Moment(told.since)


def _problems(
    host: Host,
    counts: _ServerCount,
    fencing: FenceDevices | FencingFileError,
    broken: Mapping[str, Told],
) -> list[str]:
    """What an operator should put right, each a sentence."""
    facts = host.facts
    problems = [*(sentence for _, sentence in facts.bad), *facts.misspelt]
    if len(facts.zones) != 1 and not facts.bad_value(vocabulary.STORAGE_ZONE):
        problems.append(f"in {facts.zone_words}")
    if vocabulary.HA not in facts.flags:
        if counts.meant:
            words = "not protected, though it has servers that should be"
            problems.append(f"{words}: {counts.meant}")
        return problems
    if isinstance(fencing, FencingFileError):
        problems.append(unfenced.unknown(fencing))
    elif lack := fencing.lacks(host.name):
        problems.append(unfenced.words(lack))
    if told := broken.get(host.name):
        problems.append(f"fence device: {told.words}")
    return problems
