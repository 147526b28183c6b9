# SPDX-License-Identifier: Apache-2.0
"""Fence devices are tried while all is well, not first at night; and a protected host
without a fencing method is told, as is a key of its aggregates that may be misspelt."""

from collections.abc import Collection, Mapping

from nova_ha_scheduler.cluster.picture import Host
from nova_ha_scheduler.evacuation.detection import suspicion
from nova_ha_scheduler.evacuation.step import Step
from nova_ha_scheduler.reasons import Reason
from nova_ha_scheduler.records.effects import Effect, Result
from nova_ha_scheduler.records.events import EventKind
from nova_ha_scheduler.rules import vocabulary

_NO_DEVICE = "manual"
"""The fencing method of hosts that have none: nothing of theirs can be broken."""

Since = dict[str, tuple[float, str]]
"""By host: since when, and the reason."""


class DeviceWatch:
    """Remembers when each device was last asked, and whether it answered.

    Only in memory: after a restart all are asked again, which changes nothing.

    :ivar protected: how many hosts there are to watch; None: before the first look.
    :ivar aside: how many more are tagged, and left alone.
    :ivar unfenceable: those that have no fencing method, or none that can be used.
    :ivar broken: those whose device did not serve when it was last asked.
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
        self.misspelt: Since = {}

    def use(self, interval: float, changed: Collection[str] = ()) -> None:
        """Go by another interval, and ask these devices soon, which are new."""
        self._interval = interval
        for host in changed:
            self._asked_at.pop(host, None)

    def watch(self, step: Step) -> None:
        """Tell what changed, and ask those whose turn it is."""
        hosts = {host.name: host for host in suspicion.protected(step.picture)}
        self.protected = len(hosts)
        seen = step.picture.hosts.values()
        tagged = sum(vocabulary.HA in host.facts.flags for host in seen)
        self.aside = tagged - len(hosts)
        self._watch_keys(step)
        self._watch_methods(step, hosts)
        if not self._interval:
            return
        watched = hosts.keys() - self.unfenceable.keys()
        self.broken = {h: told for h, told in self.broken.items() if h in watched}
        for name, host in hosts.items():
            self._hear(step, name)
            asked_at = self._asked_at.get(name, float("-inf"))
            due = abs(step.now - asked_at) >= self._interval
            if name in watched and host.up and due and step.recovery_of(name) is None:
                self._asked_at[name] = step.now
                step.intend(Effect.CHECK_POWER, name)

    def _watch_keys(self, step: Step) -> None:
        before = self.misspelt
        self.misspelt = {
            name: (before.get(name, (step.now, ""))[0], "; ".join(host.facts.misspelt))
            for name, host in step.picture.hosts.items()
            if host.facts.misspelt
        }

    def _watch_methods(self, step: Step, hosts: Mapping[str, Host]) -> None:
        """Tell of each protected host that has no method, and when that is over."""
        before, now = self.unfenceable, step.now
        lacks = {h.name: h.unfenceable for h in hosts.values() if h.unfenceable}
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

    def _hear(self, step: Step, host: str) -> None:
        outcome = step.check_of(host)
        if outcome is None or outcome.by == _NO_DEVICE or host in self.unfenceable:
            return
        broken = outcome.result is Result.UNKNOWN
        if broken is (host in self.broken):
            return
        if broken:
            words = Reason.DEVICE_BROKEN.sentence(outcome.detail)
            step.tell(EventKind.DEVICE_BROKEN, host=host, reason=words)
            self.broken = {**self.broken, host: (step.now, outcome.detail)}
        else:
            step.tell(EventKind.DEVICE_WORKS, host=host, reason=outcome.detail)
            self.broken = {h: t for h, t in self.broken.items() if h != host}
