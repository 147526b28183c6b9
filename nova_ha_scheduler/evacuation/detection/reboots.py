# SPDX-License-Identifier: Apache-2.0
"""Hosts that reboot by themselves, faster than they can be taken for dead: their
servers are off, and Nova starts none of them.

No list of Nova's says so at first: it shows them as active, with power, until its
sync_power_states stops them, where that is enabled. Their hypervisor knows. A reboot
takes all servers of a host, so one that runs is proof that there was none: of a host
whose turn it is, the servers are listed, and one that Nova shows as running is looked
at; only if that one does not run, all others are.

==========================  ======================================================
a pause of its heartbeats   a quarter of down_time behind the others, and heard of
                            again: its turn at once; so after a recovery, which may
                            have left servers there
heartbeats out of step      its nova-compute was started anew: its turn at once
else                        one host in each few looks, of those that had no turn yet
                            since the trigger became active, or whose heartbeats have
                            no rhythm; none begins while a recovery goes on
while a host is evacuated   a turn waits, for half a minute at most: Nova is busy, and
                            pauses of heartbeats are common then
the cost                    nothing in quiet times, once each had its turn; else two
                            requests a turn, and one for each server of a host where
                            the first one does not run
==========================  ======================================================

A server that Nova has stopped by itself since the host's last turn went off with it;
one that its users have stopped did not.
"""

from dataclasses import dataclass, field

from nova_ha_scheduler.cluster.picture import Host, Server
from nova_ha_scheduler.evacuation.detection import scope, suspicion
from nova_ha_scheduler.evacuation.detection.beats import Beats
from nova_ha_scheduler.evacuation.step import Step, Told
from nova_ha_scheduler.planner import triage
from nova_ha_scheduler.printable import first_of
from nova_ha_scheduler.reasons import Reason
from nova_ha_scheduler.records.effects import OFF_BY_ITSELF, Effect, Outcome
from nova_ha_scheduler.records.events import EventKind
from nova_ha_scheduler.records.host_recovery import HostState

_LATE = 0.25
"""As a share of down_time: the pause of heartbeats that may be a reboot's."""

_AT_ONCE = 4
"""Turns at the same time: a rack may have rebooted."""

_BEFORE = 900.0
"""Seconds before the first look in which a reboot is still of interest: nobody may
have looked meanwhile."""

_YIELDS = 30.0
"""Seconds that a turn waits for evacuations to end."""

_TRIES = 3
"""How often a turn is begun anew where a hypervisor could not be asked: nova-compute
may have just started."""

_NAMED = 10
"""Servers that a sentence names."""


@dataclass
class _Turn:
    """
    :ivar since: what has changed before is of no interest.
    :ivar due_at: when it was the host's turn.
    :ivar shown: the servers that Nova shows as running; None: not listed yet.
    :ivar off: the others that may have gone off with the host.
    :ivar looked: what a hypervisor has said, by server; None: it is being asked.
    :ivar ordered: the same of what was ordered last.
    """

    since: float
    due_at: float
    tries: int = 0
    shown: list[Server] | None = None
    off: list[Server] = field(default_factory=list)
    looked: dict[str, bool | None] = field(default_factory=dict)
    ordered: dict[str, str | None] = field(default_factory=dict)


@dataclass
class _Restart:
    host: str
    name: str
    asked_at: float
    attempts: int = 1


def _is_busy(step: Step) -> bool:
    """Whether a recovery goes on, whose requests come first; one that has stalled
    holds up nobody."""
    began = [h.started_at for h in step.open_hosts() if scope.is_under_way(h)]
    moving = (s for s in step.servers.values() if s.is_under_way(step.now))
    began += (s.moving_at or s.asked_at or step.now for s in moving)
    return any(at > step.now - step.options.stalled_after for at in began)


