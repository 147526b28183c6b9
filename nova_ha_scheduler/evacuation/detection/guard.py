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
over it with unheard hosts      a host that is to be fenced before it is silent for
                                down_time waits until others are heard of that were
                                not since it missed its heartbeat: they may have died
                                with it
all are accounted for           each host that counted is heard of again, or proven
                                dead: the cool-down ends, for there is no storm
reset by a person               the cool-down ends. Who counted when the person
                                ordered that counts no more: the person has judged
                                them. The window begins anew for all others
==============================  ==============================================

A silent host that a witness has seen alive is not counted, nor one that a person has
paused or aborted before it was fenced: it does not want to be. Nor is one without a
fencing method: the trigger would not fence it either way, and it may stay so for days.
For the same reason a host that was admitted counts for the window and no longer, also
if it could not be fenced, or if its recovery never ends; and one whose step breaks, so
that nothing at all is done for it, does not count.

A reset is about the storm that the person saw. One that was ordered before the guard
tripped is refused, and a host that was suspected only after the order still counts. It
is no word that a host is off: each is fenced, as ever.
"""

from collections.abc import Collection
from dataclasses import replace

from nova_ha_scheduler.cluster.picture import UNNAMED
from nova_ha_scheduler.evacuation import stopping
from nova_ha_scheduler.evacuation.detection import suspicion
from nova_ha_scheduler.evacuation.step import Step
from nova_ha_scheduler.reasons import Reason
from nova_ha_scheduler.records.commands import Command
from nova_ha_scheduler.records.events import EventKind
from nova_ha_scheduler.records.host_recovery import HostPhase, HostRecovery, HostState

_NOT_TO_BE_FENCED = (HostPhase.ALIVE_TO_WITNESSES, HostPhase.BROKEN)
"""Phases that a host may stay in for days without being fenced."""


def watch(step: Step) -> bool:
    """Trip, or end a cool-down that is over. Whether more hosts may be fenced."""
    counted = {h.host for h in step.hosts.values() if _counts(step, h)}
    if step.guard.tripped_until is not None and not _is_over(step, counted):
        return False
    if not any(_wants_in(step, host) for host in step.open_hosts()):
        return True
    if excess := _excess(step, counted):
        step.guard = replace(
            step.guard,
            tripped_until=step.now + step.options.guard_cooldown,
            tripped_at=step.now,
            counted=tuple(sorted(counted)),
            reason=excess,
        )
        words = Reason.STORM.sentence(excess)
        step.tell(EventKind.GUARD_TRIPPED, reason=words)
        return False
    protected = (
        h
        for h in suspicion.protected(step.picture, step.options)
        if not (h.unfenceable or step.pauses_on(h.name))
    )
    early = [h for h in step.open_hosts() if _is_early(step, h)]
    unheard = suspicion.unheard(step, early)
    late = {
        h.name
        for h in protected
        if h.name in unheard or suspicion.late(h, step.now, step.options)
    }
    open_ = step.open_hosts()
    late -= {host.host for host in open_}
    late |= {host.host for host in open_ if host.state is HostState.LATE}
    return _excess(step, counted | late) is None


def reset(step: Step, command: Command) -> None:
    """A person says that the storm is over."""
    is_later = (step.guard.tripped_at or 0.0) > command.at
    if step.guard.tripped_until is None or is_later:
        step.refuse(command, Reason.NOT_TRIPPED)
        return
    judged = [
        host
        for host in step.hosts.values()
        if _counts(step, host) and host.started_at <= command.at
    ]
    for host in judged:
        step.put(replace(host, judged=True))
    waiting = sorted(h.host for h in judged if _wants_in(step, h))
    words = f"fenced as usual from now on: {', '.join(waiting) or 'nobody waits'}"
    step.settle(command, words)
    _end(step, words, str(command))


def _is_over(step: Step, counted: set[str]) -> bool:
    """Whether the cool-down ends now."""
    guard = step.guard
    names = {*guard.counted, *counted}
    if guard.tripped_until is None or step.now >= guard.tripped_until:
        _end(step, "the cool-down is over")
        return True
    if guard.counted and all(_is_accounted_for(step, name) for name in names):
        _end(step, "every host that counted is heard of again, or proven dead")
        return True
    if not names <= {*guard.counted}:
        step.guard = replace(guard, counted=tuple(sorted(names)))
    return False


def _is_accounted_for(step: Step, name: str) -> bool:
    """Whether it is known what has become of a host."""
    seen, known = step.picture.hosts.get(name), step.recovery_of(name)
    if known is not None and known.surely_dead:
        return True
    if known is not None and suspicion.looks_dead(step, known):
        return False  # it is late, and Nova does not know it yet
    return seen is not None and seen.heard


def _end(step: Step, reason: str, how: str = "") -> None:
    step.guard = replace(
        step.guard, tripped_until=None, tripped_at=None, counted=(), reason=""
    )
    step.tell(EventKind.GUARD_RESET, how=how, reason=reason)


def admit(step: Step, host: HostRecovery) -> HostRecovery:
    """The host, counted from now on."""
    return replace(host, admitted_at=host.admitted_at or step.now)


def _counts(step: Step, host: HostRecovery) -> bool:
    if host.judged:
        return False
    since = step.now - step.options.guard_window
    if host.state is HostState.LATE:
        return False  # it may be a power cycle, also one of a whole rack
    if host.admitted_at is not None:
        return host.admitted_at > since
    return host.ended_at is None and _wants_in(step, host)


def _wants_in(step: Step, host: HostRecovery) -> bool:
    if not host.state.traits.wants_in or host.phase in _NOT_TO_BE_FENCED:
        return False
    if not suspicion.looks_dead(step, host):
        return False  # this very step finds that it is no death
    return not (suspicion.lack(step, host) or stopping.stops(step, host))


def _is_early(step: Step, host: HostRecovery) -> bool:
    """Whether it wants to be fenced before it is silent for down_time."""
    seen = step.seen(host)
    early = seen is not None and not suspicion.silent(seen, step.now, step.options)
    return early and _wants_in(step, host)


def _excess(step: Step, counted: set[str]) -> str | None:
    """A sentence on the first limit that the counted hosts exceed."""
    options, hosts = step.options, step.picture.hosts
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
    """Some of them may have returned since."""
    names = ", ".join(sorted(hosts))
    of_them = "1 host" if len(hosts) == 1 else f"{len(hosts)} hosts"
    return f"{of_them} dead or silent within [guard] window ({names})"
