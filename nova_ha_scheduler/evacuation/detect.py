# SPDX-License-Identifier: Apache-2.0
"""Who looks dead: silent services of protected hosts, unless we are blind."""

from nova_ha_scheduler.evacuation.cloud import Host, Picture
from nova_ha_scheduler.evacuation.options import Options
from nova_ha_scheduler.evacuation.records import (
    EventKind,
    HostRecovery,
    HostState,
    Reason,
)
from nova_ha_scheduler.evacuation.turn import Turn
from nova_ha_scheduler.rules import vocabulary

OUR_MARK = "nova-ha: "
"""How the reason begins with which the trigger disables a service."""

_NOVA_MARK = "AUTO: "
"""nova-compute disables its own service with such a reason (libvirt is gone)."""


def disabled_by_somebody(host: Host) -> bool:
    """Whether a person, or a tool of theirs, disabled the service."""
    return host.disabled and not host.disabled_reason.startswith((OUR_MARK, _NOVA_MARK))


def under_maintenance(host: Host) -> bool:
    """Whether the host is under maintenance, or its tag cannot be read."""
    return host.facts.may_be(vocabulary.MAINTENANCE)


def hands_off(host: Host) -> tuple[Reason, str] | None:
    """Why the trigger leaves a host alone, whatever its service does."""
    if under_maintenance(host):
        return Reason.MAINTENANCE, ""
    if disabled_by_somebody(host):
        return Reason.DISABLED, host.disabled_reason or "without a reason"
    return None


def silent(host: Host, now: float, options: Options) -> bool:
    """Whether Nova holds the service for down, and for long enough."""
    if host.forced_down:
        return True  # somebody said so, or we did: there is nothing to wait for
    return not host.up and now - host.updated_at >= options.down_time


def late(host: Host, now: float, options: Options) -> bool:
    """Whether the service missed heartbeats: on the way to silence, perhaps."""
    return not host.forced_down and now - host.updated_at >= options.down_time / 2


def protected(picture: Picture) -> list[Host]:
    """The hosts that the trigger answers for, by name."""
    return [
        host
        for _, host in sorted(picture.hosts.items())
        if vocabulary.HA in host.facts.flags and hands_off(host) is None
    ]


def blindness(turn: Turn) -> str | None:
    """The sentence that says how we know that we see nothing, if so.

    Services die one by one; when not one of those that should be alive was heard of
    lately, then it is Nova's database, its message bus or our clock.
    """
    expected = [
        host
        for host in turn.picture.hosts.values()
        if not host.forced_down and not host.disabled
    ]
    if any(host.up and not late(host, turn.now, turn.options) for host in expected):
        return None
    if not expected:
        return None  # nothing to see: each host is down or disabled by decision
    youngest = turn.now - max(host.updated_at for host in expected)
    return f"the youngest of {len(expected)} heartbeats is {youngest:.0f} s old"


def suspect(turn: Turn) -> None:
    """Begin a recovery for each protected host that has gone silent."""
    for host in protected(turn.picture):
        if not silent(host, turn.now, turn.options):
            continue
        if turn.recovery_of(host.name) is None:
            turn.put(begin(turn, host, HostState.SUSPECTED))


def begin(turn: Turn, host: Host, state: HostState) -> HostRecovery:
    """A new recovery."""
    recovery = HostRecovery(
        id=f"{host.name}@{turn.now:.3f}",
        host=host.name,
        state=state,
        started_at=turn.now,
        stages={state.value: turn.now},
    )
    age = turn.now - host.updated_at
    words = "it was forced down" if host.forced_down else f"silent for {age:.0f} s"
    turn.tell(EventKind.HOST_SUSPECTED, recovery, reason=words)
    return recovery
