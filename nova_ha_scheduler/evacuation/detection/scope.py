# SPDX-License-Identifier: Apache-2.0
"""What the next picture has to show, by what the journal knows: the fewer hosts and
servers, the fewer requests."""

from collections.abc import Callable

from nova_ha_scheduler.cluster.picture import Scope
from nova_ha_scheduler.evacuation import stopping
from nova_ha_scheduler.evacuation.options import Options
from nova_ha_scheduler.records.host_recovery import HostRecovery, HostState, View
from nova_ha_scheduler.records.maintenance_window import Window, WindowState
from nova_ha_scheduler.records.move import MoveState
from nova_ha_scheduler.records.old_request import OldRequest
from nova_ha_scheduler.records.server_recovery import (
    ServerPhase,
    ServerRecovery,
    ServerState,
)
from nova_ha_scheduler.records.state import State

_CHECKED_TOGETHER = 10.0
"""Seconds for which a landed server's check waits for others to land: one list shows
them all, and it is long."""

_HOSTS_INTERVAL = 10.0
"""Seconds for which the hosts need not be looked at while servers are followed."""

_SAME_LOOK = 1.0
"""Seconds for which the hosts need not be looked at again: a step that needs to see
more of some hosts looks again at once."""

_SERVERS_INTERVAL = 30.0
"""The same for a host's list of servers: one may have been booted just before."""


def wanted(
    state: State,
    options: Options,
    now: float,
    hosts_at: float,
    listed_at: float,
    endangered: Callable[[], frozenset[str]],
) -> Scope:
    """
    :param hosts_at: when the newest overview was taken.
    :param listed_at: when the servers of all hosts in view were listed.
    :param endangered: gives the hosts that may be dead, too: their servers may be more
        urgent than those that wait.
    """
    hosts = [h for h in state.hosts.values() if h.ended_at is None]
    open_ = [s for s in state.servers.values() if not s.state.final]
    in_view = {host.host for host in hosts if _in_view(host, now)}
    commands = state.commands.values()
    in_view |= {c.host for c in commands if c.kind.confirms or c.queues_emptied}
    to_come = not all(host.has_been(HostState.EVACUATING) for host in hosts)
    waiting = to_come or any(s.state is ServerState.WAITING for s in open_)
    all_listed = waiting or _is_old(listed_at, now, _SERVERS_INTERVAL)
    # A waiting server's place depends on all that is under way.
    followed = set() if all_listed else _followed(open_, in_view, now)
    followed -= _untold(state, open_, now)
    followed -= {c.host for c in commands if c.queues_emptied}
    leaving, detailed = _leaving(state, now), in_view - followed
    if waiting and detailed:
        detailed |= endangered()
    late, older = _late(hosts, now), _older(hosts, now)
    looked_at = [*late, *(request for request in older if request.suspect)]
    destinations = waiting or _may_move(state, options, leaving, now)
    hosts_matter = bool(destinations or leaving or state.commands)
    hosts_matter |= not (detailed or followed)
    for_now = _SAME_LOOK if detailed else _HOSTS_INTERVAL
    return Scope(
        hosts=frozenset(detailed),
        landed=_to_check(open_, now)
        | {request.server for request in looked_at}
        | _starting(state),
        destinations=destinations,
        followed=frozenset(followed | ({r.source for r in (*late, *older)} - detailed)),
        overview=hosts_matter or _is_old(hosts_at, now, for_now),
        leaving=leaving,
        moves_since=_moves_since(state, now) if leaving else 0.0,
    )


def _is_old(at: float, now: float, seconds: float) -> bool:
    """Whether what was seen then has to be seen again; what is still to come was seen
    before the clock was set back."""
    return not 0 <= now - at < seconds


def rests(state: State, now: float) -> bool:
    """Whether all recoveries that are open stand still by a person's word, perhaps for
    days, and nothing else moves."""
    hosts = [h for h in state.hosts.values() if h.ended_at is None]
    stopped = [h.phase in stopping.STOPPED for h in hosts if _in_view(h, now)]
    moving = any(server.state.under_way for server in state.servers.values())
    busy = moving or state.commands or _leaving(state, now)
    return any(stopped) and all(stopped) and not busy


