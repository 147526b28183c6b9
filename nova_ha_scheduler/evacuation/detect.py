# SPDX-License-Identifier: Apache-2.0
"""Who looks dead: silent services of protected hosts, unless we are blind."""

from collections.abc import Callable
from dataclasses import replace

from nova_ha_scheduler.cluster.model import Host, Picture
from nova_ha_scheduler.evacuation import records
from nova_ha_scheduler.evacuation.options import Options
from nova_ha_scheduler.evacuation.records import EventKind, HostRecovery, HostState
from nova_ha_scheduler.evacuation.turn import Turn
from nova_ha_scheduler.rules import vocabulary

OUR_MARK = "nova-ha: "
"""How the reason begins with which the trigger disables a service."""

_NOVA_MARK = "AUTO: "
"""nova-compute disables its own service with such a reason (libvirt is gone)."""

_SETTLES_IN = 2
"""Times the silence of a dead host. A service whose last call got no answer waits for
it as long as Nova's rpc_response_timeout says, 60 seconds by default, and reports only
then: seen after the kill of a conductor."""


def disabled_by_somebody(host: Host) -> bool:
    """Whether a person, or a tool of theirs, disabled the service."""
    return host.disabled and not host.disabled_reason.startswith((OUR_MARK, _NOVA_MARK))


def under_maintenance(host: Host) -> bool:
    """Whether the host is under maintenance, or its tag cannot be read."""
    return host.facts.may_be(vocabulary.MAINTENANCE)


def hands_off(host: Host) -> tuple[records.Reason, str] | None:
    """Why the trigger leaves a host alone, whatever its service does."""
    if host.unreadable:
        return records.Reason.SERVICE_UNREADABLE, host.unreadable
    if under_maintenance(host):
        return records.Reason.MAINTENANCE, ""
    if disabled_by_somebody(host):
        return records.Reason.DISABLED, host.disabled_reason or "without a reason"
    return None


def silent(host: Host, now: float, options: Options) -> bool:
    """Whether Nova holds the service for down, and for long enough."""
    if host.forced_down:
        return True  # somebody said so, or we did: there is nothing to wait for
    return not host.up and now - host.updated_at >= options.down_time


def late(host: Host, now: float, options: Options) -> bool:
    """Whether the service missed heartbeats: on the way to silence, perhaps."""
    return not host.forced_down and now - host.updated_at >= options.down_time / 2


def fading(picture: Picture, options: Options) -> frozenset[str]:
    """The hosts that fell silent while others were heard of for half of down_time:
    what takes one host down often takes others with it, and not all show it at once.

    Measured from the youngest heartbeat, so no clock but Nova's counts.
    """
    hosts = (host for host in picture.hosts.values() if not host.unreadable)
    beating = [host for host in hosts if host.up and not host.forced_down]
    newest = max((host.updated_at for host in beating), default=0.0)
    return frozenset(host.name for host in beating if late(host, newest, options))


def shunned(turn: Turn) -> frozenset[str]:
    """The hosts that no server is sent to: those that are being recovered, and those
    that may have to be, soon."""
    recovered = frozenset(host.host for host in turn.open_hosts())
    return recovered | fading(turn.picture, turn.options)


def protected(picture: Picture) -> list[Host]:
    """The hosts that the trigger answers for, by name."""
    by_name = (host for _, host in sorted(picture.hosts.items()))
    tagged = (host for host in by_name if vocabulary.HA in host.facts.flags)
    return [host for host in tagged if hands_off(host) is None]


def with_methods(picture: Picture, lacks: Callable[[str], str]) -> Picture:
    """The picture, in which each protected host says why it cannot be fenced, if so.

    :param lacks: see interfaces.Fencing.
    """
    tagged = (h for h in picture.hosts.values() if vocabulary.HA in h.facts.flags)
    found = {h.name: replace(h, unfenceable=lacks(h.name)) for h in tagged}
    return replace(picture, hosts={**picture.hosts, **found}) if found else picture


def lack(turn: Turn, host: HostRecovery) -> str:
    """Why there is no method to fence a host; "": there is one, or none is needed."""
    seen = turn.seen(host)
    return seen.unfenceable if seen and host.evidence is None else ""


