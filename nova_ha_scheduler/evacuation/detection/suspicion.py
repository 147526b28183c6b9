# SPDX-License-Identifier: Apache-2.0
"""Who looks dead: silent services of protected hosts, unless we are blind."""

from collections.abc import Callable
from dataclasses import replace

from nova_ha_scheduler.cluster.picture import Host, Picture
from nova_ha_scheduler.evacuation.options import Options
from nova_ha_scheduler.evacuation.step import Step
from nova_ha_scheduler.reasons import Reason
from nova_ha_scheduler.records.events import EventKind
from nova_ha_scheduler.records.guard_record import GuardRecord
from nova_ha_scheduler.records.host_recovery import HostRecovery, HostState
from nova_ha_scheduler.records.state import State
from nova_ha_scheduler.rules import vocabulary

_MAX_REASON = 255
"""How long Nova lets a disabled_reason be."""

_NOVA_MARK = "AUTO: "
"""nova-compute disables its own service with such a reason (libvirt is gone)."""

_SETTLES_IN = 2
"""Times the silence of a dead host. A service whose last call got no answer waits for
it as long as Nova's rpc_response_timeout says, 60 seconds by default, and reports only
then: seen after the kill of a conductor."""


def proven_dead(step: Step, host: str) -> HostRecovery | None:
    """The recovery of a host that is proven to have died, and shows no life; the
    picture is younger than the proof.

    A host in recovery is nobody's destination: it has died after it was asked, whatever
    the clock says.
    """
    found = step.recovery_of(host)
    if found is None or not found.surely_dead or not found.state.traits.proven:
        return None
    at = found.stages.get(HostState.FENCED.value, 0.0)
    older = step.picture.taken_at <= at <= step.now  # else the clock was set back
    return None if older else found


def disabled_reason(words: str) -> str:
    """The reason with which the trigger disables a service."""
    return f"{vocabulary.OUR_MARK}{words}"[:_MAX_REASON]


def disabled_by_somebody(host: Host) -> bool:
    """Whether a person, or a tool of theirs, disabled the service."""
    return host.disabled and not host.disabled_reason.startswith(
        (vocabulary.OUR_MARK, _NOVA_MARK)
    )


def disabled_by_us(host: Host) -> bool:
    """Whether the trigger disabled the service."""
    return host.disabled and host.disabled_reason.startswith(vocabulary.OUR_MARK)


def left_disabled(host: Host, options: Options) -> bool:
    """Whether that alone is why the trigger leaves a host alone."""
    other = host.unreadable or under_maintenance(host)
    return not (other or options.recover_disabled) and disabled_by_somebody(host)


def under_maintenance(host: Host) -> bool:
    """Whether the host is under maintenance, or its tag cannot be read."""
    return host.facts.may_be(vocabulary.MAINTENANCE)


def hands_off(host: Host, options: Options) -> tuple[Reason, str] | None:
    """Why the trigger leaves a host alone, whatever its service does."""
    if host.unreadable:
        return Reason.SERVICE_UNREADABLE, host.unreadable
    if under_maintenance(host):
        return Reason.MAINTENANCE, ""
    if left_disabled(host, options):
        return Reason.DISABLED, host.disabled_reason or "without a reason"
    return None


def silent(host: Host, now: float, options: Options) -> bool:
    """Whether Nova holds the service for down, and for long enough."""
    if host.forced_down:
        return True  # somebody said so, or we did: there is nothing to wait for
    return not host.up and now - host.updated_at >= options.down_time


def looks_dead(step: Step, host: HostRecovery) -> bool:
    """Whether the host of a recovery still does: it is silent, or was suspected before
    that, and not heard of since."""
    seen = step.seen(host)
    if seen is None or seen.unreadable:
        return False
    if silent(seen, step.now, step.options):
        return True
    return host.last_beat is not None and seen.updated_at <= host.last_beat


