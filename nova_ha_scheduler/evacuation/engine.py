# SPDX-License-Identifier: Apache-2.0
"""The step that ties it all together, and the object that repeats it."""

from collections.abc import Sequence
from dataclasses import replace

from nova_ha_scheduler.evacuation import (
    commands,
    detect,
    guard,
    planner,
    recovery,
    servers,
)
from nova_ha_scheduler.evacuation.cloud import Picture, Scope
from nova_ha_scheduler.evacuation.devices import DeviceWatch
from nova_ha_scheduler.evacuation.interfaces import Clock, Cloud, Executor, Journal
from nova_ha_scheduler.evacuation.options import Options
from nova_ha_scheduler.evacuation.records import (
    Change,
    EventKind,
    HostRecovery,
    HostState,
    Outcome,
    Reason,
    ServerRecovery,
    ServerState,
    State,
)
from nova_ha_scheduler.evacuation.turn import Turn

_UNPROVEN = (HostState.SUSPECTED, HostState.CONFIRMED)
_IN_VIEW = (
    HostState.SUSPECTED,
    HostState.CONFIRMED,
    HostState.FENCING,
    HostState.FENCED,
    HostState.EVACUATING,
    HostState.RETURNING,
)

_CHECKED_TOGETHER = 10.0
"""Seconds for which a landed server's check waits for others to land: one list shows
them all, and it is long."""

_OVERVIEW_INTERVAL = 10.0
"""Seconds for which the hosts need not be looked at while servers are followed."""


def decide(turn: Turn) -> None:
    """One step: new suspicions, commands, every host's state, new evacuations."""
    sighted = turn.picture.hosts_at is None and _sighted(turn)
    if sighted:
        detect.suspect(turn)
    commands.handle(turn)
    answer = guard.watch(turn) if sighted else guard.Answer.WAIT
    for host in turn.open_hosts():
        if sighted or host.state not in _UNPROVEN:
            _advance(turn, host, answer)
    _dispatch(turn)


def _sighted(turn: Turn) -> bool:
    """Whether the picture can be believed; blindness is told when it begins."""
    why = detect.blindness(turn)
    was_blind = turn.guard.blind_since is not None
    if why and not was_blind:
        turn.guard = replace(turn.guard, blind_since=turn.now)
        turn.tell(EventKind.BLIND, reason=Reason.BLIND.sentence(why))
    if not why and was_blind:
        turn.guard = replace(turn.guard, blind_since=None)
        turn.tell(EventKind.SIGHTED)
    return not why


def _advance(turn: Turn, host: HostRecovery, answer: guard.Answer) -> None:
    """Run the state functions until the state stays."""
    while True:
        function = recovery.FUNCTIONS[host.state]
        new = function(turn, host, answer)
        turn.put(new)
        if new.state is host.state or new.ended_at is not None:
            return
        host = new


def _dispatch(turn: Turn) -> None:
    """Ask Nova for what the planner finds a place for."""
    waiting: dict[str, ServerRecovery] = {}
    for host in turn.open_hosts():
        if _may_ask(turn, host):
            waiting |= {s.server: s for s in _ready(turn, host)}
    if not waiting or not turn.picture.scope.destinations:
        return
    shown = [turn.picture.servers[uuid] for uuid in waiting]
    shown.sort(key=lambda server: servers.urgency(server, turn.options))
    candidates = [planner.Candidate(s, waiting[s.uuid].tried) for s in shown]
    dead = frozenset(host.host for host in turn.open_hosts())
    decisions = planner.plan(
        candidates, turn.picture.hosts, dead, _claims(turn), turn.options
    )
    for decision in decisions:
        record = waiting[decision.server]
        if decision.destination is not None:
            if not recovery.look_again(turn, turn.hosts[record.recovery]):
                turn.put(servers.ask(turn, record, decision.destination))
        elif decision.reason is not None:
            turn.put(servers.wait(turn, record, decision.reason, decision.detail))


def _may_ask(turn: Turn, host: HostRecovery) -> bool:
    """Only with proof that holds, and Nova's word that the service is down."""
    return (
        host.state is HostState.EVACUATING
        and host.evidence is not None
        and host.reason is not Reason.MAINTENANCE
        and turn.looked_at(host)
    )


def _ready(turn: Turn, host: HostRecovery) -> list[ServerRecovery]:
    return [
        server
        for server in turn.servers_of(host)
        if server.state is ServerState.WAITING
        and server.not_before <= turn.now
        and server.reason is not Reason.TASK_STATE
    ]


def _claims(turn: Turn) -> list[planner.Claim]:
    """The evacuations under way, with what Placement may not show yet of them."""
    claims = []
    for record in turn.servers.values():
        under_way = record.state is ServerState.ASKED or (
            record.state is ServerState.MOVING and record.landed_at is None
        )
        if not under_way or record.destination is None:
            continue
        server = turn.picture.servers.get(record.server)
        newest = turn.picture.newest_record(record.server, record.source)
        shown = newest and newest.id > record.baseline and newest.claimed
        claims.append(
            planner.Claim(
                record.destination,
                {} if shown or server is None else server.needs,
                server.group if server else None,
            )
        )
    return claims


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
        self.state = State()

    def step(self, look: bool = True) -> Change:
        """One step; what it decided is journalled, then handed to the executor.

        :param look: take a new picture; without, only what the executor learned is
            new. A picture costs a fixed number of requests.
        :raises CloudUnreachable: if there is no picture; nothing was lost.
        """
        self.state = self._journal.load(self._clock.now() - self._options.guard_window)
        if look or self._picture is None:
            self._picture = self._look()
        running = self._executor.running()
        outcomes: Sequence[Outcome] = self._executor.outcomes()
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

    def _look(self) -> Picture:
        picture = self._cloud.observe(self.scope())
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

    def scope(self) -> Scope:
        """What the next picture has to show, by what the journal knows."""
        now = self._clock.now()
        hosts = [h for h in self.state.hosts.values() if h.ended_at is None]
        in_view = {
            h.host
            for h in hosts
            if h.state in _IN_VIEW
            or (h.state is HostState.INCOMPLETE and now >= h.next_try_at)
        }
        in_view |= {command.host for command in self.state.commands.values()}
        open_ = [s for s in self.state.servers.values() if not s.state.final]
        waiting = any(s.state is ServerState.WAITING for s in open_) or any(
            h.state in _IN_VIEW and not h.stages.get("evacuating") for h in hosts
        )
        under_way = {s.source for s in open_ if s.is_under_way(now)}
        followed = in_view & under_way - {s.source for s in open_ if s.is_lost(now)}
        if waiting or self._is_overview_due(now):
            followed = set()  # a server's place depends on all that is under way
        landed = [s for s in open_ if s.landed_at is not None]
        late = now - min((s.landed_at or now for s in landed), default=now)
        to_check = {
            s.server
            for s in landed
            if late >= _CHECKED_TOGETHER or s.source not in under_way
        }
        detailed = in_view - followed
        return Scope(
            frozenset(detailed),
            frozenset(followed),
            frozenset(to_check),
            waiting,
            overview=bool(detailed) or not followed,
        )

    def _is_overview_due(self, now: float) -> bool:
        if self._picture is None:
            return True
        seen = self._picture.hosts_at or self._picture.taken_at
        return now - seen >= _OVERVIEW_INTERVAL
