# SPDX-License-Identifier: Apache-2.0
"""Fence devices are tried while all is well, not first at night."""

from nova_ha_scheduler.evacuation import detect
from nova_ha_scheduler.evacuation.records import Effect, EventKind, Reason, Result
from nova_ha_scheduler.evacuation.turn import Turn

_NO_DEVICE = "manual"
"""The fencing method of hosts that have none: nothing of theirs can be broken."""


class DeviceWatch:
    """Remembers when each device was last asked, and whether it answered.

    Only in memory: after a restart all are asked again, which changes nothing.
    """

    def __init__(self, interval: float) -> None:
        self._interval = interval
        self._asked_at: dict[str, float] = {}
        self._broken: set[str] = set()

    def watch(self, turn: Turn) -> None:
        """Tell what changed, and ask those whose turn it is; 0: nobody is asked."""
        if not self._interval:
            return
        for host in detect.protected(turn.picture):
            self._hear(turn, host.name)
            asked_at = self._asked_at.get(host.name, float("-inf"))
            due = abs(turn.now - asked_at) >= self._interval
            if host.up and due and turn.recovery_of(host.name) is None:
                self._asked_at[host.name] = turn.now
                turn.intend(Effect.CHECK_POWER, host.name)

    def _hear(self, turn: Turn, host: str) -> None:
        outcome = turn.check_of(host)
        if outcome is None or outcome.by == _NO_DEVICE:
            return
        broken = outcome.result is Result.UNKNOWN
        if broken is not (host in self._broken):
            self._broken ^= {host}
            if broken:
                words = Reason.DEVICE_BROKEN.sentence(outcome.detail)
                turn.tell(EventKind.DEVICE_BROKEN, host=host, reason=words)
            else:
                turn.tell(EventKind.DEVICE_WORKS, host=host, reason=outcome.detail)
