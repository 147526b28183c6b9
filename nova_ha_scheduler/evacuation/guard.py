# SPDX-License-Identifier: Apache-2.0
"""Many dead hosts at once are more likely our own blindness than their death.

==============================  ==============================================
counted                         hosts that the guard admitted within the window,
                                and every other host that is silent now
limit of the whole cloud        max_hosts, and max_cloud_percent of its hosts
limit of each storage zone      max_zone_percent of its hosts
a share that rounds to nothing  allows one host
over a limit                    nothing more is fenced, until the cool-down ends
over it with late hosts         wait: they will be silent, or heard of, soon
==============================  ==============================================

A silent host that a witness has seen alive is not counted, nor one that a person has
paused or aborted before it was fenced: it does not want to be. Nor is one without a
fencing method: the trigger would not fence it either way, and it may stay so for days.
For the same reason a host that was admitted, and then could not be fenced, counts for
the window and no longer.
"""

from collections.abc import Collection
from dataclasses import replace

from nova_ha_scheduler.cluster.model import UNNAMED
from nova_ha_scheduler.evacuation import detect, holds, records
from nova_ha_scheduler.evacuation.records import EventKind, HostRecovery, HostState
from nova_ha_scheduler.evacuation.turn import Turn

_WANT_IN = (HostState.SUSPECTED, HostState.CONFIRMED)


def watch(turn: Turn) -> bool:
    """Trip, or end a cool-down that is over. Whether more hosts may be fenced."""
    until = turn.guard.tripped_until
    if until is not None:
        if turn.now < until:
            return False
        turn.guard = replace(turn.guard, tripped_until=None, reason="")
        turn.tell(EventKind.GUARD_RESET, reason="the cool-down is over")
    if not any(_wants_in(turn, host) for host in turn.open_hosts()):
        return True
    counted = {h.host for h in turn.hosts.values() if _counts(turn, h)}
    if excess := _excess(turn, counted):
        until = turn.now + turn.options.guard_cooldown
        turn.guard = replace(turn.guard, tripped_until=until, reason=excess)
        words = records.Reason.STORM.sentence(excess)
        turn.tell(EventKind.GUARD_TRIPPED, reason=words)
        return False
    protected = (
        h
        for h in detect.protected(turn.picture)
        if not (h.unfenceable or turn.pauses_on(h.name))
    )
    late = {h.name for h in protected if detect.late(h, turn.now, turn.options)}
    late -= {host.host for host in turn.open_hosts()}
    return _excess(turn, counted | late) is None


def admit(turn: Turn, host: HostRecovery) -> HostRecovery:
    """The host, counted from now on."""
    return replace(host, admitted_at=host.admitted_at or turn.now)


def _counts(turn: Turn, host: HostRecovery) -> bool:
    since = turn.now - turn.options.guard_window
    if host.admitted_at is not None:
        return host.admitted_at > since
    return host.ended_at is None and _wants_in(turn, host)


def _wants_in(turn: Turn, host: HostRecovery) -> bool:
    if host.state not in _WANT_IN or host.reason is records.Reason.WITNESSES:
        return False
    return not (detect.lack(turn, host) or holds.stops(turn, host))


def _excess(turn: Turn, counted: set[str]) -> str | None:
    """A sentence on the first limit that the counted hosts exceed."""
    options, hosts = turn.options, turn.picture.hosts
    if len(counted) > options.max_hosts:
        return f"{_words(counted)}: more than max_hosts = {options.max_hosts}"
    if len(counted) > _share(hosts, options.max_cloud_percent):
        share = f"{options.max_cloud_percent} % of the cloud's {len(hosts)} hosts"
        return f"{_words(counted)}: more than {share}"
    for zone in sorted({zone for h in hosts.values() for zone in h.facts.zones}):
        members = {name for name, h in hosts.items() if zone in h.facts.zones}
        dead = counted & members
        if UNNAMED in hosts:  # they may be in this zone
            dead |= counted - hosts.keys()
        if len(dead) > _share(members, options.max_zone_percent):
            share = f"{options.max_zone_percent} % of the {len(members)} hosts"
            return f"{_words(dead)}: more than {share} in zone {zone}"
    return None


def _share(hosts: Collection[str], percent: int) -> int:
    return max(1, len(hosts) * percent // 100)


def _words(hosts: set[str]) -> str:
    return f"{len(hosts)} dead ({', '.join(sorted(hosts))})"