def leave_alone(turn: Turn) -> None:
    """Tell of each protected host that dies under maintenance, once a death."""
    maintained = {window.host for window in turn.open_windows()}
    down = sorted(
        host.name
        for host in turn.picture.hosts.values()
        if (vocabulary.HA in host.facts.flags or host.name in maintained)
        and under_maintenance(host)
        and silent(host, turn.now, turn.options)
        and turn.recovery_of(host.name) is None
    )
    for name in down:
        if name not in turn.guard.left_alone:
            window = turn.window_of(name)
            words = records.Reason.LEFT_ALONE.sentence()
            turn.tell(EventKind.HOST_SEEN, window, host=name, reason=words)
    if tuple(down) != turn.guard.left_alone:
        turn.guard = replace(turn.guard, left_alone=tuple(down))


def sighted(turn: Turn) -> bool:
    """Whether the picture can be believed; blindness is told when it begins."""
    why, since = _blindness(turn), turn.guard.blind_since
    if why and since is None:
        turn.guard = replace(turn.guard, blind_since=turn.now)
        turn.tell(EventKind.BLIND, reason=why)
    if not why and since is not None:
        turn.guard = replace(turn.guard, blind_since=None, sighted_at=turn.now)
        turn.tell(EventKind.SIGHTED)
    return not why


def after_outage(turn: Turn) -> None:
    """What cannot be seen, or written down, may be out of order for all: hosts whose
    heartbeats it has kept from Nova are not to be taken for dead."""
    if turn.outage >= turn.options.down_time / 2:
        turn.guard = replace(turn.guard, sighted_at=turn.now)
        reason = records.Reason.OUTAGE.sentence(f"{turn.outage:.0f} s")
        turn.tell(EventKind.SIGHTED, reason=reason)


def _blindness(turn: Turn) -> str | None:
    """The sentence that says how we know that we see nothing, if so.

    Services die one by one; when not one of those that should be alive was heard of
    lately, then it is Nova's database, its message bus or our clock.
    """
    hosts = turn.picture.hosts.values()
    expected = [h for h in hosts if not (h.forced_down or h.disabled or h.unreadable)]
    early = turn.now + turn.options.clock_skew
    heard = any(
        host.up and host.updated_at <= early and not late(host, turn.now, turn.options)
        for host in expected
    )
    if heard or not expected:  # all are down or disabled by decision: nothing to see
        return None
    age = turn.now - max(host.updated_at for host in expected)
    if age < -turn.options.clock_skew:
        words = (
            f"the youngest of {len(expected)} heartbeats is of {-age:.0f} s from now"
        )
        return records.Reason.CLOCKS.sentence(words)
    words = f"the youngest of {len(expected)} heartbeats is {age:.0f} s old"
    return records.Reason.BLIND.sentence(words)


def settled(turn: Turn) -> bool:
    """Whether we see for so long that each host that lives was heard of.

    After an outage of Nova's message bus, conductors or database, or when a clock was
    set, hosts are heard of one by one; the last of them must not be taken for dead.
    """
    return settles_at(turn.guard, turn.now, turn.options) is None


def settles_at(
    guard: records.GuardRecord, now: float, options: Options
) -> float | None:
    """When we will have seen for so long; None: we have already."""
    since, long = guard.sighted_at, _SETTLES_IN * options.down_time
    if since is None or abs(now - since) >= long:
        return None
    return since + long


def suspect(turn: Turn) -> None:
    """Begin a recovery for each protected host that has gone silent."""
    for host in protected(turn.picture):
        known = turn.recovery_of(host.name)
        believed = host.forced_down or settled(turn)
        if known is None and believed and silent(host, turn.now, turn.options):
            turn.put(begin(turn, host))


def begin(turn: Turn, host: Host) -> HostRecovery:
    """A new recovery."""
    id, state = f"{host.name}@{turn.now:.3f}", HostState.SUSPECTED
    age = turn.now - host.updated_at
    words = "it was forced down" if host.forced_down else f"silent for {age:.0f} s"
    recovery = HostRecovery(id, host.name, state, started_at=turn.now)
    return turn.enter(recovery, state, reason=words)
