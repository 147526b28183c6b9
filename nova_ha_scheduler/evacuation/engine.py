# SPDX-License-Identifier: Apache-2.0
"""The step that ties it all together, and the object that repeats it."""

from nova_ha_scheduler.evacuation import (
    commands,
    detect,
    guard,
    holds,
    pauses,
    records,
    recovery,
)
from nova_ha_scheduler.evacuation.cloud import Picture, Scope
from nova_ha_scheduler.evacuation.devices import DeviceWatch
from nova_ha_scheduler.evacuation.interfaces import Clock, Cloud, Executor, Journal
from nova_ha_scheduler.evacuation.options import Options
from nova_ha_scheduler.evacuation.records import HostRecovery, HostState, ServerState
from nova_ha_scheduler.evacuation.turn import Turn

_UNPROVEN = (HostState.SUSPECTED, HostState.CONFIRMED)
_MOVING = (ServerState.ASKED, ServerState.MOVING)

_CHECKED_TOGETHER = 10.0
"""Seconds for which a landed server's check waits for others to land: one list shows
them all, and it is long."""

_HOSTS_INTERVAL = 10.0
"""Seconds for which the hosts need not be looked at while servers are followed."""

_SERVERS_INTERVAL = 30.0
"""The same for a host's list of servers: one may have been booted just before."""


def decide(turn: Turn) -> None:
    """One step: new suspicions, commands, every host's state, new evacuations."""
    holds.expire(turn)
    sighted = turn.picture.hosts_at is None and detect.sighted(turn)
    if sighted:
        detect.suspect(turn)
    commands.handle(turn)
    turn.may_fence = sighted and guard.watch(turn)
    for host in turn.open_hosts():
        if sighted or host.state not in _UNPROVEN:
            _advance(turn, host)
    recovery.dispatch(turn)


def _advance(turn: Turn, host: HostRecovery) -> None:
    """Run the state functions until the state stays."""
    host = holds.released(turn, host)
    while True:
        new = recovery.FUNCTIONS[host.state](turn, host)
        turn.put(new)
        if new.state is host.state or new.ended_at is not None:
            return
        host = new


def _in_view(host: HostRecovery, now: float) -> bool:
    """Whether its servers have to be seen: until there is nothing to do for them."""
    if host.state is HostState.INCOMPLETE:
        return now >= host.next_try_at
    return host.state is not HostState.RECOVERED


class Engine:
    """Repeats the step on a journal: see, decide, write down, act."""

    def __init__(
        self,
        cloud: Cloud,
        clock: Clock,
        journal: Journal,
        executor: Executor,
        options: Options,
    ) -> None:
        self._cloud, self._clock = cloud, clock
        self._journal, self._executor = journal, executor
        self._options = options
        self._devices = DeviceWatch(options.device_check_interval)
        self._picture: Picture | None = None
        self._listed_at = 0.0
        self.state = records.State()

    def step(self, look: bool = True) -> records.Change:
        """One step; what it decided is journalled, then handed to the executor.

        :param look: take a new picture; without, only what the executor learned is
            new. A picture costs a fixed number of requests.
        :raises CloudUnreachable: if there is no picture; nothing was lost.
        """
        self.state = self._journal.load(self._clock.now() - self._options.guard_window)
        if look or self._picture is None:
            self._picture = self._look()
        running = self._executor.running()
        outcomes = self._executor.outcomes()
        now = self._clock.now()
        turn = Turn(self.state, self._picture, outcomes, running, now, self._options)
        decide(turn)
        self._devices.watch(turn)
        change = turn.change()
        if change:
            self._journal.commit(change)
            self.state = self.state.after(change)
        for intent in change.opened:
            self._executor.submit(intent)
        return change

    def withholds(self, intent: records.Intent) -> bool:
        """Whether a person has stopped what was decided before; asks the journal.

        To be called just before the effect, from any thread.
        """
        if intent.effect not in holds.NOT_WHEN_STOPPED:
            return False
        recovery = self.state.hosts.get(intent.recovery)
        if recovery is not None and recovery.aborted:
            return True
        seen = self._picture.hosts.get(intent.host) if self._picture else None
        zones = seen.facts.zones if seen else frozenset()
        known, now = self._journal.pauses(), self._clock.now()
        return bool(pauses.holding(known, intent.host, zones, now))

    def _look(self) -> Picture:
        picture = self._cloud.observe(self.scope())
        if not picture.scope.followed:
            self._listed_at = picture.taken_at
        if self._picture is None or picture.scope.overview:
            return picture
        return picture.with_hosts_of(self._picture)

    def wants_look(self) -> bool:
        """Whether the next step needs to see more than the newest picture shows."""
        if self._picture is None:
            return True
        wanted, shown = self.scope(), self._picture.scope
        return not (
            wanted.hosts <= shown.hosts
            and wanted.followed <= shown.hosts | shown.followed
            and wanted.landed <= shown.landed
            and wanted.destinations <= shown.destinations
        )

    def rests(self) -> bool:
        """Whether all recoveries that are open stand still by a person's word: there
        is no hurry, perhaps for days."""
        state, now = self.state, self._clock.now()
        hosts = [h for h in state.hosts.values() if h.ended_at is None]
        stopped = [h.reason in holds.STOPPED for h in hosts if _in_view(h, now)]
        moving = any(server.state in _MOVING for server in state.servers.values())
        return any(stopped) and all(stopped) and not (moving or state.commands)

    def scope(self) -> Scope:
        """What the next picture has to show, by what the journal knows."""
        now, servers = self._clock.now(), self.state.servers.values()
        hosts = [h for h in self.state.hosts.values() if h.ended_at is None]
        in_view = {host.host for host in hosts if _in_view(host, now)}
        in_view |= {command.host for command in self.state.commands.values()}
        to_come = any(HostState.EVACUATING.value not in h.stages for h in hosts)
        open_ = [s for s in servers if not s.state.final]
        waiting = to_come or any(s.state is ServerState.WAITING for s in open_)
        under_way = {s.source for s in open_ if s.is_under_way(now)}
        followed = in_view & under_way - {s.source for s in open_ if s.is_lost(now)}
        if waiting or now - self._listed_at >= _SERVERS_INTERVAL:
            followed = set()  # a server's place depends on all that is under way
        seen_at = self._picture.hosts_seen_at if self._picture else 0.0
        landed = [s for s in open_ if s.landed_at is not None]
        late = now - min((s.landed_at or now for s in landed), default=now)
        to_check = {
            s.server
            for s in landed
            if late >= _CHECKED_TOGETHER or s.source not in under_way
        }
        detailed = in_view - followed
        return Scope(
            hosts=frozenset(detailed),
            landed=frozenset(to_check),
            destinations=waiting,
            followed=frozenset(followed),
            overview=bool(detailed) or not followed or now - seen_at >= _HOSTS_INTERVAL,
        )
