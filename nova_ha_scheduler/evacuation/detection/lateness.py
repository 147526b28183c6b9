# SPDX-License-Identifier: Apache-2.0
"""Hosts that are late: they have missed a heartbeat, and Nova does not hold them for
down yet. That is worth a question, and no more than that.

==========================  ======================================================
missed one heartbeat        its fence device is asked for the power, read-only. Off:
                            a recovery begins, in the state LATE
missed two                  where the options say so, the witnesses are asked. All of
                            them, one at least, say dead: the host is suspected
still late                  each is asked again, at an interval
many are late               devices are asked at a bounded rate, one after the
                            other, the one that is late for longest first: a
                            conductor is slow
nothing can be seen, or     nobody is asked
an outage is just over
==========================  ======================================================

What was asked is in memory only: an answer that is lost is asked for again. The
question carries all that a step needs to go by its answer.
"""

from collections import deque
from dataclasses import replace
from typing import NamedTuple

from nova_ha_scheduler.cluster.picture import Host
from nova_ha_scheduler.evacuation.detection import suspicion
from nova_ha_scheduler.evacuation.detection.beats import Beats
from nova_ha_scheduler.evacuation.step import Step
from nova_ha_scheduler.records.effects import Effect, Intent
from nova_ha_scheduler.records.host_recovery import HostRecovery, HostState

_AGAIN = 15.0
"""Seconds between two questions of a kind about one host."""

_AT_ONCE = 8
"""Questions under way, and begun in _WITHIN seconds."""

_WITHIN = 5.0


class _Missed(NamedTuple):
    """:ivar last: the last heartbeat. :ivar due: when the next one was, by Nova's
    clocks."""

    last: float
    due: float

    @classmethod
    def of(cls, intent: Intent) -> "_Missed":
        last, due = intent.text.split()
        return cls(float(last), float(due))

    def __str__(self) -> str:
        return f"{self.last!r} {self.due!r}"


def suspect(step: Step) -> None:
    """Begin a recovery for each host of which an answer says that it is dead, and that
    was not heard of since it was asked for."""
    if not suspicion.settled(step):
        return
    hosts = {h.name: h for h in suspicion.protected(step.picture, step.options)}
    for outcome in step.learned_alone(Effect.CHECK_LATE, Effect.TESTIFY):
        host = hosts.get(outcome.intent.host)
        missed = _Missed.of(outcome.intent)
        if host is None or not outcome.ok or not _is_asked(step, outcome.intent):
            continue
        if step.recovery_of(host.name) is None and host.updated_at <= missed.last:
            step.put(_begun(step, host, missed, outcome.intent, outcome.at))


def _is_asked(step: Step, intent: Intent) -> bool:
    """Whether the options let a step go by the answer."""
    options = step.options
    if intent.effect is Effect.CHECK_LATE:
        return options.off_time > 0
    return options.witnesses and options.suspect_by_witnesses


def _begun(
    step: Step, host: Host, missed: _Missed, intent: Intent, at: float
) -> HostRecovery:
    age = step.now - missed.last
    recovery = HostRecovery(
        f"{host.name}@{step.now:.3f}",
        host.name,
        HostState.LATE,
        started_at=step.now,
        last_beat=missed.last,
        beat_due=missed.due,
    )
    if intent.effect is Effect.CHECK_LATE:
        words = f"no heartbeat for {age:.0f} s, and its fence device says off"
        wait = at + step.options.off_time
        recovery = replace(recovery, off_at=at, next_try_at=wait)
        return step.enter(recovery, HostState.LATE, reason=words)
    words = f"no heartbeat for {age:.0f} s, and dead by every witness"
    return step.enter(recovery, HostState.SUSPECTED, reason=words)


class LateWatch:
    """Asks about hosts that are late."""

    def __init__(self, beats: Beats) -> None:
        self._beats = beats
        self._asked: dict[tuple[Effect, str], float] = {}
        self._open: set[tuple[Effect, str]] = set()
        self._begun: deque[float] = deque(maxlen=_AT_ONCE)
        self.hurries = False
        """Whether the cloud is to be looked at more often: a host may miss another
        heartbeat, after which the witnesses are asked."""

    def watch(self, step: Step) -> None:
        """To be called once a step, when all else is decided."""
        for outcome in step.learned_alone(Effect.CHECK_LATE, Effect.TESTIFY):
            self._open.discard((outcome.intent.effect, outcome.intent.host))
        self.hurries = False
        blind = step.guard.blind_since is not None or step.picture.hosts_at is not None
        if blind or not suspicion.settled(step):
            return
        options = step.options
        by_witnesses = options.witnesses and options.suspect_by_witnesses
        late = self._late(step)
        self._asked = {k: at for k, at in self._asked.items() if k[1] in late}
        asked = {host: at for (_, host), at in self._asked.items()}
        turns = sorted((asked.get(h, 0.0), due, h) for h, due in late.items())
        for _, due, host in turns:
            if options.off_time and not step.picture.hosts[host].unfenceable:
                self._ask(step, Effect.CHECK_LATE, host, due)
            if by_witnesses and self._beats.due(host, 2) is not None:
                self._ask(step, Effect.TESTIFY, host, due)
        self.hurries = bool(late and by_witnesses)

    def _late(self, step: Step) -> dict[str, float]:
        """The hosts that are, and when their heartbeats were due."""
        return {
            host.name: due
            for host in suspicion.protected(step.picture, step.options)
            if (due := self._beats.due(host.name)) is not None
            and not suspicion.silent(host, step.now, step.options)
            and step.recovery_of(host.name) is None
        }

    def _ask(self, step: Step, effect: Effect, host: str, due: float) -> None:
        key = effect, host
        rested = abs(step.now - self._asked.get(key, float("-inf"))) >= _AGAIN
        full = len(self._begun) == _AT_ONCE and (
            abs(step.now - self._begun[0]) < _WITHIN
        )
        if key in self._open or not rested or full or len(self._open) >= _AT_ONCE:
            return
        self._asked[key] = step.now
        self._begun.append(step.now)
        self._open.add(key)
        last = step.picture.hosts[host].updated_at
        step.intend(effect, host, text=str(_Missed(last, due)))
