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
all are accounted for           each host that counted is heard of again, or proven
                                dead: the cool-down ends, for there is no storm
reset by a person               the cool-down ends. Who counted when the person
                                ordered that counts no more: the person has judged
                                them. The window begins anew for all others
==============================  ==============================================

A silent host that a witness has seen alive is not counted, nor one that a person has
paused or aborted before it was fenced: it does not want to be. Nor is one without a
fencing method: the trigger would not fence it either way, and it may stay so for days.
For the same reason a host that was admitted, and then could not be fenced, counts for
the window and no longer.

A reset is about the storm that the person saw. One that was ordered before the guard
tripped is refused, and a host that was suspected only after the order still counts. It
is no word that a host is off: each is fenced, as ever.
"""

from collections.abc import Collection
from dataclasses import replace

from nova_ha_scheduler.cluster.model import UNNAMED
from nova_ha_scheduler.evacuation import detect, holds, records
from nova_ha_scheduler.evacuation.records import (
    EventKind,
    HostRecovery,
    HostState,
    Reason,
)
from nova_ha_scheduler.evacuation.turn import Turn

_WANT_IN = (HostState.SUSPECTED, HostState.CONFIRMED)


def watch(turn: Turn) -> bool:
    """Trip, or end a cool-down that is over. Whether more hosts may be fenced."""
    counted = {h.host for h in turn.hosts.values() if _counts(turn, h)}
    if turn.guard.tripped_until is not None and not _is_over(turn, counted):
        return False
    if not any(_wants_in(turn, host) for host in turn.open_hosts()):
        return True
    if excess := _excess(turn, counted):
        turn.guard = replace(
            turn.guard,
            tripped_until=turn.now + turn.options.guard_cooldown,
            tripped_at=turn.now,
            counted=tuple(sorted(counted)),
            reason=excess,
        )
        words = Reason.STORM.sentence(excess)
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


def reset(turn: Turn, command: records.Command) -> None:
    """A person says that the storm is over."""
    is_later = (turn.guard.tripped_at or 0.0) > command.at
    if turn.guard.tripped_until is None or is_later:
        turn.refuse(command, Reason.NOT_TRIPPED)
        return
    judged = [
        host
        for host in turn.hosts.values()
        if _counts(turn, host) and host.started_at <= command.at
    ]
    for host in judged:
        turn.put(replace(host, judged=True))
    waiting = sorted(h.host for h in judged if _wants_in(turn, h))
    words = f"fenced as usual from now on: {', '.join(waiting) or 'nobody waits'}"
    turn.settle(command, words)
    _end(turn, words, str(command))


def _is_over(turn: Turn, counted: set[str]) -> bool:
    """Whether the cool-down ends now."""
    guard = turn.guard
    names = {*guard.counted, *counted}
    if guard.tripped_until is None or turn.now >= guard.tripped_until:
        _end(turn, "the cool-down is over")
        return True
    if guard.counted and all(_is_accounted_for(turn, name) for name in names):
        _end(turn, "every host that counted is heard of again, or proven dead")
        return True
    if not names <= {*guard.counted}:
        turn.guard = replace(guard, counted=tuple(sorted(names)))
    return False


def _is_accounted_for(turn: Turn, name: str) -> bool:
    """Whether it is known what has become of a host."""
    seen, known = turn.picture.hosts.get(name), turn.recovery_of(name)
    proven = known is not None and known.evidence is not None
    return proven or (seen is not None and seen.heard)


def _end(turn: Turn, reason: str, how: str = "") -> None:
    turn.guard = replace(
        turn.guard, tripped_until=None, tripped_at=None, counted=(), reason=""
    )
    turn.tell(EventKind.GUARD_RESET, how=how, reason=reason)


def admit(turn: Turn, host: HostRecovery) -> HostRecovery:
    """The host, counted from now on."""
    return replace(host, admitted_at=host.admitted_at or turn.now)


def _counts(turn: Turn, host: HostRecovery) -> bool:
    if host.judged:
        return False
    since = turn.now - turn.options.guard_window
    if host.admitted_at is not None:
        return host.admitted_at > since
    return host.ended_at is None and _wants_in(turn, host)


def _wants_in(turn: Turn, host: HostRecovery) -> bool:
    if host.state not in _WANT_IN or host.reason is Reason.WITNESSES:
        return False
    seen = turn.seen(host)
    if seen is None or not detect.silent(seen, turn.now, turn.options):
        return False  # this very step finds that it is no death
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
