# SPDX-License-Identifier: Apache-2.0
"""Fence devices are tried while all is well, not first at night; and a protected host
without a fencing method is told, as is a key of its aggregates that may be misspelt.

A device that says Off, of a host that is heard of thereafter, and both once more, is
another machine's: what it says is neither a reason to suspect the host, nor proof.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from nova_ha_scheduler.cluster.picture import Host, Picture
from nova_ha_scheduler.evacuation.detection import suspicion
from nova_ha_scheduler.evacuation.interfaces import NO_DEVICE
from nova_ha_scheduler.evacuation.step import Step
from nova_ha_scheduler.reasons import Reason
from nova_ha_scheduler.records.effects import Effect, Result
from nova_ha_scheduler.records.events import EventKind
from nova_ha_scheduler.rules import vocabulary

Since = dict[str, tuple[float, str]]
"""By host: since when, and the reason."""


_LIE = 2
"""How often a device says off, and its host is heard of thereafter: once, the host may
have been switched off, and on again."""

_HEARD = 2
"""Heartbeats that are new since: the first may be of before."""


@dataclass
class _Off:
    """A device has said that the host is off.

    :ivar beat: the newest heartbeat that was known; heard: how many came since.
    :ivar lies: how often that was no word of truth.
    """

    beat: float
    heard: int = 0
    lies: int = 0


class DeviceWatch:
    """Remembers when each device was last asked, and whether it answered.

    Only in memory: after a restart all are asked again, which changes nothing.

    :ivar protected: how many hosts there are to watch; None: before the first look.
    :ivar aside: how many more are tagged, and left alone.
    :ivar unfenceable: those that have no fencing method, or none that can be used.
    :ivar broken: those whose device did not serve when it was last asked.
    :ivar works: those whose device did.
    :ivar shut_out: those that are back, and that the trigger leaves disabled.
    :ivar misspelt: those of whose aggregates a key may be misspelt, protected or not.

    Others may read these from another thread: each is replaced as a whole.
    """

    def __init__(self, interval: float) -> None:
        """:param interval: seconds between two questions to a device; 0: none."""
        self._interval = interval
        self._asked_at: dict[str, float] = {}
        self.protected: int | None = None
        self.aside = 0
        self.unfenceable: Since = {}
        self.broken: Since = {}
        self.works: frozenset[str] = frozenset()
        self.shut_out: Since = {}
        self.misspelt: Since = {}
        self._off: dict[str, _Off] = {}

    def _lies(self, host: str) -> bool:
        """Whether what the device of a host says is known to be no truth."""
        found = self._off.get(host)
        return found is not None and found.lies >= _LIE

    def doubt(self, picture: Picture) -> Picture:
        """The picture, in which such a device is none."""
        seen = (picture.hosts.get(name) for name in self._off if self._lies(name))
        words = Reason.DEVICE_LIES.sentence()
        lying = {
            host.name: replace(host, unfenceable=words)
            for host in seen
            if host and not host.unfenceable
        }
        return replace(picture, hosts={**picture.hosts, **lying}) if lying else picture

    def use(self, interval: float, changed: Collection[str] = ()) -> None:
        """Go by another interval, and ask these devices soon, which are new."""
        self._interval = interval
        for host in changed:
            self._asked_at.pop(host, None)
            self._off.pop(host, None)

    def watch(self, step: Step) -> None:
        """Tell what changed, and ask those whose turn it is."""
        found = suspicion.protected(step.picture, step.options)
        hosts = {host.name: host for host in found}
        self.protected = len(hosts)
        seen = step.picture.hosts.values()
        tagged = sum(vocabulary.HA in host.facts.flags for host in seen)
        self.aside = tagged - len(hosts)
        self._watch_keys(step)
        self._watch_disabled(step, hosts)
        self._watch_methods(step, hosts)
        if not self._interval:
            return
        watched = hosts.keys() - self.unfenceable.keys()
        self.broken = {h: told for h, told in self.broken.items() if h in watched}
        self._watch_off(step, hosts)
        works = {name for name in hosts if self._hear(step, name)}
        served = (self.works & watched | works) - self.broken.keys()
        self.works = self.works if served == self.works else frozenset(served)
        for host in hosts.values():
            if host.name in watched and self._is_due(step, host):
                self._asked_at[host.name] = step.now
                step.intend(Effect.CHECK_POWER, host.name)

    def _is_due(self, step: Step, host: Host) -> bool:
        """Whether to ask its device now: while the host is well; and of a host that is
        proven dead, one that was broken, which may have given the proof."""
        asked_at = self._asked_at.get(host.name, float("-inf"))
        due = abs(step.now - asked_at) >= self._interval
        recovery = step.recovery_of(host.name)
        if recovery is None:
            return host.up and due
        if host.name not in self.broken or not recovery.state.traits.proven:
            return False
        evidence = recovery.evidence
        return due or (evidence is not None and evidence.at > asked_at)

    def _watch_keys(self, step: Step) -> None:
        before = self.misspelt
        self.misspelt = {
            name: (before.get(name, (step.now, ""))[0], "; ".join(host.facts.misspelt))
            for name, host in step.picture.hosts.items()
            if host.facts.misspelt
        }

    def _watch_disabled(self, step: Step, hosts: Mapping[str, Host]) -> None:
        before = self.shut_out
        self.shut_out = {
            name: (before.get(name, (step.now, ""))[0], host.disabled_reason)
            for name, host in hosts.items()
            if host.heard
            and suspicion.disabled_by_us(host)
            and step.recovery_of(name) is None
        }

    def _watch_methods(self, step: Step, hosts: Mapping[str, Host]) -> None:
        """Tell of each protected host that has no method, and when that is over."""
        before, now = self.unfenceable, step.now
        lacks = {
            h.name: h.unfenceable
            for h in hosts.values()
            if h.unfenceable and not self._lies(h.name)
        }
        self.unfenceable = {
            name: (before.get(name, (now, ""))[0], why) for name, why in lacks.items()
        }
        for name, why in lacks.items():
            if name not in before or before[name][1] != why:
                words = Reason.NO_METHOD.sentence(why)
                step.tell(EventKind.METHOD_MISSING, host=name, reason=words)
                self._asked_at.pop(name, None)  # it is asked as soon as it has one
        for name in sorted(before.keys() - lacks.keys()):
            has = "it has one now" if name in hosts else "it is not protected now"
            step.tell(EventKind.METHOD_FOUND, host=name, reason=has)

    def _watch_off(self, step: Step, hosts: Mapping[str, Host]) -> None:
        """Count the heartbeats of hosts whose device says off; ask it again then."""
        self._off = {h: off for h, off in self._off.items() if h in hosts}
        for name, off in self._off.items():
            if hosts[name].updated_at > off.beat:
                off.beat, off.heard = hosts[name].updated_at, off.heard + 1
                if off.heard == _HEARD:
                    off.lies += 1
                    self._asked_at.pop(name, None)
        for outcome in step.learned_alone(Effect.CHECK_POWER):
            host = hosts.get(outcome.intent.host)
            if host is None or outcome.lost or outcome.by == NO_DEVICE:
                continue
            if step.recovery_of(host.name) is not None:
                continue  # it is off because it was switched off
            before = self._off.pop(host.name, None)
            if outcome.result is Result.OK:
                lies = before.lies if before else 0
                self._off[host.name] = _Off(host.updated_at, lies=lies)
            elif before and outcome.result is Result.UNKNOWN:
                self._off[host.name] = before

    def _hear(self, step: Step, host: str) -> bool:
        """:returns: whether the device has just served."""
        outcome = step.check_of(host)
        if outcome is None or outcome.by == NO_DEVICE or host in self.unfenceable:
            return False
        lies = self._lies(host)
        broken = lies or outcome.result is Result.UNKNOWN
        if broken is (host in self.broken):
            return not broken
        if broken:
            reason = Reason.DEVICE_LIES if lies else Reason.DEVICE_BROKEN
            words = reason.sentence(outcome.detail)
            step.tell(EventKind.DEVICE_BROKEN, host=host, reason=words)
            detail = words if lies else outcome.detail
            self.broken = {**self.broken, host: (step.now, detail)}
        else:
            step.tell(EventKind.DEVICE_WORKS, host=host, reason=outcome.detail)
            self.broken = {h: t for h, t in self.broken.items() if h != host}
        return not broken