class RebootWatch:
    """Only in memory: after a restart all hosts have their turn again, and what was
    being asked is asked again."""

    def __init__(self, beats: Beats) -> None:
        self._beats = beats
        self._late: dict[str, float] = {}
        self._recovering: dict[str, float] = {}
        self._turns: dict[str, _Turn] = {}
        self._had: dict[str, float] = {}
        self._told: dict[str, frozenset[str]] = {}
        self._restarts: dict[str, _Restart] = {}
        self._listed: frozenset[str] = frozenset()
        self._looks = 0
        self._began: float | None = None
        self._seen_at: float | None = None

    @property
    def hosts(self) -> frozenset[str]:
        """Those whose servers are to be listed in the next picture."""
        return self._listed

    def watch(self, step: Step) -> None:
        """To be called once a step, when all else is decided."""
        self._take_up_lost(step)
        seen_at = step.picture.hosts_seen_at
        new, self._seen_at = seen_at != self._seen_at, seen_at
        if new:
            self._choose(step)
        for name in [*self._turns]:
            if self._ends(step, name, self._turns[name]):
                del self._turns[name]
                self._had[name] = step.now
        for uuid in [*self._restarts]:
            self._follow(step, uuid, self._restarts[uuid], new)
        yields = any(h.state is HostState.EVACUATING for h in step.open_hosts())
        self._listed = frozenset(
            name
            for name, turn in self._turns.items()
            if turn.shown is None and not (yields and step.now < turn.due_at + _YIELDS)
        )

    # Whose turn it is.

    def _take_up_lost(self, step: Step) -> None:
        """What an earlier life of the trigger has asked."""
        for outcome in (o for o in self._outcomes(step) if o.lost):
            host, server = outcome.intent.host, outcome.intent.server or ""
            if outcome.intent.effect is Effect.REBOOT:
                restart = _Restart(host, server, outcome.intent.at)
                self._restarts.setdefault(server, restart)
            else:
                since = outcome.intent.at - _BEFORE
                self._turns.setdefault(host, _Turn(since, step.now))

    def _choose(self, step: Step) -> None:
        self._began = step.now if self._began is None else self._began
        found = {
            host.name: host
            for host in suspicion.protected(step.picture, step.options)
            if host.heard and step.recovery_of(host.name) is None
        }
        self._turns = {n: t for n, t in self._turns.items() if n in found}
        before = self._recovering
        self._recovering = {h.host: h.started_at for h in step.open_hosts()}
        for name in before.keys() - self._recovering.keys():
            self._late.setdefault(name, before[name])
        self._watch_pauses(step, found)
        every = step.options.reboot_looks
        self._looks += 1
        waits = self._turns or _is_busy(step)
        if every and self._looks >= every and found and not waits:
            self._looks = 0
            first = self._began - _BEFORE
            wanted = {
                n for n in found if n not in self._had or not self._beats.is_steady(n)
            }
            if wanted:
                name = min(wanted, key=lambda n: (self._had.get(n, first), n))
                self._turns[name] = _Turn(self._had.get(name, first), step.now)

    def _watch_pauses(self, step: Step, found: dict[str, Host]) -> None:
        """Measured from the youngest heartbeat, so no clock but Nova's counts."""
        newest = max((h.updated_at for h in step.picture.hosts.values()), default=0.0)
        late = {
            name
            for name, host in found.items()
            if newest - host.updated_at >= _LATE * step.options.down_time
        }
        self._late = {n: at for n, at in self._late.items() if n in found}
        for name in late:
            self._late.setdefault(name, found[name].updated_at)
        for name in found.keys() - late:
            if since := self._beats.out_of_step_since(name):
                self._late.setdefault(name, since)
        for name in sorted(self._late.keys() - late):
            if len(self._turns) < _AT_ONCE:
                self._turns[name] = _Turn(self._late.pop(name), step.now)

    # A turn.

    def _ends(self, step: Step, host: str, turn: _Turn) -> bool:
        """Take in what was learned, ask what comes next; whether there is no more."""
        if turn.shown is None:
            if host not in step.picture.servers_only:
                return False
            self._list(step, host, turn)
        runs = self._hear(step, turn)
        if runs is None and turn.tries < _TRIES:
            self._turns[host] = _Turn(turn.since, turn.due_at, turn.tries + 1)
            return False
        if runs is not False:
            return True
        assert turn.shown is not None
        if None in turn.looked.values() or None in turn.ordered.values():
            return False
        if more := [s for s in turn.shown if s.uuid not in turn.looked]:
            # One that runs is enough; if the first one does not, all others are asked.
            for server in more[: None if turn.looked else 1]:
                self._ask(step, Effect.LOOK, host, server, turn.looked)
            return False
        stopped = [s for s in turn.off if s.vm_state == "stopped"]
        if more := [s for s in stopped if s.uuid not in turn.ordered]:
            for server in more:
                self._ask(step, Effect.ASK_ORDERS, host, server, turn.ordered)
            return False
        self._conclude(step, host, turn)
        return True

    def _list(self, step: Step, host: str, turn: _Turn) -> None:
        facts = step.picture.hosts[host].facts
        idle = [
            server
            for server in step.picture.servers_only[host]
            if server.task_state is None and not server.unreadable
        ]
        ours = {s.uuid for s in idle if not triage.why_left(s, facts, step.options)}
        shown = [s for s in idle if s.vm_state == "active" and s.running]
        turn.shown = sorted(shown, key=lambda s: (s.uuid not in ours, s.name))
        turn.off = [
            server
            for server in idle
            if server.uuid in ours
            and not server.running
            and (
                server.vm_state == "active"
                or (
                    server.vm_state == "stopped"
                    and (server.changed_at or 0.0) >= turn.since
                )
            )
        ]

    def _hear(self, step: Step, turn: _Turn) -> bool | None:
        """Whether one was found to run; None: a hypervisor could not be asked."""
        for outcome in self._outcomes(step):
            server = outcome.intent.server or ""
            if turn.looked.get(server, 0) is None:
                if outcome.ok:
                    self._told.pop(outcome.intent.host, None)
                if not outcome.refused:
                    return True if outcome.ok else None
                turn.looked[server] = False
            elif turn.ordered.get(server, 0) is None:
                turn.ordered[server] = outcome.detail if outcome.ok else ""
        return False

    def _ask(
        self,
        step: Step,
        effect: Effect,
        host: str,
        server: Server,
        answers: dict[str, bool | None] | dict[str, str | None],
    ) -> None:
        answers[server.uuid] = None
        step.intend(effect, host, server=server.uuid)

    def _conclude(self, step: Step, host: str, turn: _Turn) -> None:
        """No server of it runs: tell of those that ran, once."""
        facts, options = step.picture.hosts[host].facts, step.options
        shown = turn.shown or []
        off = [
            *(s for s in shown if triage.why_left(s, facts, options) is None),
            *(s for s in turn.off if s.vm_state == "active"),
            *(s for s in turn.off if turn.ordered.get(s.uuid) == OFF_BY_ITSELF),
        ]
        uuids = frozenset(server.uuid for server in off)
        if uuids <= self._told.get(host, frozenset()):
            return
        self._told[host] = uuids
        paused = step.options.return_restart and step.pauses_on(host)
        restart = step.options.return_restart and not paused
        reason = Reason.REBOOTED_RESTART if restart else Reason.REBOOTED
        step.tell(
            EventKind.HOST_REBOOTED,
            host=host,
            reason=reason.sentence(first_of(sorted(s.name for s in off), _NAMED)),
            servers=tuple(sorted(uuids)),
        )
        for server in off if restart else ():
            self._restarts[server.uuid] = _Restart(host, server.name, step.now)
            step.intend(Effect.REBOOT, host, server=server.uuid)

    # Starting them again.

    def _follow(self, step: Step, uuid: str, restart: _Restart, new: bool) -> None:
        """:param new: whether the cloud was looked at once more."""
        found = [o for o in self._outcomes(step) if o.intent.server == uuid]
        looks = [o for o in found if o.intent.effect is Effect.LOOK]
        about: Told = {
            "host": restart.host,
            "server": uuid,
            "server_name": restart.name,
            "source": restart.host,
        }
        if any(outcome.ok for outcome in looks):
            step.tell(EventKind.SERVER_RESTARTED, **about)
            del self._restarts[uuid]
            return
        waits = step.now < restart.asked_at + step.options.retry_interval
        busy = any(step.pending_alone(uuid, e) for e in (Effect.LOOK, Effect.REBOOT))
        if looks and looks[0].refused and not waits and not busy:
            if restart.attempts >= step.options.attempts:
                about["reason"] = Reason.NOT_RESTARTED.sentence(looks[0].detail)
                step.tell(EventKind.SERVER_FAILED, **about)
                del self._restarts[uuid]
                return
            restart.attempts, restart.asked_at = restart.attempts + 1, step.now
            step.intend(Effect.REBOOT, restart.host, server=uuid)
        elif new and not (looks or busy):
            step.intend(Effect.LOOK, restart.host, server=uuid)

    def _outcomes(self, step: Step) -> list[Outcome]:
        """Of what was asked here."""
        return step.learned_alone(Effect.LOOK, Effect.ASK_ORDERS, Effect.REBOOT)