def busy(state: State) -> bool:
    """Whether a recovery goes on, up to the moment at which each of its servers is
    accounted for."""
    return any(is_under_way(host) for host in state.hosts.values())


def is_under_way(host: HostRecovery) -> bool:
    """Whether its recovery goes on, or would if something did not hold it up."""
    is_over = host.ended_at is not None or host.state.traits.over
    return not is_over and host.phase not in stopping.STOPPED


def _in_view(host: HostRecovery, now: float) -> bool:
    """Whether its servers have to be seen: until there is nothing to do for them."""
    view = host.state.traits.view
    return view is View.ALWAYS or (view is View.WHEN_DUE and now >= host.next_try_at)


def _followed(open_: list[ServerRecovery], in_view: set[str], now: float) -> set[str]:
    """The hosts whose records say enough."""
    under_way = {s.source for s in open_ if s.is_under_way(now)}
    return in_view & under_way - {s.source for s in open_ if s.is_lost(now)}


def _untold(state: State, open_: list[ServerRecovery], now: float) -> set[str]:
    """The hosts of servers whose records tell nothing more: only the servers tell."""
    proven = {host.host for host in state.hosts.values() if host.surely_dead}
    return {
        s.source
        for s in open_
        if s.phase is ServerPhase.STRANDED
        or (s.phase is ServerPhase.DESTINATION_DOWN and s.destination in proven)
        or (s.phase is ServerPhase.MISSING and now >= s.not_before)
    }


def _to_check(open_: list[ServerRecovery], now: float) -> frozenset[str]:
    """The landed servers that are to be looked at."""
    under_way = {s.source for s in open_ if s.is_under_way(now)}
    landed = [s for s in open_ if s.state is ServerState.LANDED]
    late = now - min((s.landed_at or now for s in landed), default=now)
    return frozenset(
        s.server
        for s in landed
        if late >= _CHECKED_TOGETHER or s.source not in under_way
    )


def _late(hosts: list[HostRecovery], now: float) -> list[OldRequest]:
    """What hosts that are back may still do to servers."""
    back = (h for h in hosts if h.state is HostState.RETURNING and _in_view(h, now))
    found = (old for host in back for old in host.old_requests)
    return [old for old in found if not (old.over or old.is_conductors)]


def _older(hosts: list[HostRecovery], now: float) -> list[OldRequest]:
    """The requests that others may still take up; their records are looked at now and
    then, and their servers when one has failed."""
    gone = (host for host in hosts if host.state is not HostState.RETURNING)
    found = (old for host in gone for old in host.old_requests if not old.over)
    return [old for old in found if old.landed_on and now >= old.look_at]


def _leaving(state: State, now: float) -> frozenset[str]:
    """The hosts whose servers move, or may be asked to."""
    drained = {w.host for w in state.windows.values() if _drains(w, now)}
    of_windows = {window.id for window in state.windows.values()}
    moving = {
        move.source
        for move in state.moves.values()
        if move.under_way
        or (
            move.job not in of_windows
            and move.state is MoveState.WAITING
            and now >= move.not_before
        )
    }
    return frozenset(drained | moving)


def _starting(state: State) -> set[str]:
    """The servers that are started where they have moved, or have stayed."""
    found = state.moves.values()
    return {move.server for move in found if move.state is MoveState.STARTING}


def _drains(window: Window, now: float) -> bool:
    due = window.ended_at is None and now >= window.next_look_at
    return due and window.drain and window.state is WindowState.OPEN


def _may_move(
    state: State, options: Options, leaving: frozenset[str], now: float
) -> bool:
    """Whether Nova may be asked for another move now. What is under way for long may
    have stalled: only the picture tells."""
    found = state.moves.values()
    early = now - options.stalled_after
    began = (m.moving_at or m.asked_at or now for m in found if m.under_way)
    if sum(at > early for at in began) >= options.maintenance_max_in_flight:
        return False
    waiting = (m for m in found if m.state is MoveState.WAITING)
    return any(m.not_before <= now and m.source in leaving for m in waiting)


def _moves_since(state: State, now: float) -> float:
    """When the oldest move that is not at its end was begun."""
    open_ = (m.seen_at for m in state.moves.values() if not m.state.final)
    return min(open_, default=now)