def unheard(step: Step, early: list[HostRecovery]) -> frozenset[str]:
    """The protected hosts of which nothing was heard since the first of these missed a
    heartbeat: what took that one down may have taken them down, too."""
    due = [host.beat_due for host in early if host.beat_due is not None]
    seen = protected(step.picture, step.options) if due else []
    return frozenset(h.name for h in seen if h.updated_at < min(due))


def late(host: Host, now: float, options: Options) -> bool:
    """Whether the service missed heartbeats: on the way to silence, perhaps."""
    return not host.forced_down and now - host.updated_at >= options.down_time / 2


def fading(picture: Picture, options: Options) -> frozenset[str]:
    """The hosts that fell silent while others were heard of for half of down_time:
    what takes one host down often takes others with it, and not all show it at once.

    Measured from the youngest heartbeat, so no clock but Nova's counts.
    """
    beating = _beating(picture)
    newest = max((host.updated_at for host in beating), default=0.0)
    return frozenset(host.name for host in beating if late(host, newest, options))


def endangered(picture: Picture, options: Options) -> frozenset[str]:
    """The protected hosts that may have to be recovered soon: those among them that
    fade, and those that Nova holds for down already."""
    newest = max((host.updated_at for host in _beating(picture)), default=0.0)
    seen = protected(picture, options)
    found = (host for host in seen if late(host, newest, options))
    return frozenset(host.name for host in found)


def _beating(picture: Picture) -> list[Host]:
    hosts = (host for host in picture.hosts.values() if not host.unreadable)
    return [host for host in hosts if host.up and not host.forced_down]


def shunned(step: Step) -> frozenset[str]:
    """The hosts that no server is sent to: those that are being recovered, and those
    that may have to be, soon."""
    recovered = frozenset(host.host for host in step.open_hosts())
    return recovered | fading(step.picture, step.options)


def is_closed(picture: Picture, state: State, name: str) -> bool:
    """Whether no evacuated server is to be sent to a host, by what is known now: it may
    be down or under maintenance since the host was chosen."""
    host = picture.hosts.get(name)
    if host is None or not host.heard or host.disabled or under_maintenance(host):
        return True
    return any(h.host == name and h.ended_at is None for h in state.hosts.values())


def protected(picture: Picture, options: Options) -> list[Host]:
    """The hosts that the trigger answers for, by name."""
    by_name = (host for _, host in sorted(picture.hosts.items()))
    tagged = (host for host in by_name if vocabulary.HA in host.facts.flags)
    return [host for host in tagged if hands_off(host, options) is None]


def with_methods(picture: Picture, lacks: Callable[[str], str]) -> Picture:
    """The picture, in which each protected host says why it cannot be fenced, if so.

    :param lacks: see interfaces.Fencing.
    """
    tagged = (h for h in picture.hosts.values() if vocabulary.HA in h.facts.flags)
    found = {h.name: replace(h, unfenceable=lacks(h.name)) for h in tagged}
    return replace(picture, hosts={**picture.hosts, **found}) if found else picture


def lack(step: Step, host: HostRecovery) -> str:
    """Why there is no method to fence a host; "": there is one, or none is needed."""
    seen = step.seen(host)
    return seen.unfenceable if seen and not host.surely_dead else ""


def leave_alone(step: Step) -> None:
    """Tell of each protected host that dies under maintenance, once a death."""
    maintained = {window.host for window in step.open_windows()}
    down = sorted(
        host.name
        for host in step.picture.hosts.values()
        if (vocabulary.HA in host.facts.flags or host.name in maintained)
        and under_maintenance(host)
        and silent(host, step.now, step.options)
        and step.recovery_of(host.name) is None
    )
    for name in down:
        if name not in step.guard.left_alone:
            window = step.window_of(name)
            words = Reason.LEFT_ALONE.sentence()
            step.tell(EventKind.HOST_SEEN, window, host=name, reason=words)
    if tuple(down) != step.guard.left_alone:
        step.guard = replace(step.guard, left_alone=tuple(down))


def leave_disabled(step: Step) -> None:
    """The same of each that dies while somebody has its service disabled."""
    told, believed = step.guard.left_disabled, settled(step)
    down = [
        host
        for _, host in sorted(step.picture.hosts.items())
        if vocabulary.HA in host.facts.flags
        and left_disabled(host, step.options)
        and silent(host, step.now, step.options)
        and (believed or host.forced_down or host.name in told)
        and step.recovery_of(host.name) is None
    ]
    for host in down:
        if host.name not in told:
            words = Reason.LEFT_DEAD.sentence(host.disabled_reason or "no reason given")
            step.tell(EventKind.HOST_LEFT_ALONE, host=host.name, reason=words)
    names = tuple(host.name for host in down)
    if names != told:
        step.guard = replace(step.guard, left_disabled=names)


def sighted(step: Step) -> bool:
    """Whether the picture can be believed; blindness is told when it begins."""
    why, since = _blindness(step), step.guard.blind_since
    if why and since is None:
        step.guard = replace(step.guard, blind_since=step.now)
        step.tell(EventKind.BLIND, reason=why)
    if not why and since is not None:
        step.guard = replace(step.guard, blind_since=None, sighted_at=step.now)
        step.tell(EventKind.SIGHTED)
    return not why


def after_outage(step: Step) -> None:
    """What cannot be seen, or written down, may be out of order for all: hosts whose
    heartbeats it has kept from Nova are not to be taken for dead."""
    if step.outage >= step.options.down_time / 2:
        step.guard = replace(step.guard, sighted_at=step.now)
        reason = Reason.OUTAGE.sentence(f"{step.outage:.0f} s")
        step.tell(EventKind.SIGHTED, reason=reason)


def _blindness(step: Step) -> str | None:
    """The sentence that says how we know that we see nothing, if so.

    Services die one by one; when not one of those that should be alive was heard of
    lately, then it is Nova's database, its message bus or our clock.
    """
    hosts = step.picture.hosts.values()
    expected = [h for h in hosts if not (h.forced_down or h.disabled or h.unreadable)]
    early = step.now + step.options.clock_skew
    heard = any(
        host.up and host.updated_at <= early and not late(host, step.now, step.options)
        for host in expected
    )
    if heard or not expected:  # all are down or disabled by decision: nothing to see
        return None
    age = step.now - max(host.updated_at for host in expected)
    if age < -step.options.clock_skew:
        words = (
            f"the youngest of {len(expected)} heartbeats is of {-age:.0f} s from now"
        )
        return Reason.CLOCKS.sentence(words)
    words = f"the youngest of {len(expected)} heartbeats is {age:.0f} s old"
    return Reason.BLIND.sentence(words)


def settled(step: Step) -> bool:
    """Whether we see for so long that each host that lives was heard of.

    After an outage of Nova's message bus, conductors or database, or when a clock was
    set, hosts are heard of one by one; the last of them must not be taken for dead.
    """
    return settles_at(step.guard, step.now, step.options) is None


def settles_at(guard: GuardRecord, now: float, options: Options) -> float | None:
    """When we will have seen for so long; None: we have already."""
    since, long = guard.sighted_at, _SETTLES_IN * options.down_time
    if since is None or abs(now - since) >= long:
        return None
    return since + long


def suspect(step: Step) -> None:
    """Begin a recovery for each protected host that has gone silent."""
    for host in protected(step.picture, step.options):
        known = step.recovery_of(host.name)
        believed = host.forced_down or settled(step)
        if known is None and believed and silent(host, step.now, step.options):
            step.put(begin(step, host))


def begin(step: Step, host: Host) -> HostRecovery:
    """A new recovery."""
    id, state = f"{host.name}@{step.now:.3f}", HostState.SUSPECTED
    age = step.now - host.updated_at
    words = "it was forced down" if host.forced_down else f"silent for {age:.0f} s"
    recovery = HostRecovery(id, host.name, state, started_at=step.now)
    return step.enter(recovery, state, reason=words)
